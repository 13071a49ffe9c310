"""Runs and attempts as values, and the table of legal transitions. Only ``store.runs`` changes a state."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any


class RunState(StrEnum):
    """Where a run stands (product: section 3)."""

    SCHEDULED = "scheduled"
    WAITING = "waiting"
    QUEUED = "queued"
    RUNNING = "running"
    RETRYING = "retrying"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"
    SKIPPED = "skipped"
    EXPIRED = "expired"

    @property
    def final(self) -> bool:
        """Whether nothing happens to the run any more unless a person asks for it."""
        return self in FINAL

    @property
    def active(self) -> bool:
        """Whether it counts for ``overlap``: waiting, queued, running or retrying."""
        return self in ACTIVE


FINAL = frozenset({RunState.SUCCEEDED, RunState.FAILED, RunState.CANCELLED, RunState.SKIPPED, RunState.EXPIRED})
ACTIVE = frozenset({RunState.WAITING, RunState.QUEUED, RunState.RUNNING, RunState.RETRYING})

TRANSITIONS: dict[RunState, frozenset[RunState]] = {
    RunState.SCHEDULED: frozenset({RunState.WAITING, RunState.QUEUED, RunState.CANCELLED, RunState.EXPIRED}),
    RunState.WAITING: frozenset(
        {RunState.SCHEDULED, RunState.QUEUED, RunState.CANCELLED, RunState.SKIPPED, RunState.EXPIRED}
    ),
    RunState.QUEUED: frozenset(
        {RunState.WAITING, RunState.RUNNING, RunState.FAILED, RunState.CANCELLED, RunState.EXPIRED}
    ),
    RunState.RUNNING: frozenset(
        {RunState.QUEUED, RunState.RETRYING, RunState.SUCCEEDED, RunState.FAILED, RunState.CANCELLED}
    ),
    RunState.RETRYING: frozenset({RunState.WAITING, RunState.QUEUED, RunState.CANCELLED}),
    RunState.SUCCEEDED: frozenset(),
    RunState.FAILED: frozenset({RunState.QUEUED, RunState.WAITING}),
    RunState.CANCELLED: frozenset({RunState.QUEUED, RunState.WAITING}),
    RunState.SKIPPED: frozenset({RunState.WAITING}),
    RunState.EXPIRED: frozenset(),
}
"""From a state, the states that one guarded update may lead to. Every other change is refused."""


class Trigger(StrEnum):
    """What created a run."""

    SCHEDULE = "schedule"
    MANUAL = "manual"
    API = "api"
    AFTER = "after"
    BATCH = "batch"
    CATCHUP = "catchup"
    BACKFILL = "backfill"
    EVENT = "event"


class Outcome(StrEnum):
    """How an attempt ended. Neither ``lost`` nor ``interrupted`` counts against ``retries``."""

    SUCCEEDED = "succeeded"
    FAILED = "failed"
    TIMEOUT = "timeout"
    CANCELLED = "cancelled"
    LOST = "lost"
    INTERRUPTED = "interrupted"


class WaitingReason(StrEnum):
    """Why a run is held in ``waiting``."""

    AFTER = "after"
    OVERLAP = "overlap"
    CONCURRENCY = "concurrency"
    RATE_LIMIT = "rate_limit"
    APPROVAL = "approval"
    PAUSED = "paused"


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How far an attempt says it is: ``done`` of ``total`` (None: unknown), with a message."""

    done: float
    total: float | None = None
    message: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One execution of a run, on one server. ``outcome`` is None while it is under way."""

    number: int
    server: str | None
    started_at: datetime
    finished_at: datetime | None = None
    outcome: Outcome | None = None
    exit_code: int | None = None
    signal: int | None = None
    error: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One request to execute a job once. ``started_at`` to ``error`` and ``server`` are of the last attempt.

    ``params`` is fit to be shown: a ``secret`` parameter is ``"***"`` in it; its value is kept apart in the store and
    reaches only the attempt. ``definition`` is the text of ``Job.definition`` that the run was created with, None where
    a list did not read it. ``dead`` says that it is a dead letter; ``cancelling`` that somebody has asked to stop its
    running attempt.
    """

    id: int
    job: str
    state: RunState
    attempt: int
    max_attempts: int
    queue: str
    priority: int
    trigger: Trigger
    params: dict[str, Any]
    created_at: datetime
    run_after: datetime
    started_at: datetime | None = None
    finished_at: datetime | None = None
    exit_code: int | None = None
    error: str | None = None
    result: Any = None
    progress: Progress | None = None
    server: str | None = None
    batch_id: int | None = None
    workflow_id: int | None = None
    parent_ids: tuple[int, ...] = ()
    fire_time: datetime | None = None
    waiting_reason: WaitingReason | None = None
    waiting_detail: str | None = None
    dead: bool = False
    cancelling: bool = False
    definition: str | None = None
    attempts: tuple[Attempt, ...] = ()


@dataclass(frozen=True, slots=True)
class Ready:
    """A run that has just become queued: what a broker has to know to hand it over in the right order."""

    id: int
    attempt: int
    queue: str
    priority: int
    run_after: datetime


@dataclass(frozen=True, slots=True)
class Claimed:
    """A run that this server has just taken, with what its attempt needs.

    ``attempt`` is the number of the attempt that now begins; ``failures`` the failed ones since it was created or last
    retried by a person. ``params`` and ``secret_params`` are JSON objects as texts.
    """

    id: int
    job: str
    definition_id: int
    attempt: int
    max_attempts: int
    failures: int
    losses: int
    queue: str
    trigger: str
    params: str
    secret_params: str | None
    batch_id: int | None
    fire_time: datetime | None
    parent_results: dict[str, Any] | None
    started_at: datetime


class BatchState(StrEnum):
    """Where a batch stands: some member has not ended; or all have, all with success, or not all."""

    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """A set of runs created together. ``other`` counts members that ended neither succeeded nor failed."""

    id: int
    name: str
    state: BatchState
    total: int
    succeeded: int
    failed: int
    other: int
    created_at: datetime
    finished_at: datetime | None = None


class ServerState(StrEnum):
    """Where a server stands; ``stopped`` and ``lost`` are kept for a day."""

    STARTING = "starting"
    RUNNING = "running"
    DRAINING = "draining"
    STOPPED = "stopped"
    LOST = "lost"


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """One ``jobrunner run`` process. ``heartbeat_age`` is in seconds, by the reader's clock."""

    id: int
    name: str
    host: str
    pid: int
    state: ServerState
    started_at: datetime
    heartbeat_age: float
    workers: int
    busy: int
    queues: tuple[str, ...]
    config_hash: str
    version: str


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueStatus:
    """What stands in one queue; ``oldest_wait`` in seconds of the longest-queued run, None when none is queued."""

    name: str
    queued: int
    running: int
    waiting: int
    scheduled: int
    retrying: int
    oldest_wait: float | None
    paused: bool
    max_running: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Pause:
    """A hold on a job, a queue or everything (``name`` empty), kept in the store until resumed or ``until``."""

    scope: str
    name: str
    who: str
    since: datetime
    until: datetime | None
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditEntry:
    """Who did what, when, to which, and with what result."""

    id: int
    at: datetime
    who: str
    host: str
    action: str
    target: str
    detail: str
    outcome: str
