"""Taking queued runs, and making due ones queued. Called by the queue's engine, one writer for each server."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import Any

from jobrunner.domain.clock import from_micros, to_micros
from jobrunner.domain.run import Claimed
from jobrunner.domain.state import Ready
from jobrunner.store.database import Database, table
from jobrunner.store.migrations import STARTABLE, TIMED
from jobrunner.store.runs.add import ready_row
from jobrunner.store.runs.ending import Over, ended

_RETURNED = (
    "id, job, definition_id, attempt, max_attempts, failures, losses, queue, source, params, secret_params,"
    " batch_id, fire_time, after_when, after_batch_id, priority, run_after"
)
_TAKE = (
    "UPDATE runs SET state = 'running', attempt = attempt + 1, started_at = ?, server_id = ?, finished_at = NULL,"
    " exit_code = NULL, error = NULL, progress = NULL, expires_at = NULL, waiting_reason = NULL, waiting_detail = NULL"
)
_NEXT = (
    "SELECT id FROM runs WHERE state = 'queued' AND queue = ? AND (expires_at IS NULL OR expires_at > ?)"
    " ORDER BY priority DESC, run_after, id LIMIT ?"
)
_CLAIM = {
    "sqlite": f"{_TAKE} WHERE id IN ({_NEXT}) AND state = 'queued' RETURNING {_RETURNED}",
    "postgresql": (
        f"{_TAKE} WHERE id = ANY(ARRAY({_NEXT} FOR UPDATE SKIP LOCKED)) AND state = 'queued' RETURNING {_RETURNED}"
    ),
}
_CLAIM_NAMED = (
    f"{_TAKE} FROM item WHERE id = of_run AND state = 'queued' AND attempt = of_attempt"
    f" AND (expires_at IS NULL OR expires_at > ?) RETURNING {_RETURNED}"
)
_COMING = (
    "SELECT id, attempt, job FROM runs WHERE state = 'queued' AND queue = ? AND (expires_at IS NULL OR expires_at > ?)"
    " ORDER BY priority DESC, run_after, id LIMIT ?{}"
)
_DUE = f"SELECT id FROM runs WHERE {TIMED} AND run_after <= ? ORDER BY run_after, id LIMIT ?"
_EXPIRED = f"SELECT id FROM runs WHERE {STARTABLE} AND attempt = 0 AND expires_at <= ? ORDER BY expires_at LIMIT ?"


def claim(db: Database, *, server_id: int, queues: Iterable[str], limit: int, now: datetime) -> list[Claimed]:
    """Takes up to ``limit`` queued runs: queues in their order, then priority, due time, id.

    Their attempts have begun with that; each has a row of its own when it has ended.
    """
    taken = list[Any]()
    at = to_micros(now)
    with db.transaction():
        for queue in queues:
            if len(taken) == limit:
                break
            rows = db.execute(_CLAIM[db.dialect], (at, server_id, queue, at, limit - len(taken))).fetchall()
            taken += sorted(rows, key=lambda row: (-row[15], row[16], row[0]))
        return [_claimed(db, row, now) for row in taken]


def claim_ahead(
    db: Database,
    *,
    server_id: int,
    queues: Iterable[str],
    limit: int,
    now: datetime,
    reach: Callable[[Sequence[str]], int],
) -> list[Claimed]:
    """As ``claim``, of the next ``limit`` so many as ``reach`` says when it sees their jobs, in their order."""
    coming = list[tuple[int, int, str]]()
    at = to_micros(now)
    lock = f"{db.for_update} SKIP LOCKED" if db.for_update else ""
    with db.transaction():
        for queue in queues:
            if len(coming) == limit:
                break
            coming += db.execute(_COMING.format(lock), (queue, at, limit - len(coming))).fetchall()
        count = reach([job for _, _, job in coming])
        return claim_named(db, server_id=server_id, wanted=[run[:2] for run in coming[:count]], now=now)


def claim_named(db: Database, *, server_id: int, wanted: Sequence[tuple[int, int]], now: datetime) -> list[Claimed]:
    """Takes those of the (run, attempts so far) that are still queued: what a broker handed over."""
    if not wanted:
        return []
    at = to_micros(now)
    item, values = table("of_run BIGINT, of_attempt BIGINT", wanted)
    with db.transaction():
        rows = {row[0]: row for row in db.execute(item + _CLAIM_NAMED, (*values, at, server_id, at))}
        return [_claimed(db, rows[run_id], now) for run_id, _ in dict.fromkeys(wanted) if run_id in rows]


def holds(db: Database, run_id: int, attempt: int, server_id: int) -> bool:
    """Whether the store says that a server executes this attempt."""
    sql = f"SELECT 1 FROM runs WHERE id = ? AND state = 'running' AND attempt = ? AND server_id = ?{db.for_update}"
    return db.execute(sql, (run_id, attempt, server_id)).fetchone() is not None


def _claimed(db: Database, row: Sequence[Any], now: datetime) -> Claimed:
    return Claimed(
        id=row[0],
        job=row[1],
        definition_id=row[2],
        attempt=row[3],
        max_attempts=row[4],
        failures=row[5],
        losses=row[6],
        queue=row[7],
        trigger=row[8],
        params=row[9],
        secret_params=row[10],
        batch_id=row[11] if row[11] is not None else row[14],
        fire_time=None if row[12] is None else from_micros(row[12]),
        parent_results=_parent_results(db, row[0]) if row[13] is not None else None,
        started_at=now,
    )


def _parent_results(db: Database, run_id: int) -> dict[str, Any] | None:
    sql = (
        "SELECT r.job, r.result FROM run_parents p JOIN runs r ON r.id = p.parent_id WHERE p.child_id = ? ORDER BY r.id"
    )
    rows = db.execute(sql, (run_id,)).fetchall()
    return {job: None if result is None else json.loads(result) for job, result in rows} or None


def next_due(db: Database) -> datetime | None:
    """When the next scheduled or retrying run falls due."""
    row = db.execute(f"SELECT run_after FROM runs WHERE {TIMED} ORDER BY run_after LIMIT 1").fetchone()
    return from_micros(row[0]) if row else None


def anything_to_claim(db: Database, now: datetime, queues: Sequence[str]) -> bool:
    """Whether some run of these queues is queued, or any is due or expired."""
    at = to_micros(now)
    queued = f"state = 'queued' AND queue IN ({', '.join('?' * len(queues))})" if queues else "1 = 0"
    sql = (
        f"SELECT EXISTS (SELECT 1 FROM runs WHERE {queued})"
        f" OR EXISTS (SELECT 1 FROM runs WHERE {TIMED} AND run_after <= ?)"
        f" OR EXISTS (SELECT 1 FROM runs WHERE {STARTABLE} AND expires_at <= ?)"
    )
    return bool(db.execute(sql, (*queues, at, at)).fetchone()[0])


def promote(db: Database, now: datetime, limit: int = 1000) -> list[Ready]:
    """Makes scheduled and retrying runs that are due queued; those of paused jobs go waiting."""
    at = to_micros(now)
    with db.transaction():
        due = [run_id for (run_id,) in db.execute(_DUE, (at, limit)).fetchall()]
        return [ready for run_id in due if (ready := _promote(db, run_id)) is not None]


def _promote(db: Database, run_id: int) -> Ready | None:
    sql = (
        f"UPDATE runs SET state = CASE WHEN {_PAUSED} THEN 'waiting' ELSE 'queued' END,"
        f" waiting_reason = CASE WHEN {_PAUSED} THEN 'paused' END,"
        f" waiting_detail = CASE WHEN {_PAUSED} THEN {_PAUSED_BY} END"
        f" WHERE id = ? AND {TIMED} RETURNING state, id, attempt, queue, priority, run_after"
    )
    row = db.execute(sql, (run_id,)).fetchone()
    return ready_row(row[1:]) if row is not None and row[0] == "queued" else None


_PAUSED = "EXISTS (SELECT 1 FROM pauses WHERE scope = 'job' AND name = runs.job)"
_PAUSED_BY = (
    "(SELECT 'by ' || who || CASE WHEN reason = '' THEN '' ELSE ': ' || reason END FROM pauses"
    " WHERE scope = 'job' AND name = runs.job)"
)


def expire(db: Database, now: datetime, limit: int = 1000) -> list[Ready]:
    """Ends runs that did not start in time; gives what their ends release."""
    at = to_micros(now)
    released = list[Ready]()
    with db.transaction():
        for (run_id,) in db.execute(_EXPIRED, (at, limit)).fetchall():
            sql = (
                "UPDATE runs SET state = 'expired', finished_at = ?, waiting_reason = NULL, waiting_detail = NULL,"
                " error = 'not started in time' WHERE id = ? AND state IN ('scheduled','waiting','queued')"
                " RETURNING job, batch_id"
            )
            row = db.execute(sql, (at, run_id)).fetchone()
            if row is not None:
                released += ended(db, (Over(run_id, *row),), now)
    return released


def queued(db: Database, queue: str, after: Ready | None = None, limit: int = 1000) -> list[Ready]:
    """Queued runs of a queue in its order, those after ``after``: what a broker that lost its memory is told again."""
    if after is None:
        return [ready_row(row) for row in db.execute(_QUEUED.format(""), (queue, limit))]
    equal = " AND priority = ? AND (run_after, id) > (?, ?)"
    values = (queue, after.priority, to_micros(after.run_after), after.id, limit)
    page = [ready_row(row) for row in db.execute(_QUEUED.format(equal), values)]
    if len(page) < limit:
        lower = (queue, after.priority, limit - len(page))
        page += [ready_row(row) for row in db.execute(_QUEUED.format(" AND priority < ?"), lower)]
    return page


_QUEUED = (
    "SELECT id, attempt, queue, priority, run_after FROM runs WHERE state = 'queued' AND queue = ?{}"
    " ORDER BY priority DESC, run_after, id LIMIT ?"
)


def count_queued(db: Database) -> dict[str, int]:
    """How many runs are queued, by queue."""
    return dict(db.execute("SELECT queue, count(*) FROM runs WHERE state = 'queued' GROUP BY queue").fetchall())
