"""Reading: jobs, runs, queues, servers, batches, the audit trail, the coming fires.

What a verb needs of the store is imported when it is said: a trigger pays for none of it.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING

from jobrunner.admin.context import Context
from jobrunner.domain.job import Job
from jobrunner.errors import NotFound

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

    from jobrunner.domain.at_work import BatchFacts
    from jobrunner.domain.audit import AuditEntry
    from jobrunner.domain.batch import Batch
    from jobrunner.domain.chain import Chain, Step
    from jobrunner.domain.filter import RunFilter
    from jobrunner.domain.queue import Pause, QueueStatus
    from jobrunner.domain.run import Run
    from jobrunner.domain.schedule import Schedule
    from jobrunner.domain.server import Server
    from jobrunner.domain.status import Explanation, Fire, JobStatus


_MOST_LINKS = 200


class Looking:
    """The verbs that only look. Nothing of them is in the audit trail."""

    _context: Context

    def zone(self, job: str | None = None) -> ZoneInfo:
        """The zone that times are read and shown in: of the job's first schedule that names one, else the file's."""
        from zoneinfo import ZoneInfo

        name = self._context.settings.timezone
        if job is not None:
            try:
                found = self._context.jobs.one(job)
            except NotFound:
                return ZoneInfo(name)
            name = next((spec.timezone for spec in found.schedules if spec.timezone), found.timezone)
        return ZoneInfo(name)

    def jobs(self, tags: Sequence[str] = ()) -> list[JobStatus]:
        """The jobs that have any of these tags, or all, by name. Raises ConfigError."""
        wanted = set(tags)
        found = [job for job in self._context.jobs.all().jobs.values() if not wanted or wanted & set(job.tags)]
        return self._statuses(sorted(found, key=lambda job: job.name))

    def job(self, name: str) -> JobStatus:
        """One job. Raises NotFound, ConfigError."""
        return self._statuses([self._context.jobs.named(name)])[0]

    def job_names(self) -> list[str]:
        """The names of the jobs of the file, in order. Raises ConfigError."""
        return sorted(self._context.jobs.all().jobs)

    def definition(self, name: str) -> Job:
        """One job of the file; the rest of that may be wrong. Raises NotFound, ConfigError."""
        return self._context.jobs.one(name)

    def pauses(self) -> list[Pause]:
        """All that is paused now."""
        from jobrunner.store import pauses

        return list(pauses.everything(self._context.db))

    def jobs_of(self, run_ids: Sequence[int]) -> dict[int, str]:
        """The job of each of these runs that there is."""
        from jobrunner.store.runs import read

        return read.jobs_of(self._context.db, run_ids)

    def runs(self, wanted: RunFilter) -> list[Run]:
        """The runs that a filter asks for, newest first. Raises NotFound for a batch that is not there."""
        from jobrunner.store import batches
        from jobrunner.store.runs import read

        if wanted.terms:
            return self._matching(wanted)
        if wanted.batch is not None:
            batches.get(self._context.db, wanted.batch)
        return read.find(self._context.db, wanted)

    def run(self, run_id: int) -> Run:
        """One run with its attempts, parents and definition. Raises NotFound."""
        from jobrunner.store.runs import read

        return read.get(self._context.db, run_id)

    def chain(self, run_id: int) -> Chain:
        """What a run follows and what follows it, over runs and batches. Raises NotFound."""
        from jobrunner.domain.chain import Kind, Step
        from jobrunner.store.runs import chain as steps
        from jobrunner.store.runs import read

        db = self._context.db
        with db.snapshot():
            read.state(db, run_id)
            return self._chain(Step(Kind.RUN, run_id, steps.terms(db, run_id)))

    def batch_facts(self, batch_id: int) -> BatchFacts:
        """A batch with how its members stand, how fast they end, and what follows it. Raises NotFound."""
        from jobrunner.domain.at_work import batch_facts
        from jobrunner.domain.chain import Kind, Step
        from jobrunner.store import batches

        db = self._context.db
        with db.snapshot():
            batch = batches.get(db, batch_id)
            links = self._chain(Step(Kind.BATCH, batch_id)).links
            following = [link for link in links if link.depth == 1]
            return batch_facts(batch, batches.counts(db, batch_id), following, self._context.clock.now())

    def _chain(self, start: Step) -> Chain:
        from jobrunner.domain.chain import Kind, chain
        from jobrunner.store import batches
        from jobrunner.store.runs import chain as steps
        from jobrunner.store.runs import read

        db = self._context.db
        found = chain(start, partial(steps.before, db), partial(steps.after, db), _MOST_LINKS)
        runs = {run.id: run for run in read.some(db, [at.step.id for at in found.links if at.step.kind is Kind.RUN])}

        def of(step: Step) -> Run | Batch | None:
            if step.kind is Kind.RUN:
                return runs.get(step.id)
            try:
                return batches.get(db, step.id)
            except NotFound:
                return None

        return found._replace(links=tuple(link._replace(of=of(link.step)) for link in found.links))

    def queues(self) -> list[QueueStatus]:
        """The queues of the file and any other with runs in it, by name."""
        from jobrunner.store import queues

        settings = self._context.settings
        return queues.statuses(self._context.db, settings.queues, settings.queue_limits, self._context.clock.now())

    def dead_letters(self) -> int:
        """How many dead letters there are."""
        from jobrunner.store.runs import read

        return read.dead_count(self._context.db)

    def servers(self) -> list[Server]:
        """The living servers and those that ended within a day, by name. One that is silent for too long is lost."""
        from jobrunner.domain.health import as_they_count
        from jobrunner.store import servers

        context = self._context
        return as_they_count(servers.find(context.db, context.clock.now()), context.settings.lost_after)

    def batches(self, limit: int = 50) -> list[Batch]:
        """The newest batches, at most ``limit`` (0: all)."""
        from jobrunner.store import batches

        return batches.find(self._context.db, limit)

    def batch(self, batch_id: int) -> Batch:
        """One batch. Raises NotFound."""
        from jobrunner.store import batches

        return batches.get(self._context.db, batch_id)

    def audit(self, since: datetime | None, limit: int) -> list[AuditEntry]:
        """Who did what, newest first, at most ``limit`` (0: all)."""
        from jobrunner.store import audit

        return audit.find(self._context.db, since, limit)

    def next_fires(self, job: str | None, n: int, after: datetime | None) -> list[Fire]:
        """The next ``n`` fires strictly after an instant (None: now), of one job or of all, in order.

        Raises:
            NotFound: no such job.
            ConfigError: the file is not valid.
        """
        from jobrunner.store import pauses

        start = after or self._context.clock.now()
        jobs = [self._context.jobs.named(job)] if job is not None else list(self._context.jobs.all().jobs.values())
        held = pauses.everything(self._context.db)
        streams = [self._fires(one, start, pause_of(one.name, held)) for one in jobs]
        merged = heapq.merge(*streams, key=lambda fire: (fire.at, fire.job))
        return [fire for fire, _ in zip(_distinct(merged), range(n), strict=False)]

    def explain(self, expression: str, timezone: str | None, after: datetime | None, n: int) -> Explanation:
        """A cron expression in words and its next fires.

        Raises:
            ScheduleError: it cannot be read, or never fires.
        """
        from jobrunner.domain.words import explain

        start = after or self._context.clock.now()
        return explain(expression, timezone=timezone or self._context.settings.timezone, after=start, n=n)

    def _matching(self, wanted: RunFilter) -> list[Run]:
        from jobrunner.admin.tags import without_tags
        from jobrunner.store import batches
        from jobrunner.store.runs import pages

        db = self._context.db
        if (batch := pages.batch_of(wanted)) is not None:
            batches.get(db, batch)
        return pages.find(db, without_tags(self._context, wanted), self._context.clock.now())

    def _statuses(self, jobs: Sequence[Job]) -> list[JobStatus]:
        from jobrunner.store import pauses
        from jobrunner.store.runs import read

        db, now = self._context.db, self._context.clock.now()
        latest = read.latest(db, [job.name for job in jobs])
        held = pauses.everything(db)
        return [_status(job, latest.get(job.name), pause_of(job.name, held), now) for job in jobs]

    def _fires(self, job: Job, start: datetime, pause: Pause | None) -> Iterator[Fire]:
        from jobrunner.domain.status import Fire

        if not job.enabled:
            return
        for schedule, at in _merged(job, start):
            paused = pause is not None and (pause.until is None or at < pause.until)
            yield Fire(job=job.name, at=at, zone=schedule.zone, note="paused" if paused else "")


def pause_of(job: str, held: Sequence[Pause]) -> Pause | None:
    """The pause that keeps a job from firing for the longest: its own, or that of everything."""
    its = [pause for pause in held if (pause.scope, pause.name) in (("job", job), ("all", ""))]
    return max(its, key=lambda pause: pause.until or _NEVER, default=None)


_NEVER = datetime.max.replace(tzinfo=UTC)


def _status(job: Job, last: Run | None, pause: Pause | None, now: datetime) -> JobStatus:
    from jobrunner.domain.status import JobStatus

    return JobStatus(job=job, next_fire=next_fire_of(job, pause, now), last_run=last, pause=pause)


def next_fire_of(job: Job, pause: Pause | None, now: datetime) -> datetime | None:
    """The next fire of a job that a pause, where there is one, does not keep from a run; None without any."""
    start = now
    if not job.enabled or (pause is not None and pause.until is None):
        return None
    if pause is not None and pause.until is not None:
        start = max(now, pause.until - timedelta(microseconds=1))
    return next((at for _, at in _merged(job, start)), None)


def schedules_of(job: Job) -> list[Schedule]:
    """The schedules of a job, read."""
    from jobrunner.domain.schedule import parse

    return [parse(spec, job=job.name, timezone=job.timezone) for spec in job.schedules]


def _merged(job: Job, start: datetime) -> Iterator[tuple[Schedule, datetime]]:
    """The fires of all schedules of a job in order, without end."""

    def walk(schedule: Schedule) -> Iterator[tuple[Schedule, datetime]]:
        at = start
        while (found := schedule.next_after(at)) is not None:
            yield schedule, found
            at = found

    return heapq.merge(*map(walk, schedules_of(job)), key=lambda pair: pair[1])


def _distinct(fires: Iterator[Fire]) -> Iterator[Fire]:
    """Two schedules of one job that are due at the same instant are one fire."""
    seen: tuple[str, datetime] | None = None
    for fire in fires:
        if (fire.job, fire.at) != seen:
            yield fire
        seen = (fire.job, fire.at)
