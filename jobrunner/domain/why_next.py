"""What may keep the next fire of a job from a run, or its run from starting. Pure; called by admin for ``why JOB``."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

from jobrunner.domain.answer import Because, Value, because
from jobrunner.domain.estimate import Estimate
from jobrunner.domain.holds import no_server_for, pause_words
from jobrunner.domain.job import Job, Overlap
from jobrunner.domain.prospect import Line, Start
from jobrunner.domain.queue import Pause
from jobrunner.domain.run import Run
from jobrunner.domain.server import Server
from jobrunner.domain.state import RunState


@dataclass(frozen=True, slots=True, kw_only=True)
class ComingFacts:
    """What is known now of a fire to come at ``at``, on the wall clock of ``zone``.

    ``servers`` are the living ones, ``active`` the active runs of the job, oldest first. ``config_hash`` is that of the
    file, None where it is not valid. ``calendars`` has the days of those that the job's ``blackout`` names. ``line`` is
    what stands in the job's queue now, ``start`` when a run would get through it.
    """

    job: Job
    at: datetime
    zone: str
    now: datetime
    pauses: Sequence[Pause] = ()
    servers: Sequence[Server] = ()
    active: Sequence[Run] = ()
    usual: Estimate | None = None
    config_hash: str | None = None
    calendars: Mapping[str, Sequence[date]]
    line: Line | None = None
    start: Start | None = None


def obstacles(facts: ComingFacts) -> tuple[Because, ...]:
    """All that stands in the way, what is certain first."""
    return (
        *_definition(facts),
        *_blackout(facts),
        *_pauses(facts),
        *_servers(facts),
        *_overlap(facts),
        *_backlog(facts),
    )


def _definition(facts: ComingFacts) -> Iterator[Because]:
    if not facts.job.enabled:
        yield because("disabled", "It is disabled in the file: enabled = false.")
    if facts.job.shadow:
        yield because("shadow", "It is a shadow: the fire is recorded and not executed.")


def _blackout(facts: ComingFacts) -> Iterator[Because]:
    day = facts.at.astimezone(ZoneInfo(facts.zone)).date()
    for name, days in facts.calendars.items():
        if day in days:
            defers = facts.job.on_blackout == "defer"
            words = "{day} is a day of calendar {calendar}: the fire " + ("is put off." if defers else "is left out.")
            yield because("blackout", words, day=day.isoformat(), calendar=name)


def _pauses(facts: ComingFacts) -> Iterator[Because]:
    for pause in facts.pauses:
        if pause.until is not None and pause.until <= facts.at:
            continue
        if (pause.scope, pause.name) in (("job", facts.job.name), ("all", "")):
            yield pause_words(pause)
        elif (pause.scope, pause.name) == ("queue", facts.job.queue):
            yield pause_words(pause)
            yield because("queue_paused", "Its run would wait until then.")


def _servers(facts: ComingFacts) -> Iterator[Because]:
    yield from no_server_for(facts.job.queue, facts.servers)
    scheduling = [server for server in facts.servers if server.scheduler_age is not None]
    if facts.servers and not scheduling and all(server.state.value != "starting" for server in facts.servers):
        yield because("no_scheduler", "No server fires schedules: all of them run with --no-scheduler.")
    for server in scheduling:
        if server.config_error is not None:
            words = "Server {server} goes on with an older file, for it refused this one: {error}."
            yield because("config_refused", words, server=server.name, error=server.config_error.rstrip("."))
        elif facts.config_hash is not None and server.config_hash != facts.config_hash:
            words = "Server {server} has another file in force, since this one was changed: jobrunner reload."
            yield because("config_differs", words, server=server.name)


def _overlap(facts: ComingFacts) -> Iterator[Because]:
    job = facts.job
    if not facts.active or (job.overlap is Overlap.ALLOW and job.unique is None):
        return
    run = facts.active[0]
    if not _lasts(run, facts):
        return
    what = "Run {run} is {state}" + (", and runs of it usually take {usual}" if facts.usual else "")
    then = {
        Overlap.SKIP: "if it still is then, the fire is skipped",
        Overlap.QUEUE: "the fire's run waits until it has ended",
        Overlap.REPLACE: "the fire replaces it",
        Overlap.ALLOW: "if it still is then, the fire is not unique",
    }[job.overlap]
    usual = facts.usual.median if facts.usual else None
    yield because(
        "overlap", f"{what}: {then}.", run=run.id, state=run.state.value, usual=usual, overlap=str(job.overlap)
    )


def _lasts(run: Run, facts: ComingFacts) -> bool:
    """Whether a run may still be active at the fire, by what runs of the job usually take."""
    if facts.usual is None:
        return True
    if run.state is RunState.RUNNING and run.started_at is not None:
        end = run.started_at + facts.usual.p95
        return end < facts.now or end >= facts.at
    begins = max(run.run_after, facts.now)
    return run.state is RunState.WAITING or begins + facts.usual.p95 >= facts.at


def _backlog(facts: ComingFacts) -> Iterator[Because]:
    line, start = facts.line, facts.start
    if line is None or start is None or not line.before:
        return
    values: dict[str, Value] = {"runs": line.before, "queue": facts.job.queue}
    if start.at is None:
        yield because("backlog", "{runs} runs stand in queue {queue}; nobody can tell how long they take.", **values)
    elif start.at > facts.at:
        yield because("backlog", "{runs} runs stand in queue {queue}: until about {about}.", about=start.at, **values)
        expires = facts.job.expires
        if expires is not None and start.at > facts.at + expires:
            yield because("expires", "Its run would expire before it starts (expires = {expires}).", expires=expires)
