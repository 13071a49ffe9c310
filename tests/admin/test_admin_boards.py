"""All jobs in order, some in detail, one whole, and the schedule ahead: as who watches sees them, on both databases."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from samples import end, put, run_to, serve, start

from jobrunner.admin import Admin
from jobrunner.domain.board import Order, Stand
from jobrunner.domain.decision import Decision, Why
from jobrunner.domain.lanes import Slot
from jobrunner.domain.state import RunState
from jobrunner.domain.version import Applied, Origin
from jobrunner.errors import NotFound, UsageError
from jobrunner.store import Database, decisions, servers, versions
from jobrunner.store.versions import Content

Project = Callable[[str], Admin]
NOW = datetime.now(UTC)
# The hour of a fire that comes after those of all others, at whatever time of day these tests run.
FAR = (NOW.astimezone() + timedelta(hours=12)).hour
JOBS = f"""
[jobs.calm]
command = "true"
[jobs.broken]
command = "true"
schedule = "0 {FAR} * * *"
tags = ["etl"]
description = "Breaks"
[jobs.missing]
command = "true"
[jobs.held]
command = "true"
schedule = "*/5 * * * *"
[jobs.at-work]
command = "true"
after = ["broken"]
env = {{ PASSWORD = "hunter2" }}
[jobs.off]
command = "true"
schedule = "@hourly"
enabled = false
"""


def ago(seconds: float) -> datetime:
    return NOW - timedelta(seconds=seconds)


def read(admin: Admin) -> None:
    """Has the file read, and the coming fires reckoned."""
    for _ in range(2):
        known = threading.Event()
        admin.when_ready(known.set)
        if admin.upcoming().reading:
            assert known.wait(20)
    assert not admin.upcoming().reading


def living(db: Database) -> int:
    server = serve(db, "web", started_at=ago(5), workers=9)
    servers.heartbeat(db, server, now=NOW, busy=1, ticked=NOW)
    return server


def stands(admin: Admin) -> list[tuple[str, Stand, int | None]]:
    return [tuple(line) for line in admin.board().lines]  # type: ignore[misc]


def test_jobs_stand_in_the_order_of_attention(project: Project, db: Database) -> None:
    admin, server = project(JOBS), living(db)
    read(admin)
    dead = put(db, "broken", created_at=ago(90))
    run_to(db, dead, server, RunState.FAILED, at=ago(80))
    working = start(db, put(db, "at-work", created_at=ago(9)), server, ago(8))
    decisions.write(db, Decision("missing", ago(90), ago(90), 1, Why.MISSED, "", ago(80)), 1, mark=None)
    admin.pause("job", "held")
    assert stands(admin) == [
        ("broken", Stand.FAILED, dead),
        ("missing", Stand.LATE, None),
        ("held", Stand.PAUSED, None),
        ("at-work", Stand.RUNNING, working.id),
        ("calm", Stand.CALM, None),
        ("off", Stand.OFF, None),
    ]
    board = admin.board()
    assert (board.counts, board.reading) == ((1, 1, 0, 1, 1, 1, 1), False)
    admin.discard(dead)
    end(db, working, server, at=ago(1))
    assert [line[0] for line in stands(admin)] == ["missing", "held", "at-work", "broken", "calm", "off"]


def test_other_orders(project: Project, db: Database) -> None:
    admin, server = project(JOBS), living(db)
    read(admin)

    def names(order: Order, **options: bool) -> list[str]:
        return [line.name for line in admin.board(order, **options).lines]

    assert names(Order.NAME) == ["at-work", "broken", "calm", "held", "missing", "off"]
    assert names(Order.NAME, reverse=True)[0] == "off"
    assert names(Order.NEXT)[:2] == ["held", "broken"]
    for job, took, state in (("calm", 50, RunState.SUCCEEDED), ("held", 5, RunState.FAILED)):
        claimed = start(db, put(db, job, created_at=ago(200)), server, ago(100))
        end(db, claimed, server, state, at=ago(100 - took))
    assert names(Order.LAST)[:2] == ["held", "calm"]
    assert names(Order.DURATION)[:2] == ["calm", "held"]
    assert names(Order.OK)[:2] == ["held", "calm"]
    claimed = start(db, put(db, "calm", created_at=ago(90)), server, ago(80))
    assert names(Order.LAST)[:2] == ["calm", "held"]
    assert names(Order.OK)[:2] == ["held", "calm"]
    end(db, claimed, server, RunState.FAILED, at=ago(79))
    run_to(db, put(db, "held", created_at=ago(9)), server, at=ago(1))
    run_to(db, put(db, "held", created_at=ago(8)), server, at=ago(1))
    assert names(Order.OK)[:2] == ["calm", "held"]
    assert names(Order.DURATION)[0] != "calm"


def test_rows_say_how_the_last_runs_went_and_follow_them(project: Project, db: Database) -> None:
    admin, server = project(JOBS), living(db)
    read(admin)
    for state in (RunState.SUCCEEDED, RunState.FAILED, RunState.SUCCEEDED, RunState.SUCCEEDED):
        claimed = start(db, put(db, "broken", created_at=ago(200)), server, ago(100))
        end(db, claimed, server, state, at=ago(60))
    row, off = admin.board_rows(["broken", "off"])
    assert (row.description, row.schedule, row.tags, row.queue) == ("Breaks", f"0 {FAR} * * *", ("etl",), "default")
    assert row.outcomes == (RunState.SUCCEEDED, RunState.FAILED, RunState.SUCCEEDED, RunState.SUCCEEDED)
    assert (row.ok, row.p50, row.p95) == (0.75, timedelta(seconds=40), timedelta(seconds=40))
    assert row.last is not None
    assert row.last.took == timedelta(seconds=40)
    assert row.next_fire is not None
    assert (off.enabled, off.next_fire, off.last, off.ok) == (False, None, None, None)
    assert admin.board_rows(["broken"]) == (row,)
    claimed = start(db, put(db, "broken", created_at=ago(9)), server, ago(8))
    (row,) = admin.board_rows(["broken"])
    assert row.outcomes[-1] is RunState.RUNNING
    end(db, claimed, server, RunState.FAILED, at=ago(1))
    (row,) = admin.board_rows(["broken"])
    assert (row.outcomes[-1], row.ok) == (RunState.FAILED, 0.6)
    admin.pause("job", "broken", reason="disk")
    (row,) = admin.board_rows(["broken"])
    assert row.pause is not None
    assert row.next_fire is None


def test_until_the_file_has_been_read_jobs_are_those_in_force(
    project: Project, db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    from jobrunner.admin import jobs

    admin = project(JOBS)
    monkeypatch.setattr(jobs, "_PUT_OFF_SECONDS", 3600)
    admin.put_off()
    text = admin._context.jobs.one("broken").definition
    by = Applied("ana", "here", "web", Origin.START)
    versions.apply(db, {"broken": Content(text), "gone-soon": Content("{}")}, by, ago(50))
    board = admin.board()
    assert ([line.name for line in board.lines], board.reading) == (["broken", "gone-soon"], True)
    known, unknown = admin.board_rows(["broken", "gone-soon"])
    assert (known.known, known.schedule, unknown.known) == (True, f"0 {FAR} * * *", False)
    assert admin.upcoming() == ((), True)
    facts = admin.job_facts("broken")
    assert (facts.in_file, facts.versions) == (True, 1)
    known = threading.Event()
    admin.when_ready(known.set)
    admin.go_on()
    assert known.wait(20)
    assert not admin.board().reading


def test_one_job_whole(project: Project, db: Database) -> None:
    admin, server = project(JOBS), living(db)
    read(admin)
    for took in (10, 20, 30):
        claimed = start(db, put(db, "broken", created_at=ago(200)), server, ago(100))
        end(db, claimed, server, at=ago(100 - took))
    decisions.write(db, Decision("broken", ago(90), ago(90), 1, Why.MISSED, "", ago(80)), 1, mark=None)
    facts = admin.job_facts("broken")
    assert [length.total_seconds() for length in facts.durations] == [10, 20, 30]
    assert facts.usual is not None
    assert facts.usual.median == timedelta(seconds=20)
    assert [run.id for run in facts.runs] == [3, 2, 1]
    assert [each.why for each in facts.decisions] == [Why.MISSED]
    assert (facts.parents, facts.children) == ((), ("at-work",))
    (schedule,) = facts.schedules
    assert (schedule.words, schedule.zone) == (f"At {FAR:02}:00", "UTC")
    assert len(facts.fires) == 5
    assert all(fire.at.hour == FAR and fire.mark == "" for fire in facts.fires)
    assert dict(facts.definition)["description"] == "Breaks"
    child = admin.job_facts("at-work")
    assert child.parents == ("broken",)
    assert "hunter2" not in str(child.definition)
    with pytest.raises(NotFound):
        admin.job_facts("brokn")


def test_fires_say_which_change_of_the_clock_lies_before_them(project: Project, tmp_path: Path) -> None:
    admin = project('[jobs.a]\ncommand = "true"\nschedule = { cron = "0 12 1 */6 *", timezone = "Europe/Madrid" }\n')
    read(admin)
    marks = [fire.mark for fire in admin.job_facts("a").fires]
    assert "clocks go forward 60 min" in marks
    assert "clocks go back 60 min" in marks


def test_a_job_that_left_the_file(project: Project, db: Database) -> None:
    admin, server = project(JOBS), living(db)
    read(admin)
    run_to(db, put(db, "gone", created_at=ago(9)), server, at=ago(1))
    facts = admin.job_facts("gone")
    assert (facts.in_file, len(facts.runs), facts.fires, facts.row.known) == (False, 1, (), False)


def test_what_comes_next(project: Project, db: Database) -> None:
    admin = project(JOBS)
    read(admin)
    (first,) = admin.upcoming(1).fires
    assert first.jobs[0] == "held"
    admin.pause("job", "held")
    (first,) = admin.upcoming(1).fires
    assert (first.jobs, first.at.hour) == (("broken",), FAR)


def test_lanes_show_the_past_and_what_is_to_come(project: Project, db: Database) -> None:
    admin, server = project(JOBS), living(db)
    read(admin)
    begin = NOW.replace(second=0, microsecond=0) - timedelta(minutes=60)
    for minute, state in ((2, RunState.SUCCEEDED), (12, RunState.FAILED), (14, RunState.SUCCEEDED)):
        fire = begin + timedelta(minutes=minute)
        claimed = start(db, put(db, "held", created_at=fire, fire_time=fire), server, fire)
        end(db, claimed, server, state, at=fire + timedelta(seconds=5))
    at = begin + timedelta(minutes=25)
    decisions.write(db, Decision("held", at, at, 1, Why.MISSED, "", at), 1, mark=None)
    active = begin + timedelta(minutes=32)
    start(db, put(db, "held", created_at=active, fire_time=active), server, active)
    known = threading.Event()
    admin.when_ready(known.set)
    lanes = admin.lanes(begin, timedelta(hours=2), 12, ["held", "off"])
    held, off = lanes.lanes
    assert [cell.slot for cell in held.cells[:6]] == [
        Slot.OK,
        Slot.FAILED,
        Slot.MISSED,
        Slot.ACTIVE,
        Slot.NOTHING,
        Slot.NOTHING,
    ]
    assert [cell.fires for cell in held.cells[:2]] == [1, 2]
    assert {cell.slot for cell in held.cells[7:]} == {Slot.FIRE}
    assert {cell.slot for cell in off.cells} == {Slot.NOTHING}
    assert (lanes.now, len(lanes.missed), lanes.reading) == (6, 1, False)
    assert known.wait(20)
    expected = admin.lanes(begin, timedelta(hours=2), 12, ["held"]).load
    assert expected is not None
    assert min(expected.starts) == 2
    admin.pause("job", "held")
    (held,) = admin.lanes(begin, timedelta(hours=2), 12, ["held"]).lanes
    assert Slot.FIRE not in {cell.slot for cell in held.cells}
    assert held.next is None


def test_windows_that_are_none(project: Project) -> None:
    admin = project(JOBS)
    for length, columns in ((timedelta(0), 5), (timedelta(hours=1), 0), (timedelta(days=9_999), 5)):
        with pytest.raises(UsageError):
            admin.lanes(NOW, length, columns, [])


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("state:failed", ["broken", "calm"]),
        ("state:late,paused", ["missing", "held"]),
        ("state:running", ["at-work"]),
        ("state:disabled", ["off"]),
        ("!state:failed,late,paused,disabled", ["at-work"]),
        ("tag:etl", ["broken"]),
        ("breaks", ["broken"]),
        ("job:*l* kind:command", ["held", "calm"]),
        ("queue:low", []),
    ],
)
def test_jobs_that_a_filter_asks_for(project: Project, db: Database, text: str, found: list[str]) -> None:
    admin, server = project(JOBS), living(db)
    read(admin)
    run_to(db, put(db, "broken", created_at=ago(90)), server, RunState.FAILED, at=ago(80))
    put(db, "broken", created_at=ago(70), run_after=ago(-70))
    undone = put(db, "calm", created_at=ago(90))
    run_to(db, undone, server, RunState.FAILED, at=ago(80))
    admin.discard(undone)
    start(db, put(db, "at-work", created_at=ago(9)), server, ago(8))
    decisions.write(db, Decision("missing", ago(90), ago(90), 1, Why.MISSED, "", ago(80)), 1, mark=None)
    admin.pause("job", "held")
    board = admin.board(terms=admin.terms(text, jobs=True))
    assert [line.name for line in board.lines] == found
    assert sum(board.counts) == 6


def test_names_for_filters(project: Project, db: Database) -> None:
    admin = project(JOBS)
    read(admin)
    names = admin.names_at_hand()
    assert (len(names.jobs), names.tags) == (6, ("etl",))
    assert admin.board().problem == ""


def test_a_file_that_cannot_be_used_is_told(project: Project, db: Database) -> None:
    admin = project("[jobs.one]\ncommand = 1\n")
    known = threading.Event()
    admin.when_ready(known.set)
    admin.board()
    assert known.wait(20)
    assert admin.board().problem.startswith("jobs.toml:")
    assert "command" in admin.board().problem


def test_decisions_that_a_filter_asks_for(project: Project, db: Database) -> None:
    admin = project(JOBS)
    for number, (job, why) in enumerate((("calm", Why.MISSED), ("calm", Why.PAUSED), ("held", Why.MISSED))):
        at = ago(1000 - number)
        decisions.write(db, Decision(job, at, at, 1, why, "", at), number + 1, mark=None)

    def found(text: str) -> list[tuple[str, Why]]:
        return [(each.job, each.why) for each in admin.decisions_like(admin.decision_terms(text))]

    assert found("") == [("held", Why.MISSED), ("calm", Why.PAUSED), ("calm", Why.MISSED)]
    assert found("state:missed") == [("held", Why.MISSED), ("calm", Why.MISSED)]
    assert found("job:calm !state:missed") == [("calm", Why.PAUSED)]
    assert found("since:1s") == []


def test_the_fires_around_an_instant(project: Project) -> None:
    admin, at = (
        project(JOBS.replace(f'"0 {FAR} * * *"', '{ cron = "0 3 * * *", timezone = "UTC" }')),
        datetime(2026, 5, 4, 3, tzinfo=UTC),
    )
    day = timedelta(days=1)
    assert admin.fires_around("broken", at) == (at - day, at + day)
    assert admin.fires_around("broken", at + timedelta(hours=1)) == (at, at + day)
    assert admin.fires_around("calm", at) == (None, None)
    with pytest.raises(NotFound):
        admin.fires_around("nothing", at)
    assert admin.scheduled() in (None, frozenset({"broken", "held", "off"}))


def test_the_file_that_was_read_for_who_watches_is_not_read_again(project: Project) -> None:
    admin = project(JOBS)
    read(admin)
    jobs = admin._context.jobs
    assert jobs.all() is admin._context.memory.file().whole
    assert jobs.named("calm") is jobs.all().jobs["calm"]
