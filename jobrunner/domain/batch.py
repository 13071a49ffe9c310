"""Batches as values."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import NamedTuple


class BatchState(StrEnum):
    """Where a batch stands: some member has not ended; or all have, all with success, or not all."""

    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"


class Batch(NamedTuple):
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
