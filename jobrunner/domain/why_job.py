"""How a job stands now, and why nothing of it was due at some time, in words. Pure; called by admin for ``why JOB``."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

from jobrunner.domain import why_fire
from jobrunner.domain.answer import Because, because
from jobrunner.domain.job import Job
from jobrunner.domain.queue import Pause
from jobrunner.domain.run import Run
from jobrunner.domain.version import Version
from jobrunner.domain.why_fire import FireFacts
from jobrunner.domain.why_run import headline as run_headline


def headline(
    name: str, job: Job | None, *, run: Run | None, versions: Sequence[Version], pauses: Sequence[Pause]
) -> Because:
    """How it stands: by its oldest active ``run``, else what keeps it from having any. ``code`` is the verdict."""
    if run is not None:
        return run_headline(run)
    if job is None:
        gone = versions[-1] if versions and versions[-1].definition is None else None
        if gone is None:
            return because("removed", "{job} is in the file no more", job=name)
        return because(
            "removed",
            "{job} is in the file no more, since {since} (server {server}, {who})",
            job=name,
            since=gone.applied_at,
            server=gone.server,
            who=gone.who,
        )
    if not job.enabled:
        return because("disabled", "{job} is not running, and is disabled in the file", job=name)
    if any((pause.scope, pause.name) in (("job", name), ("all", "")) for pause in pauses):
        return because("paused", "{job} is not running, and is paused", job=name)
    return because("idle", "{job} is not running now", job=name)


def reasons(job: Job | None, *, latest: Run | None, last: FireFacts | None, active: Sequence[Run]) -> Iterator[Because]:
    """Why it is not running: nothing is due, or what became of the fire before."""
    if len(active) > 1:
        words = "{more} more run of it is active." if len(active) == 2 else "{more} more runs of it are active."
        yield because("active", words, more=len(active) - 1)
    if job is not None and not job.schedules:
        yield from _unscheduled(job)
    if last is not None and not (last.run is not None and active and last.run.id == active[0].id):
        yield _last(why_fire.headline(last))
        if last.run is None:
            yield from why_fire.reasons(last)
        elif last.run.error:
            yield because("error", "{error}.", error=last.run.error[:1].upper() + last.run.error[1:].rstrip("."))
    if latest is not None and not active and (last is None or last.run is None or last.run.id != latest.id):
        yield because("last_run", "Its last run, {run}, {state}.", run=latest.id, state=why_fire.STATES[latest.state])
    if latest is not None and latest.dead:
        words = "Run {run} is a dead letter; that keeps no other run from starting."
        yield because("dead", words, run=latest.id)


def not_due(
    name: str,
    at: datetime,
    now: datetime,
    version: Version | None,
    versions: Sequence[Version],
    schedules: Sequence[tuple[str, str, str]],
) -> tuple[Because, tuple[Because, ...]]:
    """That nothing was due at ``at``, and why: by the schedules then, each as (expression, words, zone)."""
    tense = "was" if at <= now else "is"
    headline = because("not_due", f"Nothing of {{job}} {tense} due at {{at}}", job=name, at=at)
    if at <= now and version is None and versions:
        words = "It was first loaded at {since}; nothing of it was due before."
        return headline, (because("not_yet_known", words, since=versions[0].applied_at),)
    if at <= now and version is not None and version.definition is None:
        return headline, (because("removed", "It was in no file then, since {since}.", since=version.applied_at),)
    if not schedules:
        return headline, (because("unscheduled", "It has no schedule: a person, a program or another run starts it."),)
    words = f"Its schedule {tense} {{expression}}: {{meaning}} ({{zone}})."
    return headline, tuple(
        because("schedule", words, expression=expression, meaning=meaning[:1].lower() + meaning[1:], zone=zone)
        for expression, meaning, zone in schedules
    )


def _unscheduled(job: Job) -> Iterator[Because]:
    if job.after is not None:
        yield because("after", "It has no schedule: it follows {jobs}.", jobs=", ".join(job.after.jobs))
    else:
        words = "It has no schedule: a person, a program or another run starts it (jobrunner trigger {job})."
        yield because("unscheduled", words, job=job.name)


def _last(said: Because) -> Because:
    """The headline of the last fire, as a sentence among others."""
    return Because("last_fire", f"Last: {said.words}.", said.values | {"verdict": said.code})  # type: ignore[operator]
