"""The coming fires of all jobs, at hand at every moment. Pure; the time is an argument.

Jobs whose schedules always fire at the same instants hang on one entry of a heap, so that to look costs the same with
ten jobs and with ten thousand.
"""

from __future__ import annotations

import heapq
from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime
from typing import NamedTuple

from jobrunner.domain.clock import from_micros, to_micros
from jobrunner.domain.job import Job
from jobrunner.domain.queue import Pause
from jobrunner.domain.schedule import Schedule
from jobrunner.domain.timetable import Timed

_NAMED = 3
_MOST_INSTANTS = 2_000


class Upcoming(NamedTuple):
    """An instant at which jobs fire: some of them by name, and how many ``more`` there are."""

    at: datetime
    jobs: tuple[str, ...]
    more: int


class _Entry(NamedTuple):
    schedule: Schedule
    names: list[str]


class Ahead:
    """The enabled jobs of a file that have schedules. ``calendars`` are the days of those that blackouts name."""

    def __init__(self, jobs: Iterable[Job], calendars: Mapping[str, Sequence[date]]) -> None:
        entries = dict[Hashable, _Entry]()
        self._off = dict[str, Timed]()
        for job in jobs:
            if not job.enabled or not job.schedules:
                continue
            timed = Timed.of(job, calendars={name: calendars.get(name, ()) for name in job.blackout})
            if timed.days_off and job.on_blackout == "skip":
                self._off[job.name] = timed
            for schedule in {rule.key: rule for rule, _ in timed.rules}.values():
                entries.setdefault(schedule.key, _Entry(schedule, [])).names.append(job.name)
        self._entries = [entry._replace(names=sorted(entry.names)) for entry in entries.values()]
        self._heap = list[tuple[int, int]]()
        self._now: int | None = None

    def schedules(self) -> Iterator[tuple[Schedule, Sequence[str]]]:
        """The different schedules, each with its jobs."""
        return ((entry.schedule, entry.names) for entry in self._entries)

    def next(self, now: datetime, n: int, pauses: Sequence[Pause]) -> tuple[Upcoming, ...]:
        """The next ``n`` instants at which anything fires that is neither paused nor in a blackout."""
        self._advance(to_micros(now))
        held = {(pause.scope, pause.name): _end(pause) for pause in pauses if pause.scope in ("job", "all")}
        everything, heap = held.get(("all", ""), 0), self._heap.copy()
        found = list[Upcoming]()
        for _ in range(_MOST_INSTANTS):
            if len(found) >= n or not heap:
                break
            at = heap[0][0]
            names = set[str]()
            while heap and heap[0][0] == at:
                entry = self._entries[heap[0][1]]
                names.update(entry.names)
                following = _next(entry.schedule, at)
                if following is None:
                    heapq.heappop(heap)
                else:
                    heapq.heapreplace(heap, (following, heap[0][1]))
            if at >= everything:
                firing = [name for name in names if self._fires(name, at, held)]
                if firing:
                    some = tuple(heapq.nsmallest(_NAMED, firing))
                    found.append(Upcoming(from_micros(at), some, len(firing) - len(some)))
        return tuple(found)

    def firsts(self, now: datetime) -> dict[str, int]:
        """The next fire of each job that has one, in microseconds since the epoch; pauses are not looked at."""
        self._advance(to_micros(now))
        found = dict[str, int]()
        for at, number in sorted(self._heap, reverse=True):
            found.update(dict.fromkeys(self._entries[number].names, at))
        return found

    def _fires(self, name: str, at: int, held: Mapping[tuple[str, str], int]) -> bool:
        if at < held.get(("job", name), 0):
            return False
        timed = self._off.get(name)
        return timed is None or timed.off(from_micros(at)) is None

    def _advance(self, now: int) -> None:
        if self._now is None or now < self._now:
            starts = ((_next(entry.schedule, now), number) for number, entry in enumerate(self._entries))
            self._heap = [(at, number) for at, number in starts if at is not None]
            heapq.heapify(self._heap)
        self._now = now
        while self._heap and self._heap[0][0] <= now:
            number = self._heap[0][1]
            following = _next(self._entries[number].schedule, now)
            if following is None:
                heapq.heappop(self._heap)
            else:
                heapq.heapreplace(self._heap, (following, number))


def _next(schedule: Schedule, micros: int) -> int | None:
    at = schedule.rule.next_after(max(micros, schedule.first - 1))
    return None if at is None or at > schedule.last else at


def _end(pause: Pause) -> int:
    return to_micros(pause.until) if pause.until is not None else 2**63
