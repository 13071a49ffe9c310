"""What happened lately, as one feed of what people did, what servers did, and what failed. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from enum import StrEnum
from heapq import nlargest
from itertools import chain
from typing import TYPE_CHECKING, NamedTuple

from jobrunner.domain.server import ServerState

if TYPE_CHECKING:
    from jobrunner.domain.audit import AuditEntry
    from jobrunner.domain.decision import Decision
    from jobrunner.domain.run import Run


class Happened(StrEnum):
    """What an event is about."""

    ACTION = "action"
    REFUSED = "refused"
    STARTED = "started"
    STOPPED = "stopped"
    LOST = "lost"
    FILE = "file"
    FAILED = "failed"
    MISSED = "missed"


class Subject(NamedTuple):
    """What something is about, to go to: ``kind`` is job, run, queue, batch, server, file, store or all (``id`` 0)."""

    kind: str
    id: str | int


class Event(NamedTuple):
    """One thing that happened. ``who`` did it: a person, a server, or ``scheduler``; ``words`` say what, in a line.

    ``key`` tells it from all others, for good. ``jobs`` are those that it is about, as far as they are known.
    """

    key: tuple[str, str, int]
    at: datetime
    happened: Happened
    who: str
    words: str
    subject: Subject
    jobs: tuple[str, ...] = ()


class Came(NamedTuple):
    """A server that came or went."""

    id: int
    name: str
    host: str
    at: datetime
    state: ServerState


class PutInForce(NamedTuple):
    """A file that a server put in force: the jobs of which that made a new version, some of them named."""

    at: datetime
    who: str
    server: str
    origin: str
    jobs: int
    named: tuple[str, ...]


def newest(
    n: int,
    *,
    audit: Iterable[AuditEntry],
    servers: Iterable[Came],
    files: Iterable[PutInForce],
    failed: Iterable[Run],
    missed: Iterable[Decision],
) -> tuple[Event, ...]:
    """The newest ``n`` of all that happened, newest first."""
    found = chain(
        map(of_action, audit), map(_server, servers), map(_file, files), map(_failed, failed), map(_missed, missed)
    )
    return tuple(nlargest(n, found, key=lambda event: (event.at, event.key)))


def of_action(entry: AuditEntry) -> Event:
    """What a person did, or was refused."""
    done, subject = entry.outcome == "done", subject_of(entry.target)
    words = " ".join(part for part in (entry.action, entry.target, entry.detail) if part)
    return Event(
        key=("audit", "", entry.id),
        at=entry.at,
        happened=Happened.ACTION if done else Happened.REFUSED,
        who=entry.who,
        words=words if done else f"{words}: {entry.outcome}",
        subject=subject,
        jobs=(str(subject.id),) if subject.kind == "job" else (),
    )


def subject_of(target: str) -> Subject:
    """What the target of an entry of the audit trail names; a bare name is a job's."""
    kind, _, name = target.partition(" ")
    if kind == "batch" and name[1:].isdecimal():
        return Subject("batch", int(name[1:]))
    if kind == "run" and name.isdecimal():
        return Subject("run", int(name))
    if kind in ("job", "queue", "server") and name:
        return Subject(kind, name)
    if target == "everything":
        return Subject("all", 0)
    return Subject("file", target) if target == "servers" or "/" in target or " " in target else Subject("job", target)


def _server(came: Came) -> Event:
    happened, words = {
        ServerState.STOPPED: (Happened.STOPPED, "stopped"),
        ServerState.LOST: (Happened.LOST, "was lost: it has not been heard of"),
    }.get(came.state, (Happened.STARTED, "started"))
    return Event(
        key=("server", happened.value, came.id),
        at=came.at,
        happened=happened,
        who=came.name,
        words=f"server {came.name} {words}" + (f" on {came.host}" if happened is Happened.STARTED else ""),
        subject=Subject("server", came.name),
    )


def _file(put: PutInForce) -> Event:
    more = f" and {put.jobs - len(put.named)} more" if put.jobs > len(put.named) else ""
    subject = Subject("job", put.named[0]) if put.jobs == 1 else Subject("file", put.server)
    words = f"{put.server} put {put.jobs} {'job' if put.jobs == 1 else 'jobs'} in force: {', '.join(put.named)}{more}"
    number = int(put.at.timestamp() * 1_000_000)
    return Event(
        ("file", put.server, number), put.at, Happened.FILE, put.who, f"{words} ({put.origin})", subject, put.named
    )


def _failed(run: Run) -> Event:
    at = run.finished_at or run.created_at
    tries = f" after {run.attempt} attempts" if run.attempt > 1 else ""
    words = f"run {run.id} of {run.job} failed{tries}" + (f": {run.error}" if run.error else "")
    return Event(("run", "", run.id), at, Happened.FAILED, run.server or "", words, Subject("run", run.id), (run.job,))


def _missed(decision: Decision) -> Event:
    fires = "a fire" if decision.fires == 1 else f"{decision.fires} fires"
    words = f"{fires} of {decision.job} missed: {decision.detail}"
    number = int(decision.first_fire.timestamp())
    return Event(
        key=("decision", decision.job, number),
        at=decision.decided_at,
        happened=Happened.MISSED,
        who="scheduler",
        words=words,
        subject=Subject("job", decision.job),
        jobs=(decision.job,),
    )
