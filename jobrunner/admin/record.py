"""What is on record of a job and its fire times: definitions, runs, decisions, and who looked. For ``why``, ``verify``.

What it needs is imported when it is asked for: a trigger pays for none of it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, NamedTuple

from jobrunner import jobfile
from jobrunner.admin.context import Context
from jobrunner.domain.clock import from_micros, to_micros
from jobrunner.errors import ConfigError, JobrunnerError, NotFound

if TYPE_CHECKING:
    from datetime import date

    from jobrunner.domain.due import Due
    from jobrunner.domain.job import Job
    from jobrunner.domain.verification import Attention, Stretch, Unanswered
    from jobrunner.domain.version import Version
    from jobrunner.domain.why_fire import FireFacts


class JobRecord(NamedTuple):
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


def job_record(context: Context, name: str) -> JobRecord:
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
    return JobRecord(name, job, due, calendars, config_hash, past)


def fire_facts(context: Context, known: JobRecord, at: datetime) -> FireFacts | None:
    """What is known of a fire time; None where nothing was due then."""
    from jobrunner.domain.why_fire import FireFacts
    from jobrunner.store import decisions, fires, pauses
    from jobrunner.store.runs import read

    db, now = context.db, context.clock.now()
    version = known.version_at(at)
    due = due_then(known, version, at, now)
    schedule = due.schedule_at(to_micros(at)) if due is not None else None
    run_id = fires.run_at(db, known.name, at)
    decision = decisions.at(db, known.name, at) if run_id is None and at <= now else None
    if run_id is None and schedule is None and not (decision and at in (decision.first_fire, decision.last_fire)):
        return None
    left = None
    looked = attention(context, known.name)
    if run_id is None and decision is None and at <= now:
        left = _unanswered(known, version, due, at, looked)
    return FireFacts(
        job=known.name,
        at=at,
        now=now,
        schedule=schedule,
        run=read.get(db, run_id) if run_id is not None else None,
        decision=decision,
        unanswered=left,
        pause=pauses.over_job(db, known.name, at) if at <= now else None,
        outage=_outage(looked, at),
        version=version,
        current=known.versions[-1] if known.versions else None,
    )


def last_fire(context: Context, known: JobRecord, now: datetime) -> FireFacts | None:
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
    return fire_facts(context, known, max(ats)) if ats else None


def due_then(known: JobRecord, version: Version | None, at: datetime, now: datetime) -> Due | None:
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
    known: JobRecord, version: Version | None, due: Due | None, at: datetime, attention: Attention
) -> Unanswered:
    from jobrunner.domain.verification import Unanswered, unanswered

    if due is None:
        return Unanswered.CHANGED
    return unanswered(to_micros(at), _stretch(version, due, known.job, attention.now), attention)


def _stretch(version: Version | None, due: Due, job: Job | None, now: int) -> Stretch:
    """The stretch of a version; of a store that knows none, of the file's own definition."""
    from jobrunner.domain.verification import Stretch

    if version is None:
        return Stretch(0, now, due, enabled=job is not None and job.enabled, last=True)
    found = job_of(version)
    until = to_micros(version.replaced_at) if version.replaced_at is not None else now
    enabled = found is not None and found[0].enabled
    return Stretch(to_micros(version.applied_at), until, due, enabled=enabled, last=version.replaced_at is None)


def attention(context: Context, job: str | None = None) -> Attention:
    """Who has looked at fires; of a job also how far."""
    from jobrunner.domain.verification import Attention
    from jobrunner.store import fires, retention

    db, now, silence = context.db, context.clock.now(), context.settings.lost_after
    return Attention(
        until=fires.attended_of(db, job) if job is not None else None,
        served=fires.served(db, now, silence),
        since=fires.serving_since(db, now, silence),
        now=to_micros(now),
        removed=retention.removed_until(db, job) if job is not None else None,
    )


def _outage(attention: Attention, at: datetime) -> tuple[datetime | None, datetime | None] | None:
    """From when to when no server scheduled around an instant; None where one did."""
    micros = to_micros(at)
    if any(start <= micros <= end for start, end in attention.served):
        return None
    before = max((end for _, end in attention.served if end < micros), default=None)
    after = min((start for start, _ in attention.served if start > micros), default=None)
    return (from_micros(before) if before is not None else None, from_micros(after) if after is not None else None)
