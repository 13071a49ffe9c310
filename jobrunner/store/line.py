"""What stands between a queued run and a worker. Called by admin for ``why``."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from jobrunner.domain.clock import from_micros, to_micros
from jobrunner.domain.prospect import Busy, Line
from jobrunner.domain.server import Server, ServerState
from jobrunner.store import pauses
from jobrunner.store.database import Database

_AHEAD = (
    "SELECT job, count(*), sum(CASE WHEN priority > ? THEN 1 ELSE 0 END) FROM runs INDEXED BY runs_queue"
    " WHERE state = 'queued' AND queue = ?"
    " AND (priority > ? OR (priority = ? AND (run_after < ? OR (run_after = ? AND id < ?)))) GROUP BY job"
)
_WHOLE = "SELECT job, count(*) FROM runs INDEXED BY runs_queue WHERE state = 'queued' AND queue = ? GROUP BY job"
_BUSY = "SELECT id, job, started_at FROM runs INDEXED BY runs_running WHERE state = 'running' AND server_id = ?"
_LAST = 2**62


class Place(NamedTuple):
    """Where a run stands, or is going to: what orders the runs of a queue. ``id`` None: behind all that is there."""

    queue: str
    priority: int
    due: datetime
    id: int | None = None


def line(db: Database, place: Place, servers: Sequence[Server]) -> Line:
    """The line before a place, of those of the living ``servers`` that serve its queue and take runs."""
    queue, priority, at, number = place
    serving = [each for each in servers if queue in each.queues and each.state is not ServerState.DRAINING]
    due = to_micros(at)
    with db.snapshot():
        busy = [row for each in serving for row in db.execute(_BUSY, (each.id,))]
        params = (priority, queue, priority, priority, due, due, number if number is not None else _LAST)
        own = db.execute(_AHEAD, params).fetchall()
        first = pauses.open_queues(db, _served_first(queue, serving))
        others = [row for queue in first for row in db.execute(_WHOLE, (queue,))]
    ahead = Counter[str]()
    for job, count in [(job, count) for job, count, _ in own] + others:
        ahead[job] += count
    return Line(
        workers=sum(each.workers for each in serving),
        busy=tuple(Busy(run_id, job, from_micros(started)) for run_id, job, started in busy),
        ahead=dict(ahead),
        higher=sum(int(higher) for _, _, higher in own),
        other_queues=sum(count for _, count in others),
    )


def before_queue(db: Database, queue: str, servers: Sequence[Server]) -> Line:
    """The line before the first run of a queue: what runs, and what the queues hold that are taken before it."""
    return line(db, Place(queue, _LAST, from_micros(0), 0), servers)


def _served_first(queue: str, serving: Sequence[Server]) -> list[str]:
    """The queues that every one of these servers takes before this one."""
    before = [set(each.queues[: each.queues.index(queue)]) for each in serving]
    return sorted(set.intersection(*before)) if before else []


def terms(db: Database, run_id: int) -> tuple[str | None, int | None]:
    """Which end of its parents starts a run, and for how many microseconds it may wait; None where that is not said."""
    row = db.execute("SELECT after_when, expires FROM runs WHERE id = ?", (run_id,)).fetchone()
    return (row[0], row[1]) if row else (None, None)
