"""Batches as people read them. Their counts are derived from their members, so they cannot drift."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from jobrunner.domain.batch import Batch, BatchState
from jobrunner.domain.clock import from_micros
from jobrunner.domain.state import RunState
from jobrunner.errors import NotFound
from jobrunner.store.database import Database

_COUNTS = "SELECT state, count(*) FROM runs WHERE batch_id = ? AND batch_id IS NOT NULL GROUP BY state"
_ENDED_OTHERWISE = ("cancelled", "skipped", "expired")


def get(db: Database, batch_id: int) -> Batch:
    """One batch. Raises NotFound."""
    with db.snapshot():
        row = db.execute("SELECT id, name, created_at, finished_at FROM batches WHERE id = ?", (batch_id,)).fetchone()
        if row is None:
            raise NotFound(f"no batch b{batch_id}", hint="`jobrunner batches` lists them")
        return _batch(db, row)


def find(db: Database, limit: int) -> list[Batch]:
    """The newest batches, at most ``limit`` (0: all)."""
    sql = "SELECT id, name, created_at, finished_at FROM batches ORDER BY id DESC LIMIT ?"
    with db.snapshot():
        return [_batch(db, row) for row in db.execute(sql, (limit or 2**62,)).fetchall()]


def counts(db: Database, batch_id: int) -> dict[RunState, int]:
    """How many members stand how, of those states that there are."""
    return {RunState(state): int(count) for state, count in db.execute(_COUNTS, (batch_id,))}


def finished(db: Database, batch_id: int) -> bool:
    """Whether every member has ended: the cheapest question about a batch."""
    row = db.execute("SELECT finished_at FROM batches WHERE id = ?", (batch_id,)).fetchone()
    return row is not None and row[0] is not None


def member_ids(db: Database, batch_id: int, states: Sequence[str]) -> list[int]:
    """The members in one of these states, by id. Raises NotFound."""
    if db.execute("SELECT 1 FROM batches WHERE id = ?", (batch_id,)).fetchone() is None:
        raise NotFound(f"no batch b{batch_id}", hint="`jobrunner batches` lists them")
    marks = ", ".join("?" * len(states))
    sql = f"SELECT id FROM runs WHERE batch_id = ? AND batch_id IS NOT NULL AND state IN ({marks}) ORDER BY id"
    return [run_id for (run_id,) in db.execute(sql, (batch_id, *states))]


def _batch(db: Database, row: Sequence[Any]) -> Batch:
    batch_id, name, created, finished_at = row
    counts = {state: int(count) for state, count in db.execute(_COUNTS, (batch_id,))}
    total, succeeded, failed = sum(counts.values()), counts.get("succeeded", 0), counts.get("failed", 0)
    ended = BatchState.SUCCEEDED if succeeded == total else BatchState.FAILED
    return Batch(
        id=batch_id,
        name=name,
        state=BatchState.RUNNING if finished_at is None else ended,
        total=total,
        succeeded=succeeded,
        failed=failed,
        other=sum(counts.get(state, 0) for state in _ENDED_OTHERWISE),
        created_at=from_micros(created),
        finished_at=None if finished_at is None else from_micros(finished_at),
    )
