"""What became of the fire times of a job, and what may keep the next one from a run.

What it needs is imported when it is asked for: a trigger pays for none of it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, NamedTuple

from jobrunner import jobfile
from jobrunner.admin.context import Context
from jobrunner.admin.explaining import living, run_facts, usual_of
from jobrunner.domain.clock import from_micros, to_micros
from jobrunner.errors import ConfigError, JobrunnerError, NotFound

if TYPE_CHECKING:
    from datetime import date

    from jobrunner.domain.answer import Answer, Because, Coming, FireAnswer
    from jobrunner.domain.due import Due
    from jobrunner.domain.job import Job
    from jobrunner.domain.run import Run
    from jobrunner.domain.verification import Attention, Stretch, Unanswered
    from jobrunner.domain.version import Version
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
        known = _known(self._context, name)
        return _now(self._context, known) if at is None else _at(self._context, known, at)


class _Known(NamedTuple):
    """A job: its definition in the file, None where it is in none, and what servers have had in force."""

    name: str
    job: Job | None
    due: Due | None
    calendars: Mapping[str, Sequence[date]]
    config_hash: str | None
    versions: Sequence[Version]

    def version_at(self, at: datetime) -> Version | None:
        """The version in force at an instant. A fire at the moment of a change belongs to the former."""
        found = (each for each in reversed(self.versions) if each.applied_at < at)
        return next(found, None)


def _known(context: Context, name: str) -> _Known:
    from jobrunner.domain.due import Due
    from jobrunner.store import fires, versions

    past = versions.of(context.db, name)
    calendars: Mapping[str, Sequence[date]] = past[-1].calendars if past else {}
    config_hash = None
    job: Job | None = None
    try:
        whole = context.jobs.all()
        job, config_hash = whole.jobs.get(name), whole.config_hash
        calendars = {each: whole.calendars[each].dates for each in job.blackout} if job else calendars
        if job is None and not past and fires.last_answered(context.db, name, context.clock.now()) is None:
            context.jobs.named(name)  # which says what is near
    except ConfigError:
        try:
            job = context.jobs.one(name)
        except NotFound:
            if not past:
                raise
    due = Due(job) if job is not None else None
    return _Known(name, job, due, calendars, config_hash, past)


def _at(context: Context, known: _Known, at: datetime) -> Answer:
    from jobrunner.domain import why_fire
    from jobrunner.domain.answer import Answer

    facts = _fire_facts(context, known, at)
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


def _now(context: Context, known: _Known) -> Answer:
    from jobrunner.domain import why_job, why_run
    from jobrunner.domain.answer import Answer
    from jobrunner.store import pauses
    from jobrunner.store.runs import read

    active = read.active(context.db, known.name)
    now = context.clock.now()
    following = known.due.next_after(to_micros(now)) if known.due is not None else None
    coming = _coming(context, known, from_micros(following)) if following is not None else None
    last = _last_fire(context, known, now)
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


def _fire_facts(context: Context, known: _Known, at: datetime) -> FireFacts | None:
    """What is known of a fire time; None where nothing was due then."""
    from jobrunner.domain.why_fire import FireFacts
    from jobrunner.store import decisions, fires, pauses
    from jobrunner.store.runs import read

    db, now = context.db, context.clock.now()
    version = known.version_at(at)
    due = _due_then(known, version, at, now)
    schedule = due.schedule_at(to_micros(at)) if due is not None else None
    run_id = fires.run_at(db, known.name, at)
    decision = decisions.at(db, known.name, at) if run_id is None and at <= now else None
    if run_id is None and schedule is None and not (decision and at in (decision.first_fire, decision.last_fire)):
        return None
    left = None
    attention = _attention(context, known.name)
    if run_id is None and decision is None and at <= now:
        left = _unanswered(known, version, due, at, attention)
    return FireFacts(
        job=known.name,
        at=at,
        now=now,
        schedule=schedule,
        run=read.get(db, run_id) if run_id is not None else None,
        decision=decision,
        unanswered=left,
        pause=pauses.over_job(db, known.name, at) if at <= now else None,
        outage=_outage(attention, at),
        version=version,
        current=known.versions[-1] if known.versions else None,
    )


def _due_then(known: _Known, version: Version | None, at: datetime, now: datetime) -> Due | None:
    """What was, or will be, due by: the version in force then; the file for what is to come, and before any version."""
    if at > now or (version is None and not known.versions):
        return known.due
    return due_of(version) if version is not None else None


def due_of(version: Version) -> Due | None:
    """When a version's job was due, None where it was taken out, or cannot be read any more."""
    found = job_of(version)
    return found[1] if found is not None else None


def job_of(version: Version) -> tuple[Job, Due] | None:
    """The job of a version and when it was due."""
    from jobrunner.domain.due import Due

    if version.definition is None:
        return None
    try:
        job = jobfile.job_from_definition(version.job, version.definition)
        return job, Due(job)
    except JobrunnerError:
        return None


def _unanswered(
    known: _Known, version: Version | None, due: Due | None, at: datetime, attention: Attention
) -> Unanswered:
    from jobrunner.domain.verification import Unanswered, unanswered

    if due is None:
        return Unanswered.CHANGED
    return unanswered(to_micros(at), stretch_of(version, due, known.job, attention.now), attention)


def stretch_of(version: Version | None, due: Due, job: Job | None, now: int) -> Stretch:
    """The stretch of a version; of a store that knows none, of the file's own definition."""
    from jobrunner.domain.verification import Stretch

    if version is None:
        return Stretch(0, now, due, enabled=job is not None and job.enabled, last=True)
    found = job_of(version)
    until = to_micros(version.replaced_at) if version.replaced_at is not None else now
    enabled = found is not None and found[0].enabled
    return Stretch(to_micros(version.applied_at), until, due, enabled=enabled, last=version.replaced_at is None)


def _attention(context: Context, job: str) -> Attention:
    from jobrunner.domain.verification import Attention
    from jobrunner.store import fires

    db, now, silence = context.db, context.clock.now(), context.settings.lost_after
    return Attention(
        until=fires.attended_of(db, job),
        served=fires.served(db, now, silence),
        since=fires.serving_since(db, now, silence),
        now=to_micros(now),
    )


def _outage(attention: Attention, at: datetime) -> tuple[datetime | None, datetime | None] | None:
    """From when to when no server scheduled around an instant; None where one did."""
    micros = to_micros(at)
    if any(start <= micros <= end for start, end in attention.served):
        return None
    before = max((end for _, end in attention.served if end < micros), default=None)
    after = min((start for start, _ in attention.served if start > micros), default=None)
    return (from_micros(before) if before is not None else None, from_micros(after) if after is not None else None)


def _nothing_due(context: Context, known: _Known, at: datetime) -> Answer:
    from jobrunner.domain import why_job
    from jobrunner.domain.answer import Answer

    micros, now = to_micros(at), context.clock.now()
    version = known.version_at(at)
    due = _due_then(known, version, at, now)
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


def _last_fire(context: Context, known: _Known, now: datetime) -> FireFacts | None:
    """The last fire that was due, by the versions in force, or has an answer."""
    from jobrunner.store import fires

    found = [fires.last_answered(context.db, known.name, now)]
    for version in reversed(known.versions):
        due = due_of(version)
        until = min(to_micros(version.replaced_at or now), to_micros(now))
        last = due.last_until(until, to_micros(version.applied_at)) if due is not None else None
        if last is not None:
            found.append(from_micros(last))
            break
    ats = [at for at in found if at is not None]
    return _fire_facts(context, known, max(ats)) if ats else None


def _coming(context: Context, known: _Known, at: datetime) -> Coming | None:
    from jobrunner.domain import why_next
    from jobrunner.domain.answer import Coming

    if known.job is None or known.due is None:
        return None
    schedule = known.due.schedule_at(to_micros(at))
    zone = schedule.zone if schedule is not None else known.job.timezone
    return Coming(at=at, zone=zone, obstacles=why_next.obstacles(_coming_facts(context, known, known.job, at, zone)))


def _coming_facts(context: Context, known: _Known, job: Job, at: datetime, zone: str) -> ComingFacts:
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
