"""What the store says of fire times afterwards, and of the line before a queued run, on both databases."""

from __future__ import annotations

from datetime import timedelta

import pytest
from samples import NOW, later, put, serve, start

from jobrunner.domain.clock import to_micros
from jobrunner.domain.decision import Decision, Why
from jobrunner.domain.queue import Pause
from jobrunner.domain.server import ServerState
from jobrunner.domain.state import RunState, Trigger
from jobrunner.domain.verification import Decided, Fired
from jobrunner.domain.version import Applied, Origin
from jobrunner.store import Database, audit, decisions, fires, line, pauses, schedules, servers, versions
from jobrunner.store.runs import read
from jobrunner.store.versions import Content

SILENCE = timedelta(seconds=30)
START, END = to_micros(NOW), to_micros(later(1000))


def micros(seconds: float) -> int:
    return to_micros(later(seconds))


def decide(db: Database, first: float, last: float, fires: int = 2, job: str = "job") -> None:
    decision = Decision(job, later(first), later(last), fires, Why.PAUSED, "by ana", later(last))
    decisions.write(db, decision, 1, mark=None)


def test_runs_by_fire_time(db: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fires, "_PAGE", 3)
    for second in (9, 1, 5, 3, 7, 8, 2):
        put(db, fire_time=later(second), trigger=Trigger.SCHEDULE)
    put(db, "other", fire_time=later(4))
    put(db)
    found = list(fires.runs(db, "job", micros(1), micros(8)))
    assert found == [Fired(micros(second), "queued", "schedule") for second in (2, 3, 5, 7, 8)]


def test_decisions_by_fire_time(db: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fires, "_PAGE", 2)
    for first in range(0, 60, 10):
        decide(db, first, first + 5)
    decide(db, 11, 12, job="other")
    found = list(fires.decided(db, "job", micros(13), micros(40)))
    assert found == [Decided(micros(first), micros(first + 5), "paused", 2) for first in (10, 20, 30, 40)]
    assert [span.first for span in fires.decided(db, "job", micros(15), micros(40))] == [
        micros(first) for first in (20, 30, 40)
    ]


def test_what_has_an_answer(db: Database) -> None:
    assert (fires.jobs(db), fires.last_answered(db, "job", NOW), fires.run_at(db, "job", NOW)) == ([], None, None)
    run = put(db, fire_time=later(5))
    put(db, "by hand")
    decide(db, 1, 2, job="another")
    assert fires.jobs(db) == ["another", "job"]
    assert (fires.run_at(db, "job", later(5)), fires.run_at(db, "job", later(6))) == (run, None)
    assert fires.last_answered(db, "job", later(9)) == later(5)
    assert fires.last_answered(db, "job", later(4)) is None
    decide(db, 6, 20)
    assert fires.last_answered(db, "job", later(9)) == later(9)
    assert fires.last_answered(db, "job", later(99)) == later(20)


def test_how_far_schedules_were_attended_to(db: Database) -> None:
    schedules.apply(db, {"a": 1, "b": 2}, NOW)
    schedules.apply(db, {"a": 3, "b": 2}, later(9), held=(1, 2))
    assert fires.attended(db) == {"a": micros(9), "b": START}
    assert (fires.attended_of(db, "a"), fires.attended_of(db, "c")) == (micros(9), None)


def test_since_when_definitions_are_known(db: Database) -> None:
    assert fires.known_since(db) is None
    by = Applied("ana", "here", "web1", Origin.START)
    versions.apply(db, {"a": Content("{}")}, by, later(5))
    versions.apply(db, {"a": Content("[]")}, by, later(9))
    assert fires.known_since(db) == later(5)


def test_when_some_server_fired_schedules(db: Database) -> None:
    def ran(start_at: float, end_at: float, *, scheduler: bool = True, state: ServerState | None = None) -> None:
        server = serve(db, f"s{start_at}", started_at=later(start_at))
        ticked = later(end_at) if scheduler else None
        servers.heartbeat(db, server, busy=0, now=later(end_at), ticked=ticked)
        if state is not None:
            servers.set_state(db, server, state, later(end_at + 50))

    def times(now: float) -> list[tuple[int, int]]:
        return fires.served(db, later(now), SILENCE)

    assert (times(0), fires.serving_since(db, NOW, SILENCE)) == ([], None)
    ran(0, 100, state=ServerState.STOPPED)
    ran(50, 200, state=ServerState.LOST)
    ran(60, 900, scheduler=False)
    ran(300, 400)
    assert times(410) == [(START, micros(200)), (micros(300), micros(410))]
    assert fires.serving_since(db, later(410), SILENCE) == micros(300)
    assert times(500) == [(START, micros(200)), (micros(300), micros(400))]
    assert fires.serving_since(db, later(500), SILENCE) is None


def test_the_line_before_a_run(db: Database) -> None:
    one = serve(db, "one", workers=2, queues=("high", "closed", "default"))
    serve(db, "two", workers=3, queues=("high", "closed", "default", "low"))
    serve(db, "elsewhere", workers=9, queues=("low",))
    draining = serve(db, "ending", workers=9, queues=("default",))
    servers.set_state(db, draining, ServerState.DRAINING, NOW)
    start(db, put(db, "etl"), one)
    put(db, "mail", queue="high")
    put(db, "mail", queue="low")
    pauses.pause(db, Pause(scope="queue", name="closed", who="ana", since=NOW, until=None, reason=""))
    put(db, "mail", queue="closed")
    put(db, "etl", priority=5)
    put(db, "etl", run_after=later(-9))
    put(db, "etl")
    run = put(db, "mail")
    put(db, "etl")
    put(db, "etl", priority=-1)
    living = [server for server in servers.find(db, NOW) if server.live]
    found = line.line(db, line.Place("default", 0, NOW, run), living)
    assert (found.workers, [(busy.id, busy.job) for busy in found.busy]) == (5, [(1, "etl")])
    assert found.ahead == {"etl": 3, "mail": 1}
    assert (found.before, found.higher, found.other_queues) == (4, 1, 1)
    behind = line.line(db, line.Place("default", 0, later(99)), living)
    assert behind.ahead == {"etl": 4, "mail": 2}
    assert line.line(db, line.Place("nowhere", 0, NOW), living) == (0, (), {}, 0, 0)


def test_terms(db: Database) -> None:
    parent = put(db)
    child = put(db, parents=(parent,), expires=timedelta(seconds=9))
    assert (line.terms(db, parent), line.terms(db, child), line.terms(db, 99)) == (
        (None, None),
        ("success", 9_000_000),
        (None, None),
    )


def test_some_runs_and_active_ones(db: Database) -> None:
    ids = [put(db) for _ in range(4)]
    put(db, "other")
    start(db, ids[1], serve(db))
    db.execute("UPDATE runs SET state = 'succeeded' WHERE id = ?", (ids[0],))
    assert [run.id for run in read.some(db, [ids[2], 99, ids[0]])] == [ids[0], ids[2]]
    assert [(run.id, run.state) for run in read.active(db, "job")] == [
        (ids[1], RunState.RUNNING),
        (ids[2], RunState.QUEUED),
        (ids[3], RunState.QUEUED),
    ]
    assert [run.id for run in read.active(db, "job", limit=1)] == [ids[1]]


def test_what_people_did(db: Database) -> None:
    def note(second: float, action: str, target: str, outcome: str = "done") -> None:
        audit.record(
            db, at=later(second), who="ana", host="h", action=action, target=target, detail="", outcome=outcome
        )

    note(1, "trigger", "run 7")
    note(2, "cancel", "run 7", "run 7 has already succeeded")
    note(3, "cancel", "batch b1")
    note(4, "retry", "run 7")
    note(5, "cancel", "run 8")
    found = audit.steered(db, ["run 7", "batch b1"])
    assert [(entry.action, entry.target) for entry in found] == [("retry", "run 7"), ("cancel", "batch b1")]
