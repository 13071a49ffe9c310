"""A window of time in columns: what fires in each, and what became of what did. Pure; called by admin.

Instants inside are microseconds since the epoch.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from enum import StrEnum
from itertools import islice
from typing import NamedTuple

from jobrunner.domain.clock import from_micros, to_micros
from jobrunner.domain.decision import Decision, Why
from jobrunner.domain.due import Due
from jobrunner.domain.schedule import CronRule, IntervalRule, Schedule
from jobrunner.domain.traps import clock_remark
from jobrunner.domain.upcoming import Ahead
from jobrunner.domain.zone import timeline

FEW = 10
"""Up to how many coming fires of a job are counted in a column: so many mean so many or more."""

_SECOND = 1_000_000
_MINUTE = 60 * _SECOND
_MOST_STEPS = 400_000


class Slot(StrEnum):
    """What a column of a lane holds; of several things the first of these."""

    FAILED = "failed"
    MISSED = "missed"
    EXPIRED = "expired"
    ACTIVE = "active"
    CANCELLED = "cancelled"
    SKIPPED = "skipped"
    PAUSED = "paused"
    BLACKOUT = "blackout"
    DISABLED = "disabled"
    NOT_UNIQUE = "not unique"
    SHADOW = "shadow"
    OK = "ok"
    FIRE = "fire"
    NOTHING = ""


_RANK = {slot: place for place, slot in enumerate(Slot)}
_RUNS = {
    "failed": Slot.FAILED,
    "expired": Slot.EXPIRED,
    "cancelled": Slot.CANCELLED,
    "skipped": Slot.SKIPPED,
    "succeeded": Slot.OK,
}
_WHYS = {
    Why.MISSED: Slot.MISSED,
    Why.PAUSED: Slot.PAUSED,
    Why.BLACKOUT: Slot.BLACKOUT,
    Why.DISABLED: Slot.DISABLED,
    Why.NOT_UNIQUE: Slot.NOT_UNIQUE,
    Why.SHADOW: Slot.SHADOW,
}


class Cell(NamedTuple):
    """One column of a lane: what stands out in it, and how many fires there are (of coming ones at most ``FEW``)."""

    slot: Slot
    fires: int


class Lane(NamedTuple):
    """A job with a cell for each column. ``next`` is its next fire, None without any, or while paused or disabled."""

    name: str
    cells: tuple[Cell, ...]
    next: datetime | None


class ClockMark(NamedTuple):
    """A change of a zone's clock within the window, and what it means for a schedule in it, empty where nothing."""

    at: datetime
    zone: str
    words: str


class Load(NamedTuple):
    """What is expected of the window: ``starts`` of all jobs in each column, ``busy`` attempts running on average.

    ``peak`` is the most starts within one minute that is not past, first at ``peak_at``. What would wait for a worker
    is not reckoned.
    """

    starts: tuple[int, ...]
    busy: tuple[float, ...]
    peak: int
    peak_at: datetime | None


class Lanes(NamedTuple):
    """Jobs over a window. ``now`` is the column of the present, None where it lies outside.

    ``load`` is None while it is reckoned. ``missed`` are the decisions of the window about missed fires of any job.
    ``reading``: the file is still being read, and no coming fires are known.
    """

    start: datetime
    end: datetime
    columns: int
    now: int | None
    lanes: tuple[Lane, ...]
    marks: tuple[ClockMark, ...]
    load: Load | None
    missed: tuple[Decision, ...]
    reading: bool


class Window(NamedTuple):
    """A window in columns."""

    start: int
    end: int
    columns: int

    @classmethod
    def of(cls, start: datetime, end: datetime, columns: int) -> Window:
        """The window between two instants."""
        return cls(to_micros(start), to_micros(end), columns)

    def border(self, column: int) -> int:
        """Where a column begins."""
        return self.start + (self.end - self.start) * column // self.columns

    def column(self, at: int) -> int:
        """The column of an instant, inside or not."""
        column = (at - self.start) * self.columns // (self.end - self.start)
        return column + 1 if at >= self.border(column + 1) else column


class Fired(NamedTuple):
    """Runs of a job by their fire times: how many in a column, all of them or those in one state."""

    column: int
    state: str
    runs: int


def coming(due: Due, window: Window, now: int) -> dict[int, int]:
    """How many fires of a job there will be in each column that has any, up to ``FEW``."""
    found = dict[int, int]()
    at = due.next_after(max(now, window.start - 1))
    while at is not None and at < window.end:
        column = window.column(at)
        end = window.border(column + 1)
        found[column] = sum(1 for _ in islice(due.fires(at - 1, end - 1), FEW))
        at = due.next_after(end - 1)
    return found


def lane(
    window: Window,
    now: int,
    *,
    fires: Mapping[int, int],
    runs: Iterable[Fired],
    decisions: Iterable[Decision],
) -> tuple[Cell, ...]:
    """The cells of a job: ``runs`` and ``decisions`` of the past, ``fires`` that are to come."""
    found = dict[int, Cell]()
    for column, count in fires.items():
        found[column] = Cell(Slot.FIRE, count)
    for column, state, count in runs:
        _note(found, column, _RUNS.get(state, Slot.ACTIVE), count)
    for decision in decisions:
        first = max(window.column(max(to_micros(decision.first_fire), window.start)), 0)
        last = min(window.column(min(to_micros(decision.last_fire), window.end - 1, now)), window.columns - 1)
        for column in range(first, last + 1):
            _note(found, column, _WHYS[decision.why], 0)
    nothing = Cell(Slot.NOTHING, 0)
    return tuple(found.get(column, nothing) for column in range(window.columns))


def _note(found: dict[int, Cell], column: int, slot: Slot, count: int) -> None:
    known = found.get(column)
    if known is None:
        found[column] = Cell(slot, max(count, 1))
    else:
        first = min(known.slot, slot, key=lambda each: _RANK[each])
        found[column] = Cell(first, known.fires + count)


def marks(window: Window, schedules: Iterable[Schedule], zone: str) -> tuple[ClockMark, ...]:
    """The changes of the clock within a window, of the zones of these schedules and of one more."""
    found = dict[tuple[int, str], str]()
    for name, rule in [(zone, None), *((each.zone, each.rule) for each in schedules)]:
        for change in timeline(name).changes(window.start // _SECOND, window.end // _SECOND):
            words = clock_remark(rule, change) if isinstance(rule, CronRule) else None
            found[change.start, name] = found.get((change.start, name)) or words or ""
    return tuple(ClockMark(from_micros(at * _SECOND), name, words) for (at, name), words in sorted(found.items()))


def load(window: Window, ahead: Ahead, lengths: Mapping[str, float], guess: float, now: int = 0) -> Load:
    """What all jobs together will start; ``lengths`` has how many seconds their runs take, else ``guess``.

    The peak is from ``now`` on where that lies within the window.
    """
    starts, busy = [0] * window.columns, [0.0] * window.columns
    minutes, steps = dict[int, int](), 0
    for schedule, names in ahead.schedules():
        work = sum(lengths.get(name, guess) for name in names)
        for at in _walk(schedule, window):
            steps += 1
            if steps > _MOST_STEPS:
                break
            column = window.column(at)
            starts[column] += len(names)
            busy[column] += work
            minutes[at // _MINUTE] = minutes.get(at // _MINUTE, 0) + len(names)
    width = (window.end - window.start) / window.columns / _SECOND
    since = now // _MINUTE if window.start <= now < window.end else 0
    minutes = {minute: count for minute, count in minutes.items() if minute >= since}
    peak = max(minutes.values(), default=0)
    peak_at = min((minute for minute, count in minutes.items() if count == peak), default=None)
    return Load(
        starts=tuple(starts),
        busy=tuple(round(seconds / width, 2) for seconds in busy),
        peak=peak,
        peak_at=from_micros(peak_at * _MINUTE) if peak_at is not None else None,
    )


def _walk(schedule: Schedule, window: Window) -> Iterable[int]:
    last = min(window.end - 1, schedule.last)
    at = schedule.rule.next_after(max(window.start, schedule.first) - 1)
    if isinstance(schedule.rule, IntervalRule) and at is not None:
        return range(at, last + 1, schedule.rule.step)
    return _steps(schedule, at, last)


def _steps(schedule: Schedule, at: int | None, last: int) -> Iterable[int]:
    while at is not None and at <= last:
        yield at
        at = schedule.rule.next_after(at)
