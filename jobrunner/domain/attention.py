"""What needs a person's attention: exceptions with their reasons, the most urgent first. Pure; called by admin.

An empty list means that all is well. Each says what is the matter, since when, and what to do next.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import NamedTuple

from jobrunner.domain.at_work import AtWork
from jobrunner.domain.decision import Decision
from jobrunner.domain.duration import format_duration
from jobrunner.domain.event import Subject
from jobrunner.domain.finding import Finding, Severity
from jobrunner.domain.health import heard, of_servers
from jobrunner.domain.job import Sla
from jobrunner.domain.queue import Pause
from jobrunner.domain.run import Run
from jobrunner.domain.server import Server, ServerState, odd_configurations

PATIENCE = timedelta(minutes=1)
"""For how long a run may wait for a worker before that is late, where its job promises nothing."""

_SHOWN = 3


class Concern(StrEnum):
    """What kind of exception it is; in the order of their urgency."""

    STORE = "store"
    SERVERS = "servers"
    FILE = "file"
    FAILED = "failed"
    QUEUE = "queue"
    LATE = "late"
    MISSED = "missed"
    OVERDUE = "overdue"
    SLOW = "slow"
    APPROVAL = "approval"
    RETRYING = "retrying"
    DIFFERS = "differs"
    PAUSED = "paused"


_URGENCY = {concern: place for place, concern in enumerate(Concern)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Attention:
    """One exception. ``words`` are a line on what is the matter, ``since`` is since when, where that is known.

    ``run_id`` is the run to look at, ``count`` how many runs or fires are concerned. ``until`` is when it changes by
    itself: the end of a pause, the next attempt. ``verb`` is the command that helps, empty where none does.
    """

    concern: Concern
    subject: Subject
    words: str
    since: datetime | None = None
    run_id: int | None = None
    count: int = 1
    until: datetime | None = None
    verb: str = ""


class Needs(NamedTuple):
    """What needs attention, the most urgent first; ``total`` counts what was left out, too."""

    items: tuple[Attention, ...]
    total: int


class Letters(NamedTuple):
    """The dead letters of a job: how many, and the newest."""

    job: str
    runs: int
    newest: Run


class Waits(NamedTuple):
    """Runs of a job that wait, for a worker (``reason`` None) or for something else: how many, the one longest due."""

    job: str
    queue: str
    runs: int
    run_id: int
    since: datetime
    reason: str | None = None


class Head(NamedTuple):
    """The run of a queue that has been due for the longest."""

    queue: str
    since: datetime


class Facts(NamedTuple):
    """What is known now. ``slas`` are the promises of the jobs in the file, as far as it is known.

    ``waits`` are those that have been due for longer than their job promises. ``missed`` are decisions of the last day
    about fires that nobody looked at in time, of jobs that have not succeeded since. ``scheduled``: there are jobs with
    schedules. ``file_error`` is what is wrong with the file here. ``store`` are findings about the store.
    """

    now: datetime
    lost_after: timedelta
    servers: Sequence[Server]
    scheduled: bool
    dead: Sequence[Letters] = ()
    waits: Sequence[Waits] = ()
    heads: Sequence[Head] = ()
    missed: Sequence[Decision] = ()
    running: Sequence[AtWork] = ()
    retrying: Sequence[Run] = ()
    pauses: Sequence[Pause] = ()
    slas: Mapping[str, Sla] | None = None
    file_error: str | None = None
    store: Sequence[Finding] = ()


def attention(facts: Facts) -> list[Attention]:
    """All that needs attention, the most urgent first; of one kind what began last."""
    found = [
        *_store(facts),
        *_servers(facts),
        *_file(facts),
        *_dead(facts),
        *_waiting(facts),
        *_missed(facts),
        *_running(facts),
        *_retrying(facts),
        *_pauses(facts),
    ]
    return sorted(found, key=lambda item: (_URGENCY[item.concern], -_instant(item.since), item.words))


def _instant(at: datetime | None) -> float:
    return at.timestamp() if at is not None else 0.0


def _store(facts: Facts) -> Iterator[Attention]:
    for finding in facts.store:
        if finding.status in (Severity.FAULT, Severity.WARNING):
            yield Attention(
                concern=Concern.STORE, subject=Subject("store", 0), words=finding.detail, verb="jobrunner doctor"
            )


def _servers(facts: Facts) -> Iterator[Attention]:
    there = heard(facts.servers, facts.lost_after)
    names = {server.name for server in there}
    for server in facts.servers:
        silent = timedelta(seconds=round(server.heartbeat_age))
        ended = facts.now - silent
        if server.live and server not in there:
            words = f"server {server.name} on {server.host} has been silent for {format_duration(silent)}"
            yield _of_server(server, words, ended)
        elif server.state is ServerState.LOST and server.name not in names:
            yield _of_server(server, f"server {server.name} on {server.host} was lost, and has not come back", ended)
    wrong = of_servers(there, scheduled=facts.scheduled, lost_after=facts.lost_after)
    for finding in wrong:
        if "older file" not in finding.detail:
            verb = "jobrunner run" if finding.name == "servers" else "jobrunner doctor"
            yield Attention(concern=Concern.SERVERS, subject=Subject("server", ""), words=finding.detail, verb=verb)
    odd = odd_configurations(there)
    differing = [server.name for server in there if server.config_hash in odd and server.config_error is None]
    if differing:
        yield Attention(
            concern=Concern.DIFFERS,
            subject=Subject("server", differing[0]),
            words=f"{_listed(differing)}: another configuration in force than elsewhere",
            verb="jobrunner reload",
        )


def _of_server(server: Server, words: str, since: datetime) -> Attention:
    return Attention(
        concern=Concern.SERVERS,
        subject=Subject("server", server.name),
        words=words,
        since=since,
        verb="jobrunner servers",
    )


def _file(facts: Facts) -> Iterator[Attention]:
    if facts.file_error is not None:
        yield Attention(
            concern=Concern.FILE, subject=Subject("file", ""), words=facts.file_error, verb="jobrunner check"
        )
    for server in heard(facts.servers, facts.lost_after):
        if server.config_error is not None and server.config_error != facts.file_error:
            words = f"server {server.name} goes on with an older file: {server.config_error}"
            yield Attention(
                concern=Concern.FILE, subject=Subject("server", server.name), words=words, verb="jobrunner check"
            )


def _dead(facts: Facts) -> Iterator[Attention]:
    for job, count, run in facts.dead:
        said = run.error or (f"exit code {run.exit_code}" if run.exit_code is not None else "it failed")
        tries = f" after {run.attempt} attempts" if run.attempt > 1 else ""
        words = f"failed{tries}: {said}" if count == 1 else f"{count} failed, the last{tries}: {said}"
        yield Attention(
            concern=Concern.FAILED,
            subject=Subject("job", job),
            words=words,
            since=run.finished_at or run.created_at,
            run_id=run.id,
            count=count,
            verb=f"jobrunner retry {run.id}" if count == 1 else f"jobrunner retry --dead --job {job}",
        )


def _waiting(facts: Facts) -> Iterator[Attention]:
    there = heard(facts.servers, facts.lost_after)
    held = {pause.name for pause in facts.pauses if pause.scope == "queue"}
    jobs_held = {pause.name for pause in facts.pauses if pause.scope == "job"}
    everything = any(pause.scope == "all" for pause in facts.pauses)
    stuck = set[str]()
    for queue, since in facts.heads:
        reason = _stuck(queue, there)
        if there and reason is not None and queue not in held and not everything:
            stuck.add(queue)
            yield Attention(
                concern=Concern.QUEUE,
                subject=Subject("queue", queue),
                words=f"queue {queue}: {reason}",
                since=since,
                verb=f"jobrunner run --queue {queue}",
            )
    for wait in facts.waits:
        if wait.reason == "approval":
            yield _wait(wait, Concern.APPROVAL, "waits for a person", f"jobrunner approve {wait.run_id}")
        elif everything or wait.queue in held or wait.job in jobs_held or wait.queue in stuck:
            continue
        else:
            reason = f"held by {wait.reason.replace('_', ' ')}" if wait.reason else _busy(wait.queue, there)
            yield _wait(wait, Concern.LATE, reason, f"jobrunner why {wait.run_id}")


def _wait(wait: Waits, concern: Concern, reason: str, verb: str) -> Attention:
    return Attention(
        concern=concern,
        subject=Subject("job", wait.job),
        words=reason if wait.runs == 1 else f"{wait.runs} runs: {reason}",
        since=wait.since,
        run_id=wait.run_id,
        count=wait.runs,
        verb=verb,
    )


def _stuck(queue: str, there: Sequence[Server]) -> str | None:
    serving = [server for server in there if queue in server.queues]
    if not serving:
        return "no living server serves it"
    if all(server.state is ServerState.DRAINING for server in serving):
        return "its servers are about to end"
    return None


def _busy(queue: str, there: Sequence[Server]) -> str:
    serving = [server for server in there if queue in server.queues and server.state is not ServerState.DRAINING]
    workers, busy = sum(server.workers for server in serving), sum(server.busy for server in serving)
    if not serving:
        return "no server runs"
    if busy >= workers:
        return f"waits for a worker: all {workers} that serve queue {queue} are busy"
    return f"has not started, though {busy} of {workers} workers are busy"


def _missed(facts: Facts) -> Iterator[Attention]:
    by_job = dict[str, list[Decision]]()
    for decision in facts.missed:
        by_job.setdefault(decision.job, []).append(decision)
    for job, decisions in by_job.items():
        count, last = sum(each.fires for each in decisions), max(decisions, key=lambda each: each.last_fire)
        yield Attention(
            concern=Concern.MISSED,
            subject=Subject("job", job),
            words=f"missed {'a start' if count == 1 else f'{count} starts'}: {last.detail}",
            since=min(each.first_fire for each in decisions),
            count=count,
            verb=f"jobrunner trigger {job}",
        )


def _running(facts: Facts) -> Iterator[Attention]:
    for each in facts.running:
        run = each.run
        if run.started_at is None:
            continue
        took = timedelta(seconds=round((facts.now - run.started_at).total_seconds()))
        sla = facts.slas.get(run.job) if facts.slas is not None else None
        promised = sla.finish_within if sla is not None else None
        if promised is not None and facts.now - run.run_after > promised:
            words = f"not finished within {format_duration(promised)}; running for {format_duration(took)}"
            yield _at_work(run, Concern.OVERDUE, words, run.run_after + promised)
        elif each.slow and each.usual is not None:
            times, usual = took / each.usual.p95, timedelta(seconds=max(round(each.usual.p95.total_seconds()), 1))
            words = f"running {times:.1f}x its p95 ({format_duration(usual)})"
            yield _at_work(run, Concern.SLOW, words, run.started_at + each.usual.p95)


def _at_work(run: Run, concern: Concern, words: str, since: datetime) -> Attention:
    return Attention(
        concern=concern,
        subject=Subject("job", run.job),
        words=words,
        since=since,
        run_id=run.id,
        verb=f"jobrunner logs -f {run.id}",
    )


def _retrying(facts: Facts) -> Iterator[Attention]:
    by_job = dict[str, list[Run]]()
    for run in facts.retrying:
        by_job.setdefault(run.job, []).append(run)
    for job, runs in by_job.items():
        run = min(runs, key=lambda each: each.run_after)
        said = run.error or (f"exit code {run.exit_code}" if run.exit_code is not None else "it failed")
        words = f"attempt {run.attempt} of {run.max_attempts} failed: {said}"
        yield Attention(
            concern=Concern.RETRYING,
            subject=Subject("job", job),
            words=words if len(runs) == 1 else f"{len(runs)} runs are tried again; {words}",
            since=run.finished_at or run.started_at,
            run_id=run.id,
            count=len(runs),
            until=run.run_after,
            verb=f"jobrunner logs {run.id}",
        )


def _pauses(facts: Facts) -> Iterator[Attention]:
    for pause in facts.pauses:
        what = f"{pause.scope} {pause.name}" if pause.name else "everything"
        words = f"{what} paused by {pause.who}" + (f": {pause.reason}" if pause.reason else "")
        option = {"queue": f"--queue {pause.name}", "all": "--all"}.get(pause.scope, pause.name)
        yield Attention(
            concern=Concern.PAUSED,
            subject=Subject(pause.scope, pause.name or 0),
            words=words,
            since=pause.since,
            until=pause.until,
            verb=f"jobrunner resume {option}",
        )


def _listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return ", ".join(names[:_SHOWN]) + more
