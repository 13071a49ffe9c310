"""What became of the fires of a job in a window, by column. Called by admin for the schedule screen.

How many there were is counted in an index; only those that did not succeed are read, and they are few.
"""

from __future__ import annotations

from collections import Counter

from jobrunner.domain.lanes import Fired, Window
from jobrunner.store.database import Database
from jobrunner.store.migrations import ACTIVE, LISTED

_MOST = 2_000
_COUNT = (
    "SELECT (fire_time - ?) * ? / ?, count(*) FROM runs INDEXED BY runs_fire WHERE job = ? AND fire_time >= ?"
    " AND fire_time < ? AND fire_time IS NOT NULL GROUP BY 1"
)
_OTHERS = (
    "SELECT fire_time, state FROM runs INDEXED BY runs_job_listed WHERE job = ? AND state = ? AND"
    f" {LISTED} AND id >= ? AND fire_time >= ? AND fire_time < ? LIMIT {_MOST}"
)
_ACTIVE = (
    f"SELECT fire_time, state FROM runs INDEXED BY runs_active WHERE job = ? AND {ACTIVE} AND id >= ?"
    f" AND fire_time >= ? AND fire_time < ? LIMIT {_MOST}"
)
_STATES = ("failed", "expired", "cancelled", "skipped")


def fired(db: Database, job: str, window: Window, first: int) -> list[Fired]:
    """The runs of a job with a fire time in a window; ``first`` is the first that can be."""
    start, end, columns = window
    counted = db.execute(_COUNT, (start, columns, end - start, job, start, end)).fetchall()
    if not counted:
        return []
    rows = [row for state in _STATES for row in db.execute(_OTHERS, (job, state, first, start, end)).fetchall()]
    rows += db.execute(_ACTIVE, (job, first, start, end)).fetchall()
    others = Counter((_column(window, at), state) for at, state in rows)
    left = Counter[int](dict(counted))
    for (column, _), count in others.items():
        left[column] -= count
    found = [Fired(column, "succeeded", count) for column, count in left.items() if count > 0]
    return found + [Fired(column, state, count) for (column, state), count in others.items()]


def _column(window: Window, at: int) -> int:
    return (at - window.start) * window.columns // (window.end - window.start)
