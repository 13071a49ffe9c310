"""Runs that were created lately, with how they ended, a slim row each. Called by admin for statistics of a day."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from jobrunner.domain.day import MINUTE, Row
from jobrunner.store.database import Database
from jobrunner.store.migrations import ACTIVE, LISTED

_PART = 500
_SUCCEEDED = "state = 'succeeded' AND finished_at IS NOT NULL"
_COLUMNS = "SELECT id, state, started_at, finished_at FROM runs WHERE"


_TOGETHER = {"sqlite": "group_concat({})", "postgresql": "string_agg(CAST({} AS text), ',')"}
_TOOK = "CASE WHEN finished_at > started_at THEN finished_at - started_at ELSE 0 END"


def succeeded(db: Database, after: int, until: int) -> Iterator[tuple[int, list[int]]]:
    """How many microseconds the runs with ``after < id <= until`` took that succeeded, by the minute since the epoch in
    which they ended."""
    together = _TOGETHER[db.dialect].format(_TOOK)  # less than half the time of a row for each
    sql = f"SELECT finished_at / {MINUTE}, {together} FROM runs WHERE id > ? AND id <= ? AND {_SUCCEEDED} GROUP BY 1"
    for minute, took in db.execute(sql, (after, until)):
        yield minute, list(map(int, took.split(",")))


def others(db: Database, after: int, until: int) -> Iterator[Row]:
    """Those among the same runs that have not succeeded, by id."""
    sql = f"{_COLUMNS} id > ? AND id <= ? AND NOT ({_SUCCEEDED}) ORDER BY id"
    return db.execute(sql, (after, until)).in_parts()


def rows(db: Database, after: int, until: int) -> Iterator[Row]:
    """The runs with ``after < id <= until``, by id."""
    return db.execute(f"{_COLUMNS} id > ? AND id <= ? ORDER BY id", (after, until)).in_parts()


def some(db: Database, run_ids: Collection[int]) -> Iterator[Row]:
    """These runs, as far as they exist."""
    wanted = sorted(run_ids)
    for start in range(0, len(wanted), _PART):
        part = wanted[start : start + _PART]
        yield from db.execute(f"{_COLUMNS} id IN ({', '.join('?' * len(part))})", part)


def unended(db: Database) -> set[int]:
    """The runs that have not ended."""
    active = f"SELECT id FROM runs INDEXED BY runs_active WHERE {ACTIVE}"
    scheduled = f"SELECT id FROM runs INDEXED BY runs_listed WHERE state = 'scheduled' AND {LISTED}"
    return {run_id for (run_id,) in db.execute(f"{active} UNION ALL {scheduled}")}


def created_at(db: Database, run_id: int) -> int | None:
    """When the first run from an id on was created, in microseconds since the epoch."""
    row = db.execute("SELECT created_at FROM runs WHERE id >= ? ORDER BY id LIMIT 1", (run_id,)).fetchone()
    return int(row[0]) if row else None
