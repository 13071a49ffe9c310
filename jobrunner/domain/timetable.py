"""Which fires of which jobs have fallen due: the heap behind the server's scheduler. Pure; the time is an argument.

Jobs whose schedules always fire at the same instants hang on one entry of the heap: 100,000 jobs are as many entries as
they have different schedules, a few thousand.
"""

from __future__ import annotations

import heapq
import sys
from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime, timedelta
from functools import lru_cache
from itertools import groupby, islice
from typing import NamedTuple

from jobrunner.domain.blackout import DayOff, DaysOff
from jobrunner.domain.clock import from_micros, to_micros
from jobrunner.domain.cron import uses_hash
from jobrunner.domain.decision import LATE
from jobrunner.domain.job import Job, ScheduleSpec
from jobrunner.domain.schedule import IntervalRule, Schedule, jitter_delay, parse
from jobrunner.domain.zone import timeline

_MOST_CAUGHT_UP = 1000
_DENSEST = timedelta(seconds=_MOST_CAUGHT_UP)
"""In which the densest schedule has so many fires."""


class Timed(NamedTuple):
    """A job with its schedules as rules, and their jitters.

    ``number`` is another when what falls due may be another; ``days_off`` are those of its blackout, by rule.
    """

    job: Job
    rules: tuple[tuple[Schedule, timedelta], ...]
    number: int = 0
    days_off: tuple[DaysOff, ...] = ()

    @classmethod
    def of(cls, job: Job, number: int = 0, calendars: Mapping[str, Iterable[date]] | None = None) -> Timed:
        """A job with its schedules read; ``calendars`` are the days of those that its blackout names.

        Raises:
            ScheduleError: one of them cannot be.
        """
        own = any(spec.jitter or uses_hash(spec.expression) for spec in job.schedules)
        rules = _rules(job.schedules, job.timezone, job.name if own else "")
        days_off = tuple(DaysOff(calendars, timeline(rule.zone)) for rule, _ in rules) if calendars else ()
        return cls(job, rules, number, days_off)

    def off(self, at: datetime) -> DayOff | None:
        """The day of its blackout on which a fire falls, in the zone of the schedule that is due."""
        if not self.days_off:
            return None
        place = 0
        if len(self.rules) > 1:
            before = at - timedelta(microseconds=1)
            place = next((n for n, (rule, _) in enumerate(self.rules) if rule.next_after(before) == at), 0)
        return self.days_off[place].at(to_micros(at))

    def oldest(self, after: datetime, until: datetime, most: int) -> Sequence[int]:
        """The first distinct fires with ``after < fire <= until``, at most so many unless they need no walk; in
        microseconds since the epoch."""
        rule = self.rules[0][0]
        if len(self.rules) == 1 and not self.days_off and isinstance(rule.rule, IntervalRule):
            first = rule.rule.next_after(max(to_micros(after), rule.first - 1))
            return range(first, min(to_micros(until), rule.last) + 1, rule.rule.step)
        walks = heapq.merge(*(rule.between(after, until) for rule, _ in self.rules))
        return [to_micros(at) for at, _ in islice(groupby(walks), most)]

    def fires(self, since: int, until: int) -> Sequence[int]:
        """All distinct fires with ``since <= fire < until``, in microseconds since the epoch."""
        return self.oldest(from_micros(since - 1), from_micros(until - 1), sys.maxsize)

    def between(self, after: datetime, until: datetime) -> list[datetime]:
        """The distinct fires with ``after < fire <= until`` in order, the newest thousand at most."""
        span = _DENSEST
        while True:
            # From near the end to the far beginning: of years of downtime nobody wants every second.
            start = max(after, until - min(span, until - after))
            fires = {at for rule, _ in self.rules for at in rule.between(start, until)}
            if len(fires) >= _MOST_CAUGHT_UP or start == after:
                return sorted(fires)[-_MOST_CAUGHT_UP:]
            span *= 4

    def jitter(self, at: datetime) -> timedelta:
        """How much later than this fire time the job starts."""
        before = at - timedelta(microseconds=1)
        return next((jitter for rule, jitter in self.rules if jitter and rule.next_after(before) == at), timedelta(0))


@lru_cache(maxsize=4096)
def _rules(specs: tuple[ScheduleSpec, ...], timezone: str, job: str) -> tuple[tuple[Schedule, timedelta], ...]:
    """One value for all jobs that have the same; ``job`` is the name where they depend on it."""
    return tuple([(parse(spec, job=job, timezone=timezone), jitter_delay(spec.jitter, job)) for spec in specs])


class _Entry(NamedTuple):
    """A schedule, and the jobs that have it."""

    schedule: Schedule
    jobs: list[Timed]


def _different(timed: Timed) -> Iterable[Schedule]:
    if len(timed.rules) == 1:
        return (timed.rules[0][0],)
    return {rule.key: rule for rule, _ in timed.rules}.values()


class Timetable:
    """The jobs with a schedule, and up to when the fires of each have been given out.

    ``attended`` has an instant for each of the jobs: what falls due after it is given out.
    """

    def __init__(self, jobs: Iterable[Timed] = (), attended: Mapping[str, datetime] | None = None) -> None:
        self._attended = dict(attended or {})
        entries = dict[Hashable, _Entry]()
        for timed in jobs:
            for schedule in _different(timed):
                entry = entries.get(schedule.key)
                if entry is None:
                    entry = entries[schedule.key] = _Entry(schedule, [])
                entry.jobs.append(timed)
        self._entries = tuple(entries.values())
        self._heap = list[tuple[datetime, int]]()
        self._arrange()

    def __len__(self) -> int:
        """How many different schedules there are."""
        return len(self._entries)

    @property
    def next(self) -> datetime | None:
        """The first instant at which anything falls due."""
        return self._heap[0][0] if self._heap else None

    def coming(self) -> Iterator[Timed]:
        """The jobs that fall due at that instant."""
        places = [0]
        while places:
            place = places.pop()
            if place < len(self._heap) and self._heap[place][0] == self._heap[0][0]:
                yield from self._entries[self._heap[place][1]].jobs
                places += (2 * place + 1, 2 * place + 2)

    def go_back(self, instant: datetime) -> None:
        """Gives out anew what falls due after an instant, because the clock was set back."""
        self._attended = {name: min(at, instant) for name, at in self._attended.items()}
        self._arrange()

    def due(self, now: datetime) -> Iterator[tuple[Timed, datetime, list[datetime]]]:
        """Each job with the instant up to which its fires have been given out, and those that are due since, rising.

        A fire is given out once, a job perhaps several times. What is late comes with all that the job has had since,
        so that what it missed can be judged as a whole; of more than a thousand the newest.
        """
        while self._heap and self._heap[0][0] <= now:
            at, number = self._heap[0]
            schedule, jobs = self._entries[number]
            late = now - at > LATE
            following = schedule.next_after(now if late else at)
            if following is None:
                heapq.heappop(self._heap)
            else:
                heapq.heapreplace(self._heap, (following, number))
            for timed in jobs:
                after = self._attended[timed.job.name]
                fires = timed.between(after, now) if late else [at] if after < at else []
                if fires:
                    self._attended[timed.job.name] = fires[-1]
                    yield timed, after, fires

    def _arrange(self) -> None:
        nexts = (
            (entry.schedule.next_after(min([self._attended[timed.job.name] for timed in entry.jobs])), number)
            for number, entry in enumerate(self._entries)
        )
        self._heap = [(at, number) for at, number in nexts if at is not None]
        heapq.heapify(self._heap)
