"""Queues and pauses as values."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple


class QueueStatus(NamedTuple):
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


class Flow(NamedTuple):
    """How many runs a queue was given in a minute, and how many were started, on average over the last minutes."""

    into: float
    out: float


class Pause(NamedTuple):
    """A hold on a job, a queue or everything (``name`` empty), kept in the store until resumed or ``until``."""

    scope: str
    name: str
    who: str
    since: datetime
    until: datetime | None
    reason: str
