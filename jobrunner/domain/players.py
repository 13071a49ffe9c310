"""What takes part in a simulation: jobs, their runs, the lines that they fire on, and what holds them.

Instants and durations are integer microseconds. Called by ``simulation``.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping
from datetime import timedelta
from functools import lru_cache
from math import exp, log
from random import Random

from jobrunner.domain.blackout import DaysOff
from jobrunner.domain.estimate import Estimate
from jobrunner.domain.forecast import Plan, PlannedJob
from jobrunner.domain.job import Overlap
from jobrunner.domain.schedule import Schedule, jitter_delay, parse
from jobrunner.domain.tally import Delays
from jobrunner.domain.zone import timeline

QUANTILES = 256
"""How many durations stand for the distribution of a job's."""

_RANKS = 1_000
"""More than there are priorities: a rank counts queues first, then priorities down."""


class Player:
    """A job at play: what it may do, what it is doing, and what has become of its fires. ``place`` is by name.

    ``busy`` counts its runs that are ready or running, ``waiting`` are the fires that ``overlap`` holds; ``current``
    are the busy runs of a job whose runs may end early. ``durations`` of its runs follow each other, again and again.
    """

    __slots__ = (
        "blackouts", "busy", "current", "defers", "delays", "durations", "expired", "expires", "finish_within",
        "fires", "last_fire", "late", "left", "limits", "name", "overdue", "overlap", "place", "planned",
        "rank", "replaced", "revocable", "skips", "slowest", "start_within", "starts", "waiting",
    )  # fmt: skip

    def __init__(self, planned: PlannedJob, *, place: int, seed: int, queue: int, limits: tuple[int, ...]) -> None:
        job = planned.job
        self.planned, self.place, self.name, self.overlap = planned, place, job.name, job.overlap
        self.rank, self.limits = queue * _RANKS - job.priority, limits
        self.durations = _durations(planned.estimate, job.timeout)
        Random(f"{seed}/{job.name}").shuffle(self.durations)  # noqa: S311
        self.expires = _micros(job.expires)
        self.start_within = _micros(job.sla.start_within) if job.sla else None
        self.finish_within = _micros(job.sla.finish_within) if job.sla else None
        self.defers = job.on_blackout == "defer"
        self.busy = 0
        self.waiting = deque[Entry]()
        self.revocable = job.overlap is Overlap.REPLACE or job.expires is not None
        self.current = dict[int, Run]()
        self.delays: Delays | None = None
        self.last_fire = self.slowest = -1
        self.fires = self.starts = self.skips = self.replaced = self.expired = self.blackouts = self.left = 0
        self.late = self.overdue = 0

    def schedules(self) -> Iterator[tuple[Schedule, int]]:
        """Its schedules with their jitters; one without comes last, as two at one instant are one fire."""
        job = self.planned.job
        for spec in sorted(job.schedules if job.enabled else (), key=lambda spec: spec.jitter is None):
            yield parse(spec, job=job.name, timezone=job.timezone), _micros(jitter_delay(spec.jitter, job.name)) or 0

    def delayed(self, delay: int) -> None:
        """A run of it starts later than it was due."""
        if self.delays is None:
            self.delays = Delays()
        self.delays.add(delay)
        if self.start_within is not None and delay > self.start_within:
            self.late += 1

    def took(self, elapsed: int) -> None:
        """A run of it ends so long after it was due."""
        if elapsed > self.slowest:
            self.slowest = elapsed
        if self.finish_within is not None and elapsed > self.finish_within:
            self.overdue += 1

    def unstarted(self, waited: int) -> None:
        """The window ends, and a run of it has waited so long; promises that it breaks by then are broken."""
        self.left += 1
        self.late += self.start_within is not None and waited > self.start_within
        self.overdue += self.finish_within is not None and waited > self.finish_within


class Run:
    """A run that may expire or be replaced. ``start`` is negative before it starts; ``over``: it has ended."""

    __slots__ = ("due", "number", "over", "player", "start")

    def __init__(self, player: Player, number: int, due: int) -> None:
        self.player, self.number, self.due = player, number, due
        self.start = -1
        self.over = False


Entry = tuple[int, int, int, Player, Run | None]
"""A run in its queue: rank, due, number, job, and the Run of one that may end early; workers take the least first.

Numbers go by fire time and then by the job's name, as a server creates them.
"""


class Line:
    """All jobs that fire at the same instants, so that their rule is walked once; each with its jitter and days off."""

    __slots__ = ("last", "rule", "subscribers")

    def __init__(self, schedule: Schedule) -> None:
        self.rule = schedule.rule
        self.last = schedule.last
        self.subscribers = list[tuple[Player, int, DaysOff | None]]()

    def subscribe(self, player: Player, jitter: int, zone: str) -> None:
        days = player.planned.days_off
        self.subscribers.append((player, jitter, DaysOff({"": days}, timeline(zone)) if days else None))

    def next_after(self, at: int) -> int | None:
        """The first fire strictly after an instant."""
        following = self.rule.next_after(at)
        return None if following is None or following > self.last else following


class Limits:
    """Everything of which only so many run at once, by number; ``room`` is how many more may start."""

    def __init__(self, plan: Plan) -> None:
        self.room = list[int]()
        self._plan = plan
        self._numbers = dict[tuple[str, str], int]()

    def of(self, planned: PlannedJob) -> tuple[int, ...]:
        """The numbers of those that hold a job: its queue's, its own, and the shared ones that it names."""
        job = planned.job
        found = []
        if job.queue in self._plan.queue_limits:
            found.append(self._number("queue", job.queue, self._plan.queue_limits[job.queue]))
        if job.max_running is not None:
            found.append(self._number("job", job.name, job.max_running))
        defaults = {param.name: param.default for param in job.params}
        for text in job.limits:
            name = text.partition(":")[0]
            if name in self._plan.limits:
                found.append(self._number("limit", _filled(text, defaults), self._plan.limits[name]))
        return tuple(dict.fromkeys(found))

    def _number(self, kind: str, name: str, most: int) -> int:
        number = self._numbers.setdefault((kind, name), len(self.room))
        if number == len(self.room):
            self.room.append(most)
        return number


def _filled(text: str, defaults: Mapping[str, object]) -> str:
    """``NAME:{param}`` with the default, which every run of a schedule has."""
    for name, value in defaults.items():
        text = text.replace("{" + name + "}", str(value))
    return text


def _durations(estimate: Estimate, timeout: timedelta | None) -> list[int]:
    median, p95 = (max(value // timedelta(microseconds=1), 1) for value in (estimate.median, estimate.p95))
    spread = log(p95 / median) / _normal_quantile(0.95) if p95 > median else 0.0
    most = _micros(timeout)
    drawn = (round(median * exp(spread * deviation)) for deviation in _deviations())
    return [max(value if most is None else min(value, most), 1) for value in drawn]


@lru_cache(maxsize=1)
def _deviations() -> tuple[float, ...]:
    return tuple(_normal_quantile((place + 0.5) / QUANTILES) for place in range(QUANTILES))


def _normal_quantile(part: float) -> float:
    from statistics import NormalDist

    return NormalDist().inv_cdf(part)


def _micros(value: timedelta | None) -> int | None:
    return None if value is None else value // timedelta(microseconds=1)
