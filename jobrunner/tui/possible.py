"""What can be done with runs, batches, jobs and queues as they stand, as far as a screen knows how that is. Pure.

The store has the last word; what is said here is what is offered.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Protocol

from jobrunner.domain.batch import Batch, BatchState
from jobrunner.domain.state import RunState

if TYPE_CHECKING:
    from jobrunner.domain.board import JobRow
    from jobrunner.domain.queue import QueueStatus

RETRY, CANARY, CANCEL, CANCEL_NOW, DISCARD = "retry", "retry_canary", "cancel", "cancel_now", "discard"

RESUME, ENABLE, DISABLE = "resume", "enable", "disable"

BY_STATE = frozenset({RETRY, CANARY, CANCEL, CANCEL_NOW, DISCARD, RESUME, ENABLE, DISABLE})
"""Ids of the actions that hang on how a run, a batch, a job or a queue stands; all others can be done with any."""

_AGAIN = frozenset({RETRY, CANARY})
_STOP = frozenset({CANCEL, CANCEL_NOW})

WITH_DEAD_LETTERS = frozenset({RETRY, CANARY, DISCARD})
WITH_WHAT_IS_UNDER_WAY = _STOP


class Standing(Protocol):
    """How a run stands: ``dead``, it is a dead letter."""

    @property
    def state(self) -> RunState: ...
    @property
    def dead(self) -> bool: ...


def with_runs(runs: Iterable[Standing | None]) -> frozenset[str] | None:
    """What can be done with at least one of them; None: of some it is not known how they stand."""
    found = frozenset[str]()
    for run in runs:
        if run is None:
            return None
        found |= with_state(run.state)
        if run.dead:
            found |= {DISCARD}
    return found


def with_jobs(rows: Iterable[JobRow | None]) -> frozenset[str] | None:
    """What can be done with at least one of them: what is paused goes on, what is off is enabled."""
    found = frozenset[str]()
    for row in rows:
        if row is None or not row.known:
            return None
        found |= {DISABLE if row.enabled else ENABLE}
        found |= {RESUME} if row.pause is not None else frozenset()
    return found


def with_queues(queues: Iterable[QueueStatus | None]) -> frozenset[str] | None:
    """What can be done with at least one of them: what is paused goes on."""
    found = list(queues)
    if any(queue is None for queue in found):
        return None
    return frozenset({RESUME}) if any(queue is not None and queue.paused for queue in found) else frozenset()


def with_state(state: RunState) -> frozenset[str]:
    """What can be done with any run in that state."""
    if not state.final:
        return _STOP
    return _AGAIN if state in (RunState.FAILED, RunState.CANCELLED) else frozenset()


def with_batches(batches: Iterable[Batch | None]) -> frozenset[str] | None:
    """What can be done with at least one of them: what failed is retried, what has not ended is cancelled."""
    found = frozenset[str]()
    for batch in batches:
        if batch is None:
            return None
        found |= _STOP if batch.state is BatchState.RUNNING else frozenset()
        found |= _AGAIN if batch.failed else frozenset()
    return found
