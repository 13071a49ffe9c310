"""What became of the fire times of a job, and what may keep the next one from a run.

What it needs is imported when it is asked for: a trigger pays for none of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from jobrunner.admin.context import Context
from jobrunner.admin.explaining import living, run_facts, usual_of
from jobrunner.admin.record import JobRecord, due_then, fire_facts, job_record, last_fire
from jobrunner.domain.clock import from_micros, to_micros

if TYPE_CHECKING:
    from jobrunner.domain.answer import Answer, Because, Coming, FireAnswer
    from jobrunner.domain.due import Due
    from jobrunner.domain.job import Job
    from jobrunner.domain.run import Run
    from jobrunner.domain.why_fire import FireFacts
    from jobrunner.domain.why_next import ComingFacts


class Answering:
    """The verb ``why`` about a job."""

    _context: Context

    def why_job(self, name: str, at: datetime | None = None) -> Answer:
        """Why a job runs or does not run now; with ``at`` (aware), what became of that fire time, or will.

        A job that has left the file is answered from the store.

        Raises:
            NotFound: no such job, and none in the store.
            ConfigError: the definition cannot be read.
        """
        known = job_record(self._context, name)
        return _now(self._context, known) if at is None else _at(self._context, known, at)

    def fires_around(self, name: str, at: datetime) -> tuple[datetime | None, datetime | None]:
        """The fire times of a job before and after an instant, by the definition that was or is in force then.

        Raises:
            NotFound: no such job, and none in the store.
        """
        known, micros = job_record(self._context, name), to_micros(at)
        due = due_then(known, known.version_at(at), at, self._context.clock.now())
        if due is None:
            return None, None
        before, after = due.last_until(micros - 1, micros - _FAR), due.next_after(micros)
        return (
            from_micros(before) if before is not None else None,
            from_micros(after) if after is not None else None,
        )


def _at(context: Context, known: JobRecord, at: datetime) -> Answer:
    from jobrunner.domain import why_fire
    from jobrunner.domain.answer import Answer

    facts = fire_facts(context, known, at)
    if facts is None:
        return _nothing_due(context, known, at)
    coming = _coming(context, known, at) if why_fire.verdict(facts) == "coming" else None
    because = [*why_fire.reasons(facts), *_of_run(context, facts.run), *why_fire.notes(facts)]
    return Answer(
        job=known.name,
        run=facts.run,
        verdict=why_fire.verdict(facts),
        headline=why_fire.headline(facts),
        because=tuple(because),
        at=at,
        fire=_fire(facts),
        next=coming,
    )


def _now(context: Context, known: JobRecord) -> Answer:
    from jobrunner.domain import why_job, why_run
    from jobrunner.domain.answer import Answer
    from jobrunner.store import pauses
    from jobrunner.store.runs import read

    active = read.active(context.db, known.name)
    now = context.clock.now()
    following = known.due.next_after(to_micros(now)) if known.due is not None else None
    coming = _coming(context, known, from_micros(following)) if following is not None else None
    last = last_fire(context, known, now)
    run = read.get(context.db, active[0].id) if active else None
    because: list[Because] = list(why_run.reasons(run_facts(context, run))) if run is not None else []
    latest = read.latest(context.db, [known.name]).get(known.name)
    because += why_job.reasons(known.job, latest=latest, last=last, active=active)
    headline = why_job.headline(
        known.name, known.job, run=run, versions=known.versions, pauses=pauses.everything(context.db)
    )
    return Answer(
        job=known.name,
        run=run,
        verdict=headline.code,
        headline=headline,
        because=tuple(because),
        fire=_fire(last) if last is not None else None,
        next=coming,
    )


def _of_run(context: Context, run: Run | None) -> Sequence[Because]:
    from jobrunner.domain import why_run

    return why_run.reasons(run_facts(context, run)) if run is not None else ()


def _nothing_due(context: Context, known: JobRecord, at: datetime) -> Answer:
    from jobrunner.domain import why_job
    from jobrunner.domain.answer import Answer

    micros, now = to_micros(at), context.clock.now()
    version = known.version_at(at)
    due = due_then(known, version, at, now)
    floor = to_micros(version.applied_at) if version is not None and at <= now else micros - _FAR
    before = due.last_until(micros, floor) if due is not None else None
    following = due.next_after(micros) if due is not None else None
    headline, because = why_job.not_due(known.name, at, now, version, known.versions, _schedules(due))
    return Answer(
        job=known.name,
        verdict=headline.code,
        headline=headline,
        because=because,
        at=at,
        before=from_micros(before) if before is not None else None,
        after=from_micros(following) if following is not None else None,
    )


_FAR = 366 * 86_400_000_000 * 8


def _schedules(due: Due | None) -> Sequence[tuple[str, str, str]]:
    """The schedules as (expression, in words, zone)."""
    from jobrunner.domain.words import describe

    return (
        [(each.expression, describe(each.expression), each.zone) for each in due.schedules] if due is not None else ()
    )


def _coming(context: Context, known: JobRecord, at: datetime) -> Coming | None:
    from jobrunner.domain import why_next
    from jobrunner.domain.answer import Coming

    if known.job is None or known.due is None:
        return None
    schedule = known.due.schedule_at(to_micros(at))
    zone = schedule.zone if schedule is not None else known.job.timezone
    return Coming(at=at, zone=zone, obstacles=why_next.obstacles(_coming_facts(context, known, known.job, at, zone)))


def _coming_facts(context: Context, known: JobRecord, job: Job, at: datetime, zone: str) -> ComingFacts:
    from jobrunner.domain.prospect import start_of
    from jobrunner.domain.why_next import ComingFacts
    from jobrunner.store import line, pauses
    from jobrunner.store.runs import read

    db, now = context.db, context.clock.now()
    servers = living(context)
    before = line.line(db, line.Place(job.queue, job.priority, at), servers)
    usual = usual_of(context, {job.name} | before.jobs)
    return ComingFacts(
        job=job,
        at=at,
        zone=zone,
        now=now,
        pauses=pauses.everything(db),
        servers=servers,
        active=read.active(db, job.name),
        usual=usual.get(job.name),
        config_hash=known.config_hash,
        calendars=known.calendars,
        line=before,
        start=start_of(before, usual, now) if before.workers else None,
    )


def _fire(facts: FireFacts) -> FireAnswer:
    from jobrunner.domain import why_fire
    from jobrunner.domain.answer import FireAnswer

    return FireAnswer(
        at=facts.at,
        zone=facts.schedule.zone if facts.schedule else None,
        expression=facts.schedule.expression if facts.schedule else None,
        verdict=why_fire.verdict(facts),
        run=facts.run,
        decision=facts.decision,
        version=facts.version.version if facts.version else None,
    )
