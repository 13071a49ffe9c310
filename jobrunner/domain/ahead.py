"""What fires next, over all jobs together: their schedules as one line of instants ahead. Pure; called by admin."""

from __future__ import annotations

import heapq
from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import NamedTuple

from jobrunner.domain.queue import Pause
from jobrunner.domain.schedule import Schedule
from jobrunner.domain.timetable import Timed

_STEPS = 500
"""Instants that are looked at for those wanted: where most jobs are paused there may be none among very many."""


class Moment(NamedTuple):
    """An instant at which jobs fire: the first few of them by name, and how many they are."""

    at: datetime
    jobs: tuple[str, ...]
    total: int


class _Entry(NamedTuple):
    schedule: Schedule
    jobs: list[Timed]


class Ahead:
    """The fires to come of these jobs. What is over is passed by and never looked at again."""

    def __init__(self, jobs: Iterable[Timed], now: datetime) -> None:
        entries = dict[Hashable, _Entry]()
        for timed in jobs:
            for schedule in {rule.key: rule for rule, _ in timed.rules}.values():
                entries.setdefault(schedule.key, _Entry(schedule, [])).jobs.append(timed)
        self._entries = tuple(entries.values())
        firsts = ((entry.schedule.next_after(now), number) for number, entry in enumerate(self._entries))
        self._heap = [(at, number) for at, number in firsts if at is not None]
        heapq.heapify(self._heap)

    def moments(self, now: datetime, n: int, pauses: Sequence[Pause], *, names: int = 4) -> tuple[Moment, ...]:
        """The next ``n`` instants after ``now`` at which jobs are started by their schedules, with the first ``names``
        of them. Who is paused then, or in a blackout, is not among them."""
        while self._heap and self._heap[0][0] <= now:
            self._step(self._heap, now)
        held = {pause.name: pause.until or _NEVER for pause in pauses if pause.scope == "job"}
        everything = max((pause.until or _NEVER for pause in pauses if pause.scope == "all"), default=now)
        found = list[Moment]()
        for at, jobs in self._walk(_STEPS):
            started = sorted({timed.job.name for timed in jobs if _starts(timed, at, held, everything)})
            if started:
                found.append(Moment(at, tuple(started[:names]), len(started)))
            if len(found) == n:
                break
        return tuple(found)

    def _walk(self, steps: int) -> Iterator[tuple[datetime, list[Timed]]]:
        """The instants ahead in order, each with the jobs that are due then."""
        heap = list(self._heap)
        for _ in range(steps):
            if not heap:
                return
            at, due = heap[0][0], list[Timed]()
            while heap and heap[0][0] == at:
                due += self._entries[heap[0][1]].jobs
                self._step(heap, at)
            yield at, due

    def _step(self, heap: list[tuple[datetime, int]], after: datetime) -> None:
        number = heap[0][1]
        following = self._entries[number].schedule.next_after(after)
        if following is None:
            heapq.heappop(heap)
        else:
            heapq.heapreplace(heap, (following, number))


_NEVER = datetime.max.replace(tzinfo=UTC)


def _starts(timed: Timed, at: datetime, held: Mapping[str, datetime], everything: datetime) -> bool:
    return at >= everything and at >= held.get(timed.job.name, at) and timed.off(at) is None
