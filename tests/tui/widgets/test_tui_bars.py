"""Numbers as lines of block characters, a run over time, and the schedule's lines."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from jobrunner.domain.run import Attempt, Run
from jobrunner.domain.state import Outcome, RunState, Trigger
from jobrunner.presentation.labels import RUN_STATES
from jobrunner.presentation.screen import Screen
from jobrunner.presentation.table import Cell
from jobrunner.tui.widgets import bars
from jobrunner.tui.widgets.scale import Scale
from jobrunner.tui.widgets.timeline import stages, timeline
from jobrunner.tui.widgets.track import Lane, load_line, marks_line, track

UNICODE, ASCII = Screen(terminal=True, colour=True), Screen(terminal=True, unicode=False)
NOON = datetime(2026, 11, 25, 12, tzinfo=UTC)
FAILED, DONE = RUN_STATES[RunState.FAILED], RUN_STATES[RunState.SUCCEEDED]


def text(cells: Sequence[Cell]) -> str:
    return "".join(cell.text for cell in cells)


def after(**lengths: float) -> datetime:
    return NOON + timedelta(**lengths)


def test_nothing_and_the_least_that_is_something_look_different() -> None:
    assert text(bars.spark([0, 1, 50, 100, None], UNICODE)) == "▁▂▅█ "
    assert text(bars.spark([0, 1, 50, 100, None], ASCII)) == "_.+# "
    assert text(bars.spark([0, 0], ASCII)) == "__"
    assert bars.spark([5, 0], ASCII, style="green") == (Cell("#", "green"), Cell("_", "dim"))


def test_more_values_than_columns_are_added_up() -> None:
    assert bars.spread([1, 2, 3, 4, 5], 2) == [3, 12]
    assert sum(bars.spread(list(range(97)), 10)) == sum(range(97))
    assert bars.spread([1, 2], 10) == [1, 2]


def test_what_failed_stands_below_what_succeeded() -> None:
    succeeded, failed = bars.outcomes([2, 0, 4], [0, 1, 0], 20, ASCII)
    assert (text(succeeded), text(failed)) == ("ok   +_#", "fail _#_")


@pytest.mark.parametrize(("done", "total", "unicode", "ascii_"), [
    (0, 10, "──────────   0%", "[        ]   0%"),
    (5, 10, "━━━━━─────  50%", "[####    ]  50%"),
    (12, 10, "━━━━━━━━━━ 100%", "[########] 100%"),
    (3, None, "3 done", "3 done"),
])  # fmt: skip
def test_progress_is_a_bar_and_words(done: float, total: float | None, unicode: str, ascii_: str) -> None:
    assert text(bars.progress(done, total, 15, UNICODE)) == unicode
    assert text(bars.progress(done, total, 15, ASCII)) == ascii_


def test_the_newest_runs_stand_at_the_right() -> None:
    labels = [DONE, FAILED, DONE]
    assert text(bars.dots(labels, 5, UNICODE)) == "  ●✗●"
    assert text(bars.dots(labels, 2, ASCII)) == "X*"
    assert bars.dots([DONE, DONE], 2, ASCII) == (Cell("**", "green"),)
    assert bars.dots([], 3, ASCII) == (Cell("   "),)


def run(*attempts: Attempt, **values: Any) -> Run:
    base = Run(
        id=1, job="a", state=RunState.RUNNING, attempt=len(attempts), max_attempts=3, queue="default", priority=0,
        trigger=Trigger.MANUAL, params={}, created_at=NOON, run_after=NOON, attempts=attempts,
    )  # fmt: skip
    return base._replace(**values)


def attempt(number: int, start: float, end: float | None = None, outcome: Outcome | None = None) -> Attempt:
    finished = None if end is None else after(seconds=end)
    return Attempt(
        number=number, server="web1", started_at=after(seconds=start), finished_at=finished, outcome=outcome,
        exit_code=3 if outcome is Outcome.FAILED else None,
    )  # fmt: skip


def test_a_run_waits_tries_and_pauses() -> None:
    shown = stages(run(attempt(1, 10, 40, Outcome.FAILED), attempt(2, 60)), after(seconds=100))
    assert [(stage.name, stage.words) for stage in shown] == [
        ("waited", ""),
        ("attempt 1", "failed exit 3"),
        ("pause", ""),
        ("attempt 2", "running"),
    ]
    lines = [text(line).rstrip() for line in timeline(shown, 70, ASCII, ZoneInfo("Europe/Paris"))]
    assert lines == [
        "           13:00:00                  13:01:40",
        "waited     ...                                  10.0s",
        "attempt 1     ###########                       30.0s  X failed exit 3",
        "pause                   .......                 20.0s",
        "attempt 2                      ##############   40.0s  > running",
    ]


def test_a_run_that_has_not_begun_and_one_that_never_did() -> None:
    waiting = run(state=RunState.QUEUED)
    assert [stage.name for stage in stages(waiting, after(seconds=5))] == ["queued"]
    ended = run(state=RunState.EXPIRED, finished_at=after(seconds=9))
    assert [(stage.name, stage.end) for stage in stages(ended, after(hours=1))] == [("waited", after(seconds=9))]
    assert timeline((), 80, ASCII, UTC) == []


@pytest.mark.parametrize("width", [20, 40, 80, 140])
def test_a_timeline_is_never_wider_than_it_may_be(width: int) -> None:
    shown = stages(run(attempt(1, 10, 40, Outcome.FAILED), attempt(2, 60)), after(days=3))
    lines = timeline(shown, width, UNICODE, UTC)
    assert all(len(text(line).rstrip()) <= max(width, 29 + width // 4) for line in lines)


def scale(columns: int = 12, **length: float) -> Scale:
    return Scale(NOON, after(**(length or {"hours": 1})), columns, UTC)


def test_instants_are_in_columns() -> None:
    hour = scale()
    assert [hour.column(after(minutes=minutes)) for minutes in (-1, 0, 4, 5, 59, 60)] == [None, 0, 0, 1, 11, None]


def test_round_times_stand_where_they_belong() -> None:
    assert scale(60).axis().split() == ["12:00", "12:10", "12:20", "12:30", "12:40", "12:50"]
    assert scale(60).axis().index("12:30") == 30
    assert scale(70, days=7).axis().split()[1:4:2] == ["26", "27"]
    paris = Scale(after(minutes=7), after(minutes=67), 60, ZoneInfo("Europe/Paris"))
    assert paris.axis().split()[0] == "13:10"


def test_a_lane_shows_what_was_what_is_and_how_often() -> None:
    lane = Lane(
        "a",
        fires=(after(minutes=30), after(minutes=40), after(minutes=41), *(after(minutes=50),) * 12),
        past=((after(minutes=1), DONE), (after(minutes=6), DONE), (after(minutes=7), FAILED)),
    )
    assert text(track(lane, scale(), after(minutes=20), ASCII)) == "*X..:.|.2.#."
    assert text(track(lane, scale(), after(minutes=20), UNICODE)) == "●✗··┊·│·2·#·"


def test_the_load_goes_on_until_it_changes() -> None:
    load = [(after(minutes=-5), 1.0), (after(minutes=20), 4.0), (after(minutes=21), 2.0), (after(minutes=40), 0.0)]
    assert text(load_line(load, scale(), ASCII)) == "----####" + "____"


def test_the_clock_change_is_marked() -> None:
    night = Scale(
        datetime(2026, 10, 24, 22, tzinfo=UTC), datetime(2026, 10, 25, 4, tzinfo=UTC), 24, ZoneInfo("Europe/Paris")
    )
    assert [(column, change) for column, change in night.clock_changes()] == [(11, timedelta(hours=-1))]
    marks = text(marks_line(night, datetime(2026, 10, 24, 23, tzinfo=UTC), ASCII))
    assert (marks.index("vnow"), marks.index("*-1h")) == (4, 11)
