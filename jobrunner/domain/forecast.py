"""A simulation's question and its answer as values: made by admin and ``simulation``, shown by presentation."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from types import MappingProxyType
from typing import NamedTuple

from jobrunner.domain.estimate import Estimate
from jobrunner.domain.job import Job


class PlannedJob(NamedTuple):
    """A job to be played. ``days_off`` are the days of its blackout, in the zone of the schedule that fires."""

    job: Job
    estimate: Estimate
    days_off: frozenset[date] = frozenset()


class Plan(NamedTuple):
    """What is played forward: fires with ``start <= fire < end`` (aware), on ``workers`` of all servers together.

    ``queues`` are taken in their order; ``queue_limits`` and ``limits`` map a name to how many run at once;
    ``timezone`` is where a day begins in the answer. Equal plans have equal answers.
    """

    jobs: tuple[PlannedJob, ...]
    workers: int
    queues: tuple[str, ...]
    start: datetime
    end: datetime
    timezone: str
    seed: int
    queue_limits: Mapping[str, int] = MappingProxyType({})
    limits: Mapping[str, int] = MappingProxyType({})


class JobForecast(NamedTuple):
    """What is expected of one job.

    A fire becomes a start, or it is skipped by ``overlap``, falls into a blackout, expires, still waits when the window
    ends, or is replaced before it starts (``replaced`` counts those that had started, too). A delay is from the moment
    that a run is due, its jitter included, to its start; quantiles are exact to two per cent. ``slowest`` is the
    longest time from due to finished. ``late`` and ``overdue`` count the runs that break ``start_within`` and
    ``finish_within``, which are None where nothing is promised.
    """

    name: str
    estimate: Estimate
    fires: int
    starts: int
    skips: int
    replaced: int
    expired: int
    blackouts: int
    waiting: int
    delay_median: timedelta | None
    delay_p95: timedelta | None
    delay_max: timedelta | None
    slowest: timedelta | None
    start_within: timedelta | None
    finish_within: timedelta | None
    late: int
    overdue: int


class Load(NamedTuple):
    """Of a stretch of time that begins at ``at``: attempts running on average and at most, and attempts started."""

    at: datetime
    mean: float
    peak: int
    starts: int


class DayLoad(NamedTuple):
    """Of one half-hour of the day, ``minute`` after midnight, over all days: attempts running on average, at most."""

    minute: int
    mean: float
    peak: int


class Collision(NamedTuple):
    """A minute of the day at which several runs are due at one instant.

    ``at`` is the first instant with the most, ``runs``, some of whose ``jobs`` are named; ``times`` counts the
    instants.
    """

    at: datetime
    runs: int
    jobs: tuple[str, ...]
    times: int


class IdleWindow(NamedTuple):
    """A time in which nothing runs."""

    start: datetime
    end: datetime


class ClockChange(NamedTuple):
    """A change of a zone's clock within the window, and what it means for these jobs."""

    at: datetime
    remark: str
    jobs: tuple[str, ...]


class Choice(NamedTuple):
    """A schedule, and how many other attempts run beside such a job on average."""

    expression: str
    load: float


class Suggestion(NamedTuple):
    """Quieter times for a job: its present schedule, then others, the best first."""

    job: str
    present: Choice
    choices: tuple[Choice, ...]


class Unplayed(NamedTuple):
    """A key of the file that has no part in a simulation, and the jobs that have it."""

    key: str
    jobs: tuple[str, ...]


class Forecast(NamedTuple):
    """The schedule played forward. ``jobs`` by name; ``load`` by the hour; ``day`` by the half-hour of the local day.

    ``peak`` is the most attempts that run at once, first at ``peak_at``. ``collisions`` have the most runs first,
    ``idle`` are the longest idle windows, in order of time.
    """

    plan: Plan
    jobs: tuple[JobForecast, ...]
    peak: int
    peak_at: datetime | None
    load: tuple[Load, ...]
    day: tuple[DayLoad, ...]
    collisions: tuple[Collision, ...]
    idle: tuple[IdleWindow, ...]
    clock_changes: tuple[ClockChange, ...]
    suggestion: Suggestion | None = None
    unplayed: tuple[Unplayed, ...] = ()

    @property
    def breaks_sla(self) -> bool:
        """Whether any job is expected to break what it promises."""
        return any(job.late or job.overdue for job in self.jobs)
