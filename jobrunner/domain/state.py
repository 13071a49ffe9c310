"""Where a run stands, what made it, how an attempt ended, and the table of legal transitions.

Only ``store.runs`` changes a state. These names are apart from the values of ``run`` because a trigger needs no more.
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import NamedTuple


class RunState(StrEnum):
    """Where a run stands; docs/states.md says what each means."""

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


class Ready(NamedTuple):
    """A run that has just become queued: what a broker has to know to hand it over in the right order."""

    id: int
    attempt: int
    queue: str
    priority: int
    run_after: datetime
