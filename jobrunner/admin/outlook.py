"""What is to come: the next fires of all jobs, and windows of time with what fires and fired in them.

What it needs is imported when it is asked for: a trigger pays for none of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, NamedTuple

from jobrunner.admin.context import Context
from jobrunner.domain.clock import from_micros, to_micros

if TYPE_CHECKING:
    from jobrunner.domain.decision import Decision
    from jobrunner.domain.job import Job
    from jobrunner.domain.lanes import Cell, Lane, Lanes, Window
    from jobrunner.domain.queue import Pause
    from jobrunner.domain.upcoming import Upcoming

_MOST_MISSED = 100


class Ahead(NamedTuple):
    """The next instants at which jobs fire. ``reading``: the file is being read, and more is known soon."""

    fires: tuple[Upcoming, ...]
    reading: bool


class Outlook:
    """The verbs of who looks at the schedule."""

    _context: Context

    def upcoming(self, n: int = 10) -> Ahead:
        """The next ``n`` instants at which jobs fire, with the names of some; what is paused is left out."""
        from jobrunner.store import pauses

        context = self._context
        known = context.memory.ahead()
        if known.value is None:
            return Ahead((), reading=True)
        held = pauses.everything(context.db)
        with known.value.lock:
            return Ahead(known.value.ahead.next(context.clock.now(), n, held), reading=not known.current)

    def scheduled(self) -> frozenset[str] | None:
        """The jobs of the file that have a schedule; None while it is being read for the first time."""
        whole = self._context.memory.file().whole
        if whole is None:
            return None
        return frozenset(name for name, job in whole.jobs.items() if job.schedules)

    def lanes(self, start: datetime, length: timedelta, columns: int, names: Sequence[str]) -> Lanes:
        """A window from ``start`` (aware) in so many columns, a lane for each of these jobs, in their order.

        Of the past it is said what happened, of what is to come what fires; and the load that is to be expected.

        Raises:
            UsageError: a window of no length, or without columns, or too far away.
        """
        from jobrunner.admin.looking import schedules_of
        from jobrunner.domain.lanes import Lanes, Window, marks
        from jobrunner.store import pauses
        from jobrunner.store.runs.pages import extent, first_from

        context, end = self._context, _end_of(start, length, columns)
        window, now = Window.of(start, end, columns), context.clock.now()
        micros = to_micros(now)
        jobs, reading = context.memory.definitions(names)
        db = context.db
        with db.snapshot():
            low, high = extent(db)
            first = first_from(db, window.start - 60_000_000, low, high + 1) if micros > window.start else high + 1
            held = pauses.everything(db)
            found = [_lane(context, name, jobs.get(name), window, now, first, held) for name in names]
            missed = _missed(context, start, end)
        rules = [rule for job in jobs.values() for rule in schedules_of(job)]
        return Lanes(
            start=start,
            end=end,
            columns=columns,
            now=window.column(micros) if window.start <= micros < window.end else None,
            lanes=tuple(found),
            marks=marks(window, rules, context.settings.timezone),
            load=context.memory.load(window),
            missed=missed,
            reading=reading,
        )


def _end_of(start: datetime, length: timedelta, columns: int) -> datetime:
    from jobrunner.errors import UsageError

    if length <= timedelta(0) or columns < 1:
        raise UsageError("a window has a length and columns")
    if start.year < 3 or start.year > 9_900 or length > timedelta(days=3_660):
        raise UsageError("the window is too far away", hint="years go from 3 to 9900")
    return start + length


def _lane(
    context: Context,
    name: str,
    job: Job | None,
    window: Window,
    now: datetime,
    first: int,
    held: Sequence[Pause],
) -> Lane:
    from jobrunner.admin.looking import next_fire_of, pause_of
    from jobrunner.domain.due import Due
    from jobrunner.domain.lanes import Lane, coming

    micros, pause = to_micros(now), pause_of(name, held)
    fires = dict[int, int]()
    if job is not None and job.enabled and job.schedules:
        free = micros if pause is None else 2**62 if pause.until is None else max(micros, to_micros(pause.until) - 1)
        fires = coming(Due(job), window, free) if free < window.end else {}
    cells = _cells(context, name, window, micros, first, fires)
    return Lane(name, cells, next_fire_of(job, pause, now) if job is not None else None)


def _cells(
    context: Context, name: str, window: Window, now: int, first: int, fires: dict[int, int]
) -> tuple[Cell, ...]:
    from jobrunner.domain.lanes import lane
    from jobrunner.store import decisions
    from jobrunner.store import lanes as store

    if now <= window.start:
        return lane(window, now, fires=fires, runs=(), decisions=())
    runs = store.fired(context.db, name, window, first)
    decided = decisions.of(context.db, name, from_micros(window.start), from_micros(window.end))
    return lane(window, now, fires=fires, runs=runs, decisions=decided)


def _missed(context: Context, start: datetime, end: datetime) -> tuple[Decision, ...]:
    from jobrunner.domain.decision import Why
    from jobrunner.store import decisions

    found = decisions.newest(context.db, _MOST_MISSED, since=start, whys=(Why.MISSED,))
    return tuple(each for each in found if each.last_fire >= start and each.first_fire < end)
