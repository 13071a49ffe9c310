"""The runs of many jobs at once: the newest of each, and the last few of some. Called by admin for lists of jobs.

From job to job along the index: there are few jobs, and many runs.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from jobrunner.store.database import Database
from jobrunner.store.migrations import ACTIVE

_EACH = (
    "WITH RECURSIVE each(job) AS (SELECT min(job) FROM runs"
    " UNION ALL SELECT (SELECT min(job) FROM runs WHERE job > each.job) FROM each WHERE each.job IS NOT NULL)"
)
_NEWEST = f"{_EACH} SELECT job, (SELECT max(id) FROM runs WHERE runs.job = each.job) FROM each WHERE job IS NOT NULL"
_STATE = "SELECT state FROM runs WHERE runs.job = each.job ORDER BY id DESC LIMIT 1"
_STATES = f"{_EACH} SELECT job, ({_STATE}) FROM each WHERE job IS NOT NULL"
_NEWER = "SELECT job, max(id) FROM (SELECT job, id FROM runs WHERE id > ? AND id <= ?) item GROUP BY job"
_LAST = "SELECT id, state, created_at, started_at, finished_at FROM runs WHERE job = ? ORDER BY id DESC LIMIT ?"
_ACTIVE = f"SELECT 1 FROM runs INDEXED BY runs_active WHERE job = ? AND {ACTIVE} LIMIT 1"
_RUN = "SELECT id, state, created_at, started_at, finished_at FROM runs WHERE id = ?"


def newest(db: Database) -> dict[str, int]:
    """The newest run of each job that has any."""
    return dict(db.execute(_NEWEST).fetchall())


def states(db: Database) -> dict[str, str]:
    """The state of the newest run of each job that has any."""
    return dict(db.execute(_STATES).fetchall())


def newer(db: Database, after: int, until: int) -> dict[str, int]:
    """The newest run of each job that has any with ``after < id <= until``."""
    return dict(db.execute(_NEWER, (after, until)).fetchall())


def last(db: Database, job: str, limit: int) -> list[Any]:
    """The newest runs of a job as (id, state, created, started, finished), in microseconds since the epoch."""
    return db.execute(_LAST, (job, limit)).fetchall()


def some(db: Database, run_ids: Sequence[int]) -> list[Any]:
    """These runs in the same form."""
    with db.snapshot():
        rows = [db.execute(_RUN, (run_id,)).fetchone() for run_id in run_ids]
    return [row for row in rows if row is not None]


def mark(db: Database, job: str) -> tuple[int | None, bool]:
    """The newest run of a job, and whether any is active: as long as that stays, and none is, nothing has changed."""
    (number,) = db.execute("SELECT max(id) FROM runs WHERE job = ?", (job,)).fetchone()
    return number, db.execute(_ACTIVE, (job,)).fetchone() is not None
