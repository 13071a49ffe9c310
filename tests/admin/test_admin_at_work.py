"""What is under way and what happened, as the dashboard asks for it, on both databases."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from samples import end, put, run_to, serve, start

from jobrunner.admin import Admin
from jobrunner.domain.decision import Decision, Why
from jobrunner.domain.event import Happened
from jobrunner.domain.pulse import Scheduling
from jobrunner.domain.run import Progress
from jobrunner.domain.state import RunState
from jobrunner.store import Database, decisions, servers
from jobrunner.store.runs import finish

Project = Callable[[str], Admin]
NOW = datetime.now(UTC)
JOBS = """
[jobs.a]
command = "true"
[jobs.b]
command = "true"
"""


def ago(seconds: float) -> datetime:
    return NOW - timedelta(seconds=seconds)


def measured(db: Database, server: int, job: str, seconds: float, times: int = 6) -> None:
    """A history of runs that took so long each."""
    for _ in range(times):
        claimed = start(db, put(db, job, created_at=ago(9000)), server, ago(8000))
        end(db, claimed, server, at=ago(8000 - seconds))


def test_the_pulse_of_an_empty_project(project: Project) -> None:
    pulse = project(JOBS).pulse()
    assert (pulse.running, pulse.queued, pulse.dead, pulse.failed, pulse.servers) == (0, 0, 0, 0, 0)
    assert pulse.scheduling is Scheduling.OK
    assert (pulse.paused, pulse.refused, pulse.differ, pulse.production) == (False, False, False, False)


def test_the_pulse_counts_and_says_what_is_wrong(project: Project, db: Database) -> None:
    admin = project(JOBS)
    one = serve(db, started_at=ago(5), workers=3, config_error="no jobs")
    serve(db, "two", started_at=ago(5), workers=2, config_hash="other")
    servers.heartbeat(db, one, now=ago(1), busy=2, ticked=ago(2))
    put(db, "a", created_at=ago(60))
    run_to(db, put(db, "a", created_at=ago(200_000)), one, RunState.FAILED, at=ago(199_000))
    run_to(db, put(db, "b", created_at=ago(90)), one, RunState.FAILED, at=ago(80))
    start(db, put(db, "b", created_at=ago(50)), one, ago(40))
    admin.pause("all", "", until=None, reason="disk")
    pulse = admin.pulse()
    assert (pulse.running, pulse.queued, pulse.dead, pulse.failed) == (1, 1, 2, 2)
    assert (pulse.busy, pulse.workers, pulse.servers) == (2, 5, 2)
    assert (pulse.refused, pulse.differ, pulse.paused) == (True, True, True)
    assert admin.pulse() == pulse


def test_failures_of_yesterday_are_counted_no_more(project: Project, db: Database) -> None:
    admin, server = project(JOBS), serve(db, started_at=NOW)
    for seconds in (200_000, 190_000, 100, 90):
        run_to(db, put(db, "a", created_at=ago(seconds)), server, RunState.FAILED, at=ago(seconds - 1))
    assert admin.pulse().failed == 2
    run_to(db, put(db, "a", created_at=ago(5)), server, RunState.FAILED, at=ago(1))
    assert admin.pulse().failed == 3


def test_running_runs_say_how_far_they_are(project: Project, db: Database) -> None:
    admin, server = project(JOBS), serve(db, started_at=NOW)
    measured(db, server, "a", 100)
    half = start(db, put(db, "a", created_at=ago(60)), server, ago(50))
    overlong = start(db, put(db, "a", created_at=ago(600)), server, ago(500))
    said = start(db, put(db, "b", created_at=ago(30)), server, ago(30))
    finish.report_progress(db, said.id, 1, server, Progress(done=30, total=40))
    slow, first, told = admin.running()
    assert [each.run.id for each in (slow, first, told)] == [overlong.id, half.id, said.id]
    assert (slow.slow, slow.ends) == (True, None)
    assert first.share == pytest.approx(0.5, abs=0.05)
    assert first.ends == half.started_at + timedelta(seconds=100)
    assert not first.slow
    assert told.share == 0.75
    assert told.usual is None
    assert told.ends is not None
    assert abs((told.ends - ago(30)).total_seconds() - 40) < 5


def test_a_server_has_what_it_runs(project: Project, db: Database) -> None:
    admin = project(JOBS)
    one, two = serve(db, "one", started_at=ago(9)), serve(db, "two", started_at=ago(9))
    run = start(db, put(db, "a", created_at=ago(5)), two, ago(4))
    shown = {each.server.id: [work.run.id for work in each.runs] for each in admin.servers_at_work()}
    assert shown == {one: [], two: [run.id]}


def test_a_server_that_nobody_has_heard_of_is_lost_also_where_no_other_is_there_to_note_it(
    project: Project, db: Database
) -> None:
    admin = project(JOBS)
    silent, heard = serve(db, "silent", started_at=ago(90)), serve(db, "heard", started_at=ago(90))
    servers.heartbeat(db, silent, now=ago(31), busy=0)
    servers.heartbeat(db, heard, now=ago(5), busy=0)
    assert [(each.name, each.state) for each in admin.servers()] == [("heard", "starting"), ("silent", "lost")]
    assert [(each.server.id, each.server.live) for each in admin.servers_at_work()] == [(heard, True), (silent, False)]


def test_the_line_of_a_queue(project: Project, db: Database) -> None:
    admin, server = project(JOBS), serve(db, started_at=ago(9), workers=1)
    servers.heartbeat(db, server, now=NOW, busy=0)
    measured(db, server, "a", 60)
    low = put(db, "a", created_at=ago(20))
    unknown = put(db, "b", created_at=ago(10))
    high = put(db, "a", created_at=ago(5), priority=9)
    last = put(db, "a", created_at=ago(4))
    put(db, "a", queue="low", created_at=ago(50))
    line = admin.line_of("default")
    assert [(each.run.id, each.position) for each in line] == [(high, 1), (low, 2), (unknown, 3), (last, 4)]
    first, second, third, nobody_knows = [each.starts for each in line]
    assert first is not None
    assert second is not None
    assert third is not None
    assert second - first == third - second == timedelta(seconds=60)
    assert nobody_knows is None


def test_batches_end_at_the_pace_so_far(project: Project, db: Database) -> None:
    from samples import new

    from jobrunner.store.runs import add

    admin, server = project(JOBS), serve(db, started_at=ago(9))
    number, ready = add.add_batch(db, new("a", created_at=ago(100)), "many", [("{}", None)] * 4, [])
    for each in ready[:2]:
        run_to(db, each.id, server, at=ago(1))
    (batch,) = admin.batches_at_work()
    assert (batch.batch.id, batch.done) == (number, 2)
    assert batch.ends is not None
    assert 90 < (batch.ends - NOW).total_seconds() < 130


def test_events_are_one_feed_newest_first(project: Project, db: Database) -> None:
    admin, server = project(JOBS), serve(db, "web", started_at=ago(500))
    failed = put(db, "a", created_at=ago(90))
    run_to(db, failed, server, RunState.FAILED, at=ago(80), error="exit code 3")
    missed = Decision("b", ago(70), ago(60), 3, Why.MISSED, "no server ran", ago(50))
    decisions.write(db, missed, 1, mark=None)
    admin.pause("job", "a", until=None, reason="disk")
    events = admin.events(10)
    assert [event.happened for event in events] == [
        Happened.ACTION,
        Happened.MISSED,
        Happened.FAILED,
        Happened.STARTED,
    ]
    assert [event.subject for event in events] == [("job", "a"), ("job", "b"), ("run", failed), ("server", "web")]
    assert events[0].words == "pause job a disk"
    assert events[1].words == "3 fires of b missed: no server ran"
    assert events[2].words == f"run {failed} of a failed: exit code 3"
    assert len({event.key for event in events}) == 4
    assert admin.events(2) == events[:2]


def test_decisions_lately(project: Project, db: Database) -> None:
    admin = project(JOBS)
    for number, (job, why) in enumerate([("a", Why.MISSED), ("a", Why.PAUSED), ("b", Why.SHADOW)]):
        at = ago(100 - 10 * number)
        decisions.write(db, Decision(job, at, at, 1, why, "", at), 1, mark=None)
    assert [each.why for each in admin.decisions()] == [Why.SHADOW, Why.PAUSED, Why.MISSED]
    assert [each.why for each in admin.decisions(limit=1)] == [Why.SHADOW]
    assert [each.why for each in admin.decisions("a")] == [Why.PAUSED, Why.MISSED]
    assert [each.why for each in admin.decisions(since=ago(91))] == [Why.SHADOW, Why.PAUSED]
    assert [each.job for each in admin.decisions(whys=(Why.MISSED, Why.SHADOW))] == ["b", "a"]


def test_a_day_counts_what_ends_between_looks(project: Project, db: Database) -> None:
    admin, server = project(JOBS), serve(db, started_at=NOW)
    old = start(db, put(db, "a", created_at=ago(100_000)), server, ago(99_000))
    failed = put(db, "a", created_at=ago(95))
    run_to(db, failed, server, RunState.FAILED, at=ago(80))
    queued = put(db, "b", created_at=ago(50))
    day = admin.day(4)
    assert (day.succeeded, day.failed, day.total, day.whole) == (0, 1, 1, True)
    run_to(db, queued, server, at=ago(1))
    end(db, old, server, at=ago(2))
    run_to(db, put(db, "b", created_at=ago(5)), server, RunState.FAILED, at=ago(1))
    day = admin.day(4)
    assert (day.succeeded, day.failed, sum(day.ok), sum(day.bad)) == (2, 2, 2, 2)
    admin.retry(failed)
    assert admin.day().failed == 1
    run_to(db, failed, server, at=ago(0))
    assert (admin.day().succeeded, admin.day().failed) == (3, 1)


def test_of_too_many_runs_the_newest_are_looked_at(
    project: Project, db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    from jobrunner.admin import statistics

    monkeypatch.setattr(statistics, "MOST", 5)
    admin, server = project(JOBS), serve(db, started_at=NOW)
    for number in range(9):
        run_to(db, put(db, "a", created_at=ago(900 - 10 * number)), server, at=ago(90 - number))
    day = admin.day()
    assert (day.succeeded, day.whole, day.since) == (5, False, ago(860))


def test_what_goes_into_queues_and_out(project: Project, db: Database) -> None:
    admin, server = project(JOBS), serve(db, started_at=NOW)
    old = put(db, "a", created_at=ago(9_000))
    for seconds in (1200, 200, 100):
        put(db, "a", created_at=ago(seconds))
    put(db, "b", queue="low", created_at=ago(50))
    for run_id in (old, old + 1, old + 2):
        start(db, run_id, server, ago(30))
    assert admin.flows() == {"default": (2 / 5, 3 / 5), "low": (1 / 5, 0)}
    assert admin.flows(timedelta(minutes=1)) == {"default": (0, 3), "low": (1, 0)}
