"""A window in columns: what fires, what became of what did, what load that is."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from jobrunner.domain.clock import to_micros
from jobrunner.domain.decision import Decision, Why
from jobrunner.domain.due import Due
from jobrunner.domain.job import Command, Job, ScheduleSpec
from jobrunner.domain.lanes import Fired, Slot, Window, coming, lane, load, marks
from jobrunner.domain.upcoming import Ahead

START = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)
HOUR = Window.of(START, START + timedelta(hours=1), 12)
LETTERS = {Slot.FAILED: "x", Slot.MISSED: "!", Slot.OK: "o", Slot.FIRE: "|", Slot.PAUSED: "=", Slot.NOTHING: "."}


def a_job(*schedules: str, zone: str = "UTC", name: str = "a") -> Job:
    specs = tuple(ScheduleSpec(text) for text in schedules)
    return Job(name=name, kind=Command(line="true"), folder="/", timezone=zone, definition="", schedules=specs)


def minute(n: float) -> datetime:
    return START + timedelta(minutes=n)


def text(now: float, **given: Any) -> str:
    values: dict[str, Any] = {"fires": {}, "runs": (), "decisions": ()}
    return "".join(LETTERS[cell.slot] for cell in lane(HOUR, to_micros(minute(now)), **(values | given)))


def test_columns_begin_where_the_one_before_ends() -> None:
    window = Window.of(START, START + timedelta(hours=1), 7)
    for column in range(7):
        assert window.column(window.border(column)) == column
        assert window.column(window.border(column + 1) - 1) == column


def test_coming_fires_are_counted_in_their_columns() -> None:
    now = to_micros(minute(0)) - 1
    assert coming(Due(a_job("*/15 * * * *")), HOUR, now) == {0: 1, 3: 1, 6: 1, 9: 1}
    assert coming(Due(a_job("* * * * *")), HOUR, now) == dict.fromkeys(range(12), 5)
    assert coming(Due(a_job("every 2s")), HOUR, now) == dict.fromkeys(range(12), 10)
    assert coming(Due(a_job("*/15 * * * *")), HOUR, to_micros(minute(15))) == {6: 1, 9: 1}
    assert coming(Due(a_job("0 9 * * *")), HOUR, now) == {}


def test_what_happened_stands_before_what_is_to_come() -> None:
    runs = [Fired(0, "succeeded", 3), Fired(2, "failed", 1), Fired(2, "succeeded", 2)]
    assert text(21, fires={4: 1, 8: 2}, runs=runs) == "o.x.|...|..."
    cells = lane(HOUR, to_micros(minute(21)), fires={2: 1}, runs=runs, decisions=())
    assert (cells[2].slot, cells[2].fires) == (Slot.FAILED, 4)


def test_decisions_cover_their_columns() -> None:
    missed = Decision("a", minute(-60), minute(14), 9, Why.MISSED, "", minute(15))
    paused = Decision("a", minute(22), minute(26), 5, Why.PAUSED, "", minute(26))
    assert text(30, decisions=[missed, paused], runs=[Fired(1, "succeeded", 1)]) == "!!!.==......"


def test_changes_of_the_clock() -> None:
    window = Window.of(datetime(2026, 3, 28, tzinfo=UTC), datetime(2026, 4, 1, tzinfo=UTC), 10)
    rules = Due(a_job("30 2 * * *", zone="Europe/Madrid")).schedules
    (mark,) = marks(window, rules, "UTC")
    assert (mark.at, mark.zone) == (datetime(2026, 3, 29, 1, tzinfo=UTC), "Europe/Madrid")
    assert "from 02:00 to 03:00" in mark.words
    assert marks(HOUR, rules, "Europe/Madrid") == ()


def test_the_load_of_all_jobs() -> None:
    jobs = [a_job("*/30 * * * *", name="a"), a_job("*/30 * * * *", name="b"), a_job("every 10m", name="c")]
    expected = load(Window.of(START, START + timedelta(hours=1), 2), Ahead(jobs, {}), {"a": 60, "c": 30}, 120)
    assert expected.starts == (5, 5)
    assert expected.busy == (0.15, 0.15)
    assert (expected.peak, expected.peak_at) == (3, START)


def test_the_peak_is_not_past() -> None:
    ahead = Ahead(
        [a_job("0,30 12 * * *", name="a"), a_job("0,30 12 * * *", name="b"), a_job("0 12 * * *", name="c")], {}
    )
    whole, rest, past = (load(HOUR, ahead, {}, 60, to_micros(minute(now))) for now in (-60, 20, 90))
    assert (whole.peak, whole.peak_at) == (past.peak, past.peak_at) == (3, START)
    assert (rest.peak, rest.peak_at) == (2, minute(30))
