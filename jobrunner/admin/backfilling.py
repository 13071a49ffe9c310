"""The runs of a past window: what a schedule asked for, and nobody ran.

What it needs is imported when it is asked for: a trigger pays for none of it.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from jobrunner.admin.context import Context
from jobrunner.errors import UsageError

if TYPE_CHECKING:
    from jobrunner.domain.backfill import Backfill
    from jobrunner.domain.job import Job
    from jobrunner.domain.request import NewRun
    from jobrunner.domain.state import Ready


class Backfilling:
    """The verb ``backfill``."""

    _context: Context

    def backfill(self, job: str, since: datetime, until: datetime, *, dry_run: bool = False) -> Backfill:
        """Creates a batch with a run for each fire time of a job, ``since <= fire time < until``, that has no run.

        The fire times are those of the schedule as the file has it now. The runs start one after another, the oldest
        first, each when no other run of the job is active; ``expires`` and ``unique`` do not apply to them. With
        ``dry_run`` nothing is created.

        Raises:
            NotFound: no such job.
            UsageError: the job has no schedule; the window is none, is not past, or has too many fire times.
            ConfigError: the file is not valid.
        """
        from jobrunner.domain.backfill import Backfill
        from jobrunner.store import backfills

        found = self._context.jobs.named(job)
        wanted = _fire_times(found, since, until, self._context.clock.now())
        db = self._context.db

        def look() -> Backfill:
            fires = set(wanted)
            answered = tuple(one for one in backfills.answered(db, job, since, until) if one.at in fires)
            have = {one.at for one in answered}
            missing = tuple(at for at in wanted if at not in have)
            return Backfill(job, since, until, missing, answered, found.queue)

        plan = look()
        if dry_run or not plan.missing:
            return plan
        template = self._template(found)

        def create(made: list[str]) -> tuple[Backfill, int, list[Ready]]:
            backfills.alone(db, job)
            plan = look()  # servers fire, and others backfill
            batch, ready = backfills.create(db, template, f"backfill of {job}", plan.missing)
            made.append(f"batch b{batch} of {len(plan.missing)} runs")
            return plan, batch, ready

        window = f"from {since.isoformat()} to {until.isoformat()}"
        plan, batch, ready = self._context.act("backfill", job, create, window)
        self._context.tell(ready)
        return plan._replace(batch=batch)

    def _template(self, job: Job) -> NewRun:
        from jobrunner.domain.params import Checker, split_secrets
        from jobrunner.domain.request import new_run
        from jobrunner.domain.state import Trigger

        public, secret = split_secrets(job.params, Checker(job.params, job=job.name).values({}))
        now = self._context.clock.now()
        new = new_run(job, params=public, secret_params=secret, trigger=Trigger.BACKFILL, now=now)
        return new._replace(unique_key=None, expires=None)


def _fire_times(job: Job, since: datetime, until: datetime, now: datetime) -> list[datetime]:
    from itertools import islice

    from jobrunner.domain.backfill import MOST_FIRES
    from jobrunner.domain.clock import from_micros, to_micros
    from jobrunner.domain.due import Due

    if not job.schedules:
        raise UsageError(f"job {job.name!r} has no schedule", hint="`jobrunner trigger` creates a run of it")
    if until > now:
        raise UsageError("the window ends in the future", hint="what is to come fires by itself: use --to now")
    if since >= until:
        raise UsageError("the window ends before it begins", hint="--from is the earlier time")
    fires = Due(job).fires(to_micros(since) - 1, to_micros(until) - 1)
    found = list(islice(fires, MOST_FIRES + 1))
    if len(found) > MOST_FIRES:
        raise UsageError(
            f"job {job.name!r} has more than {MOST_FIRES} fire times in this window",
            hint=f"the first {MOST_FIRES} end before {from_micros(found[-1]).isoformat()}: make it several windows",
        )
    return [from_micros(at) for at in found]
