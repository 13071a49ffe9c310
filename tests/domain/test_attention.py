"""What needs attention, why, since when, and in which order."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from jobrunner.domain.at_work import at_work
from jobrunner.domain.attention import Attention, Concern, Facts, Head, Letters, Waits, attention
from jobrunner.domain.decision import Decision, Why
from jobrunner.domain.estimate import Basis, Estimate
from jobrunner.domain.event import Subject
from jobrunner.domain.finding import fault, ok
from jobrunner.domain.job import Sla
from jobrunner.domain.queue import Pause
from jobrunner.domain.run import Run
from jobrunner.domain.server import Server, ServerState
from jobrunner.domain.state import RunState, Trigger

NOW = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)


def ago(seconds: float) -> datetime:
    return NOW - timedelta(seconds=seconds)


def a_server(**changes: Any) -> Server:
    values: dict[str, Any] = {
        "id": 1,
        "name": "web",
        "host": "here",
        "pid": 7,
        "state": ServerState.RUNNING,
        "started_at": ago(999),
        "heartbeat_age": 1.0,
        "workers": 4,
        "busy": 1,
        "queues": ("default",),
        "config_hash": "abc",
        "version": "1",
        "scheduler_age": 0.5,
    }
    return Server(**(values | changes))


def a_run(**changes: Any) -> Run:
    values: dict[str, Any] = {
        "id": 7,
        "job": "a",
        "state": RunState.FAILED,
        "attempt": 1,
        "max_attempts": 3,
        "queue": "default",
        "priority": 0,
        "trigger": Trigger.SCHEDULE,
        "params": {},
        "created_at": ago(100),
        "run_after": ago(100),
        "started_at": ago(90),
        "finished_at": ago(80),
    }
    return Run(**(values | changes))


def found(**facts: Any) -> list[Attention]:
    values: dict[str, Any] = {
        "now": NOW,
        "lost_after": timedelta(seconds=30),
        "servers": [a_server()],
        "scheduled": True,
    }
    return attention(Facts(**(values | facts)))


def only(**facts: Any) -> Attention:
    (item,) = found(**facts)
    return item


def test_nothing_is_wrong() -> None:
    assert found(store=[ok("disk", "much is left")]) == []


def test_dead_letters_of_a_job() -> None:
    item = only(dead=[Letters("a", 1, a_run(attempt=3, error="exit code 3: smtp auth failed"))])
    assert (item.concern, item.subject) == (Concern.FAILED, Subject("job", "a"))
    assert item.words == "failed after 3 attempts: exit code 3: smtp auth failed"
    assert (item.since, item.run_id, item.verb) == (ago(80), 7, "jobrunner retry 7")
    many = only(dead=[Letters("a", 5, a_run(exit_code=3))])
    assert (many.words, many.count) == ("5 failed, the last: exit code 3", 5)
    assert many.verb == "jobrunner retry --dead --job a"


def test_a_run_that_does_not_start() -> None:
    wait = Waits("a", "default", 1, 9, ago(240))
    assert only(waits=[wait], servers=[a_server(busy=4)]).words == (
        "waits for a worker: all 4 that serve queue default are busy"
    )
    item = only(waits=[wait])
    assert (item.concern, item.since, item.run_id) == (Concern.LATE, ago(240), 9)
    assert item.words == "has not started, though 1 of 4 workers are busy"
    assert item.verb == "jobrunner why 9"
    held = wait._replace(queue="", reason="rate_limit", runs=3)
    assert only(waits=[held]).words == "3 runs: held by rate limit"


def test_what_is_paused_is_not_late() -> None:
    wait, head = Waits("a", "low", 1, 9, ago(240)), Head("low", ago(240))
    for scope, name in (("job", "a"), ("queue", "low"), ("all", "")):
        pause = Pause(scope=scope, name=name, who="ana", since=ago(9), until=ago(-9), reason="disk")
        heads = [] if scope == "job" else [head]
        item = only(waits=[wait], heads=heads, pauses=[pause])
        assert (item.concern, item.since, item.until) == (Concern.PAUSED, ago(9), ago(-9))
        assert item.words == f"{f'{scope} {name}' if name else 'everything'} paused by ana: disk"


def test_a_queue_that_nobody_serves_is_one_exception() -> None:
    wait, head = Waits("a", "low", 1, 9, ago(240)), Head("low", ago(240))
    item = only(waits=[wait], heads=[head])
    assert (item.concern, item.subject, item.since) == (Concern.QUEUE, Subject("queue", "low"), ago(240))
    assert item.words == "queue low: no living server serves it"


def test_approval_is_waited_for() -> None:
    item = only(waits=[Waits("a", "", 1, 9, ago(240), "approval")])
    assert (item.concern, item.verb) == (Concern.APPROVAL, "jobrunner approve 9")


def test_missed_starts() -> None:
    decisions = [
        Decision("a", ago(500), ago(400), 2, Why.MISSED, "no server ran", ago(90)),
        Decision("a", ago(900), ago(800), 3, Why.MISSED, "asleep", ago(790)),
    ]
    item = only(missed=decisions)
    assert (item.concern, item.words) == (Concern.MISSED, "missed 5 starts: no server ran")
    assert (item.since, item.count) == (ago(900), 5)


def test_runs_that_take_long() -> None:
    usual = Estimate(median=timedelta(seconds=50), p95=timedelta(seconds=100), basis=Basis.HISTORY, runs=20)
    run = a_run(state=RunState.RUNNING, started_at=ago(240), finished_at=None, run_after=ago(250))
    item = only(running=[at_work(run, usual, NOW)])
    assert (item.concern, item.words, item.since) == (Concern.SLOW, "running 2.4x its p95 (1m40s)", ago(140))
    few = Estimate(median=usual.median, p95=usual.p95, basis=Basis.HISTORY, runs=3)
    assert found(running=[at_work(run, few, NOW)]) == []
    promised = {"a": Sla(finish_within=timedelta(seconds=200))}
    overdue = only(running=[at_work(run, few, NOW)], slas=promised)
    assert (overdue.concern, overdue.since) == (Concern.OVERDUE, ago(50))
    assert overdue.words == "not finished within 3m20s; running for 4m"


def test_retrying() -> None:
    run = a_run(state=RunState.RETRYING, attempt=2, error="exit code 75", run_after=ago(-60))
    item = only(retrying=[run])
    assert (item.words, item.until) == ("attempt 2 of 3 failed: exit code 75", ago(-60))
    assert only(retrying=[run, a_run(id=8, state=RunState.RETRYING, run_after=ago(-90))]).count == 2


def test_servers() -> None:
    lost = a_server(id=2, name="old", state=ServerState.LOST, heartbeat_age=3600.0)
    assert only(servers=[a_server(), lost]).words == "server old on here was lost, and has not come back"
    assert found(servers=[a_server(), lost, a_server(id=3, name="old")]) == []
    silent = found(servers=[a_server(heartbeat_age=90.0)])
    assert [item.words for item in silent] == ["server web on here has been silent for 1m30s", "no server runs"]
    assert silent[0].since == ago(90)
    stalled = only(servers=[a_server(scheduler_age=99.0)])
    assert "stood still" in stalled.words
    assert "no living server fires them" in only(servers=[a_server(scheduler_age=None)]).words


def test_files() -> None:
    item = only(file_error="jobs.toml:3:1: unknown key")
    assert (item.concern, item.verb) == (Concern.FILE, "jobrunner check")
    refused = [a_server(config_error="jobs.toml:3:1: unknown key")]
    assert only(servers=refused).words == "server web goes on with an older file: jobs.toml:3:1: unknown key"
    assert len(found(servers=refused, file_error="jobs.toml:3:1: unknown key")) == 1
    differ = only(servers=[a_server(), a_server(id=2, name="two"), a_server(id=3, name="odd", config_hash="x")])
    assert (differ.concern, differ.subject) == (Concern.DIFFERS, Subject("server", "odd"))


def test_the_most_urgent_comes_first_and_then_what_is_new() -> None:
    pause = Pause(scope="job", name="p", who="ana", since=ago(9), until=None, reason="")
    dead = [Letters("old", 1, a_run(finished_at=ago(900))), Letters("new", 1, a_run(finished_at=ago(9)))]
    items = found(
        pauses=[pause],
        dead=dead,
        waits=[Waits("late", "default", 1, 9, ago(240))],
        store=[fault("disk", "full", "free some")],
        file_error="broken",
    )
    assert [item.concern for item in items] == [
        Concern.STORE,
        Concern.FILE,
        Concern.FAILED,
        Concern.FAILED,
        Concern.LATE,
        Concern.PAUSED,
    ]
    assert [item.subject.id for item in items[2:4]] == ["new", "old"]
