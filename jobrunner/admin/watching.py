"""What is under way and what happened: what the dashboard asks at every look. Nothing of it is in the audit trail.

What it needs is imported when it is asked for: a trigger pays for none of it.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from jobrunner.admin.context import Context

if TYPE_CHECKING:
    from jobrunner.domain.at_work import AtWork, BatchAtWork, ServerAtWork, Standing
    from jobrunner.domain.day import Day
    from jobrunner.domain.decision import Decision, Why
    from jobrunner.domain.event import Event
    from jobrunner.domain.filter import Term
    from jobrunner.domain.filter_text import Subject
    from jobrunner.domain.pulse import Pulse
    from jobrunner.domain.queue import Flow

_ALL = 1000
_MOST_FLOWING = 20_000


class Watching:
    """The verbs of who watches what goes on."""

    _context: Context

    def when_ready(self, tell: Callable[[], None]) -> None:
        """``tell`` is called, in some thread, when more is known than when it was asked: the file has been read, or
        something that is reckoned behind the back of who asks. Then it is worth asking again."""
        self._context.jobs.when_read = tell

    def put_off(self) -> None:
        """What is to be read behind the back of who asks waits until ``go_on``, or for a moment: who has just started
        wants to see something first, and nothing else runs beside the reading of a file."""
        self._context.jobs.put_off()

    def go_on(self) -> None:
        """Ends ``put_off``."""
        self._context.jobs.go_on()

    def pulse(self) -> Pulse:
        """How it goes as a whole."""
        from jobrunner.domain import pulse
        from jobrunner.store import servers
        from jobrunner.store.runs import under_way

        context = self._context
        now = context.clock.now()
        with context.db.snapshot():
            since = context.memory.failed_since.first(context.db, now)
            counts = under_way.counts(context.db, since)
            found = servers.find(context.db, now)
        return pulse.pulse(counts, found, context.settings, context.actor.host)

    def day(self, buckets: int = 48) -> Day:
        """How the runs ended that did within a day, counted in so many stretches; only what is new is read."""
        return self._context.memory.day.look(self._context.db, self._context.clock.now(), buckets)

    def running(self, limit: int = 100) -> tuple[AtWork, ...]:
        """The runs that run, those that began first before the others."""
        from jobrunner.domain.at_work import at_work
        from jobrunner.store.runs import under_way

        context = self._context
        runs = under_way.running(context.db, limit)
        usual = context.memory.usual.of(context.db, [run.job for run in runs])
        now = context.clock.now()
        return tuple(at_work(run, usual.get(run.job), now) for run in runs)

    def servers_at_work(self) -> tuple[ServerAtWork, ...]:
        """The living servers and those that ended within a day, by name, each with what it runs."""
        from jobrunner.domain.at_work import by_server
        from jobrunner.domain.health import as_they_count
        from jobrunner.store import servers

        context = self._context
        found = as_they_count(servers.find(context.db, context.clock.now()), context.settings.lost_after)
        return by_server(found, self.running(_ALL))

    def batches_at_work(self, limit: int = 50) -> tuple[BatchAtWork, ...]:
        """The newest batches, and how far they are."""
        from jobrunner.domain.at_work import batch_at_work
        from jobrunner.store import batches

        now = self._context.clock.now()
        return tuple(batch_at_work(batch, now) for batch in batches.find(self._context.db, limit))

    def line_of(self, queue: str, n: int = 100) -> tuple[Standing, ...]:
        """The first ``n`` queued runs of a queue in the order in which they are taken, and about when each starts."""
        from jobrunner.admin.explaining import living
        from jobrunner.domain.at_work import Standing
        from jobrunner.domain.prospect import starts_of
        from jobrunner.store import line
        from jobrunner.store.runs import under_way

        context = self._context
        servers = living(context)
        with context.db.snapshot():
            runs = under_way.in_line(context.db, queue, n)
            before = line.before_queue(context.db, queue, servers)
        usual = context.memory.usual.of(context.db, [*(run.job for run in runs), *before.jobs])
        starts = starts_of(before, [run.job for run in runs], usual, context.clock.now())
        return tuple(Standing(run, place, at) for place, (run, at) in enumerate(zip(runs, starts, strict=True), 1))

    def flows(self, length: timedelta = timedelta(minutes=5)) -> dict[str, Flow]:
        """How many runs went into and out of each queue by the minute, lately; queues without any are left out.

        Of the runs that are looked at the oldest was created an hour ago, or there are 20,000 newer ones.
        """
        from jobrunner.store import queues
        from jobrunner.store.runs.pages import extent

        context = self._context
        now = context.clock.now()
        with context.db.snapshot():
            _, newest = extent(context.db)
            first = max(context.memory.hour.first(context.db, now), newest - _MOST_FLOWING)
            return queues.flows(context.db, now - length, length / timedelta(minutes=1), first - 1)

    def events(self, n: int = 100) -> tuple[Event, ...]:
        """The newest of what happened: actions of people, servers, files put in force, failures, missed fires."""
        from jobrunner.domain import event
        from jobrunner.domain.decision import Why
        from jobrunner.store import audit, decisions, happened
        from jobrunner.store.runs import under_way

        db = self._context.db
        with db.snapshot():
            found = event.newest(
                n,
                audit=audit.find(db, None, n),
                servers=happened.servers(db, n),
                files=happened.files(db, min(n, 20)),
                failed=under_way.failed(db, n),
                missed=decisions.newest(db, n, whys=(Why.MISSED,)),
            )
            return self._with_jobs(found)

    def acts(self, n: int = 100) -> tuple[Event, ...]:
        """The newest of what people did or were refused: the audit trail as events."""
        from jobrunner.domain.event import of_action
        from jobrunner.store import audit

        db = self._context.db
        with db.snapshot():
            return self._with_jobs(tuple(map(of_action, audit.find(db, None, n))))

    def _with_jobs(self, found: tuple[Event, ...]) -> tuple[Event, ...]:
        """What was done with a run is about its job, too."""
        from jobrunner.store.runs import read

        unknown = [one.subject.id for one in found if one.subject.kind == "run" and not one.jobs]
        if not unknown:
            return found
        jobs = read.jobs_of(self._context.db, list(map(int, unknown)))
        return tuple(
            one._replace(jobs=(job,))
            if one.subject.kind == "run" and not one.jobs and (job := jobs.get(int(one.subject.id))) is not None
            else one
            for one in found
        )

    def event_terms(self, text: str) -> tuple[Term, ...]:
        """The terms of a filter of what happened, as of now. Raises UsageError, of one line."""
        from jobrunner.domain.row_filter import EVENTS

        return self._terms(text, EVENTS)

    def queue_terms(self, text: str) -> tuple[Term, ...]:
        """The terms of a filter of queues and batches, as of now. Raises UsageError, of one line."""
        from jobrunner.domain.row_filter import QUEUES

        return self._terms(text, QUEUES)

    def decision_terms(self, text: str) -> tuple[Term, ...]:
        """The terms of a filter of decisions, as of now. Raises UsageError, of one line."""
        from jobrunner.domain.filter_text import DECISIONS

        return self._terms(text, DECISIONS)

    def _terms(self, text: str, subject: Subject) -> tuple[Term, ...]:
        from zoneinfo import ZoneInfo

        from jobrunner.domain.filter_text import parse

        zone = ZoneInfo(self._context.settings.timezone)
        return parse(text, subject=subject, now=self._context.clock.now(), zone=zone)

    def decisions_like(self, terms: Sequence[Term], limit: int = 100) -> tuple[Decision, ...]:
        """Those that a filter asks for, newest first, of the last ``limit`` that there are for its reasons."""
        from jobrunner.domain import decision_filter as wanted

        found = self.decisions(wanted.one_job(terms), wanted.since(terms), limit, wanted.whys(terms))
        return tuple(filter(wanted.decision_test(terms), found))

    def decisions(
        self,
        job: str | None = None,
        since: datetime | None = None,
        limit: int = 100,
        whys: Collection[Why] | None = None,
    ) -> tuple[Decision, ...]:
        """The decisions that were made last, of one job or of all, newest first; ``whys`` None: for any reason."""
        from jobrunner.domain.decision import Why
        from jobrunner.store import decisions

        found = decisions.newest(
            self._context.db, limit, since=since, job=job, whys=tuple(Why) if whys is None else whys
        )
        return tuple(found)
