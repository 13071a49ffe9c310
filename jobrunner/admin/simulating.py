"""Looking ahead: the schedule of the file played forward with the durations that were measured.

What it needs is imported when it is asked for: a trigger pays for none of it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from jobrunner.admin.context import Context
from jobrunner.domain.duration import format_duration
from jobrunner.errors import UsageError

if TYPE_CHECKING:
    from jobrunner.domain.estimate import Estimate
    from jobrunner.domain.forecast import Forecast, Plan, PlannedJob, Unplayed
    from jobrunner.domain.job import Job
    from jobrunner.domain.jobfile import Calendar, Jobfile
    from jobrunner.store.durations import Measured

GUESS = timedelta(minutes=1)
"""How long a run is taken to last of which nothing is known: no history, no timeout."""

LONGEST = timedelta(days=3_660)


class Simulating:
    """The verb ``simulate``."""

    _context: Context

    def simulate(
        self,
        *,
        start: datetime | None = None,
        length: timedelta = timedelta(days=7),
        workers: int | None = None,
        seed: int = 1,
        suggest: str | None = None,
    ) -> Forecast:
        """Plays the file's schedules from ``start`` (None: now) for ``length``.

        ``workers`` None: as many as the file says, times the living servers. A job's runs take what its last
        successful ones took, else its ``timeout``, else a minute. With ``suggest``, quieter times for that job, too.

        Raises:
            UsageError: a length that cannot be played; no quieter time can be looked for.
            NotFound: no such job.
            ConfigError: the file is not valid.
            StoreUnavailable: the history cannot be read.
        """
        from jobrunner.domain.simulation import simulate
        from jobrunner.domain.suggestion import suggest as quieter

        if suggest is not None:
            _check_fires(self._context.jobs.named(suggest))
        jobfile = self._context.jobs.all()
        plan = self._plan(jobfile, start or self._context.clock.now(), length, workers, seed)
        suggestion = quieter(plan, suggest) if suggest is not None else None
        return simulate(plan)._replace(suggestion=suggestion, unplayed=tuple(_unplayed(jobfile)))

    def _plan(self, jobfile: Jobfile, start: datetime, length: timedelta, workers: int | None, seed: int) -> Plan:
        from jobrunner.domain.forecast import Plan
        from jobrunner.store import durations

        if not timedelta(0) < length <= LONGEST:
            hint = f"it is longer than nothing, and {LONGEST.days}d at most"
            raise UsageError(f"a window of {format_duration(length)} cannot be played", hint=hint)
        if start.year < 3 or (start + length).year > 9_990:
            raise UsageError("the window is too far away", hint="years go from 3 to 9990")
        settings = jobfile.settings
        jobs = [job for job in jobfile.jobs.values() if job.enabled and job.schedules and not job.shadow]
        known = durations.measured(self._context.db, [job.name for job in jobs])
        return Plan(
            jobs=tuple(_planned(job, known.get(job.name), jobfile.calendars) for job in jobs),
            workers=workers or settings.workers * self._living_servers(),
            queues=settings.queues,
            queue_limits=settings.queue_limits,
            limits=jobfile.limits,
            start=start,
            end=start + length,
            timezone=settings.timezone,
            seed=seed,
        )

    def _living_servers(self) -> int:
        from jobrunner.domain.server import ServerState
        from jobrunner.store import servers

        ended = (ServerState.STOPPED, ServerState.LOST)
        found = servers.find(self._context.db, self._context.clock.now())
        return max(sum(server.state not in ended for server in found), 1)


def _check_fires(job: Job) -> None:
    if not job.schedules:
        raise UsageError(f"job {job.name!r} has no schedule", hint="name one that has")
    if not job.enabled:
        raise UsageError(f"job {job.name!r} is disabled", hint="it does not fire")
    if job.shadow:
        raise UsageError(f"job {job.name!r} is a shadow", hint="its fires are recorded and not executed")


def _planned(job: Job, known: Measured | None, calendars: Mapping[str, Calendar]) -> PlannedJob:
    from jobrunner.domain.forecast import PlannedJob

    days = frozenset(day for name in job.blackout for day in calendars[name].dates)
    return PlannedJob(job=job, estimate=_estimate(job, known), days_off=days)


def _estimate(job: Job, known: Measured | None) -> Estimate:
    from jobrunner.domain.estimate import Basis, Estimate

    if known is not None:
        return Estimate(median=known.median, p95=known.p95, basis=Basis.HISTORY, runs=known.attempts)
    if job.timeout is not None:
        return Estimate(median=job.timeout, p95=job.timeout, basis=Basis.TIMEOUT)
    return Estimate(median=GUESS, p95=GUESS, basis=Basis.GUESS)


def _unplayed(jobfile: Jobfile) -> Iterator[Unplayed]:
    """What of the file has a part in when jobs run, and none in a simulation, with the jobs that have it."""
    from jobrunner.domain.forecast import Unplayed

    jobs = [job for job in jobfile.jobs.values() if job.enabled]
    for key, having in {
        "after": [job for job in jobs if job.after],
        "on": [job for job in jobs if job.on],
        "rate_limit": [job for job in jobs if job.rate_limit and job.schedules],
        "unique": [job for job in jobs if job.unique and job.schedules],
        "approve": [job for job in jobs if job.approve and job.schedules],
        "shadow": [job for job in jobs if job.shadow and job.schedules],
    }.items():
        if having:
            yield Unplayed(key=key, jobs=tuple(sorted(job.name for job in having)))
