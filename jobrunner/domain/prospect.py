"""When a queued run will probably start, by what runs, what stands before it, and how long such runs take. Pure.

Asked by ``why``. An honest answer is "about", or that nobody can tell, and why.
"""

from __future__ import annotations

import heapq
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from jobrunner.domain.estimate import Estimate

_ONE_BY_ONE = 10_000


class Busy(NamedTuple):
    """A run that occupies a worker."""

    id: int
    job: str
    started_at: datetime


class Line(NamedTuple):
    """What stands between a queued run and a worker of the servers that serve its queue.

    ``ahead`` maps a job to how many of its runs are taken first, ``higher`` counts those with a higher priority, and
    ``other_queues`` those of queues that these servers take first.
    """

    workers: int
    busy: tuple[Busy, ...]
    ahead: Mapping[str, int]
    higher: int = 0
    other_queues: int = 0

    @property
    def before(self) -> int:
        """How many runs are taken first."""
        return sum(self.ahead.values())

    @property
    def jobs(self) -> set[str]:
        """The jobs whose durations decide."""
        return {*self.ahead, *(busy.job for busy in self.busy)}


class Start(NamedTuple):
    """About when a run starts; None where one of ``unknown`` (runs, jobs) decides, and nobody knows how long it takes.

    ``overlong`` are runs that last longer than 95 of 100 of their job did.
    """

    at: datetime | None
    unknown: tuple[str, ...] = ()
    overlong: tuple[int, ...] = ()


def start_of(line: Line, usual: Mapping[str, Estimate], now: datetime) -> Start:
    """Plays the line forward: each worker that falls free takes the next run, which lasts as long as it usually does.

    ``usual`` has the jobs of which history is known.
    """
    overlong = tuple(busy.id for busy in line.busy if _overlong(busy, usual.get(busy.job), now))
    unknown = {job for job in line.ahead if job not in usual}
    unknown |= {busy.job for busy in line.busy if busy.job not in usual}
    free = _free(line, usual, now)
    return Start(free[0] if free else None, tuple(sorted(unknown)), overlong)


def starts_of(
    line: Line, jobs: Sequence[str], usual: Mapping[str, Estimate], now: datetime
) -> tuple[datetime | None, ...]:
    """About when each of the runs of these jobs starts, that stand behind a line one after another.

    None from the first on of which nobody can tell. Without workers that is the first.
    """
    first = _free(line, usual, now)
    found = list[datetime | None]()
    for job in jobs:
        if not first:
            break
        found.append(max(first[0], now))
        estimate = usual.get(job)
        if estimate is None:
            heapq.heappop(first)
        else:
            _occupy(first, estimate.median, 1)
    return (*found, *[None] * (len(jobs) - len(found)))


def _free(line: Line, usual: Mapping[str, Estimate], now: datetime) -> list[datetime]:
    """When each worker is free behind a line, as a heap; those that nobody can tell of are left out."""
    ends = [_end(busy, usual.get(busy.job), now) for busy in line.busy]
    free = [now] * max(line.workers - len(line.busy), 0) + sorted(end for end in ends if end is not None)
    heapq.heapify(free)
    for job, count in line.ahead.items():
        estimate = usual.get(job)
        if estimate is None:
            for _ in range(min(count, len(free))):
                heapq.heappop(free)  # it may hold its worker for ever
        elif free:
            _occupy(free, estimate.median, count)
    return free


def _occupy(free: list[datetime], length: timedelta, count: int) -> None:
    rounds = max(count - _ONE_BY_ONE, 0) // len(free)
    if rounds:
        free[:] = [at + rounds * length for at in free]
    for _ in range(count - rounds * len(free)):
        heapq.heapreplace(free, free[0] + length)


def _end(busy: Busy, estimate: Estimate | None, now: datetime) -> datetime | None:
    """Past its median a run is expected to end when 95 of 100 have; past that nobody knows."""
    if estimate is None or _overlong(busy, estimate, now):
        return None
    median = busy.started_at + estimate.median
    return median if median > now else busy.started_at + estimate.p95


def _overlong(busy: Busy, estimate: Estimate | None, now: datetime) -> bool:
    return estimate is not None and busy.started_at + estimate.p95 < now
