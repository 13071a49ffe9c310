"""When a definition is due: the fire times of all schedules of a job together. Used to answer ``why`` and ``verify``.

Instants are microseconds since the epoch here: a year of seconds is walked, and a datetime costs more than the step.
"""

from __future__ import annotations

import heapq
from collections.abc import Hashable, Iterator

from jobrunner.domain.job import Job
from jobrunner.domain.schedule import Schedule, parse

_SPANS = tuple(60_000_000 * 8**step for step in range(11))
"""How far back the last fire is looked for, in steps: a minute to two thousand years."""


class Due:
    """The fire times of a job's schedules; one that two of them have is one.

    Raises:
        ScheduleError: a schedule cannot be read.
    """

    __slots__ = ("schedules",)

    def __init__(self, job: Job) -> None:
        self.schedules = tuple(parse(spec, job=job.name, timezone=job.timezone) for spec in job.schedules)

    @property
    def key(self) -> frozenset[Hashable]:
        """Equal for two that are always due at the same instants."""
        return frozenset(schedule.key for schedule in self.schedules)

    def fires(self, after: int, until: int) -> Iterator[int]:
        """The distinct fires with ``after < fire <= until``, in order."""
        walks = [_walk(schedule, after, until) for schedule in self.schedules]
        return walks[0] if len(walks) == 1 else _distinct(heapq.merge(*walks))

    def next_after(self, micros: int) -> int | None:
        """The first fire strictly after an instant, None where there is none any more."""
        return min((at for rule in self.schedules if (at := _next(rule, micros)) is not None), default=None)

    def last_until(self, micros: int, after: int) -> int | None:
        """The last fire with ``after < fire <= micros``, None where there is none."""
        for span in _SPANS:
            start = max(after, micros - span)
            found = max(self.fires(start, micros), default=None)
            if found is not None or start == after:
                return found
        return None

    def schedule_at(self, micros: int) -> Schedule | None:
        """The schedule that is due at this very instant."""
        return next((rule for rule in self.schedules if _next(rule, micros - 1) == micros), None)


def _next(schedule: Schedule, micros: int) -> int | None:
    at = schedule.rule.next_after(max(micros, schedule.first - 1))
    return None if at is None or at > schedule.last else at


def _walk(schedule: Schedule, after: int, until: int) -> Iterator[int]:
    step = schedule.rule.next_after
    last = min(until, schedule.last)
    at = step(max(after, schedule.first - 1))
    while at is not None and at <= last:
        yield at
        at = step(at)


def _distinct(fires: Iterator[int]) -> Iterator[int]:
    before = None
    for at in fires:
        if at != before:
            yield at
        before = at
