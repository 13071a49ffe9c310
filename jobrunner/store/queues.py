"""What stands in each queue. Called by admin."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from jobrunner.domain.clock import to_micros
from jobrunner.domain.queue import Flow, QueueStatus
from jobrunner.store import pauses
from jobrunner.store.database import Database
from jobrunner.store.migrations import LISTED

_QUEUED = "SELECT queue, count(*), min(run_after) FROM runs WHERE state = 'queued' GROUP BY queue"
_RUNNING = "SELECT queue, count(*) FROM runs WHERE state = 'running' GROUP BY queue"
_HELD = (
    f"SELECT queue, state, count(*) FROM runs WHERE state IN ('waiting','scheduled','retrying') AND {LISTED}"
    " GROUP BY queue, state"
)

_FLOW = (
    "SELECT queue, sum(CASE WHEN created_at >= ? THEN 1 ELSE 0 END), sum(CASE WHEN started_at >= ? THEN 1 ELSE 0 END)"
    " FROM runs WHERE id > ? GROUP BY queue"
)
_STARTED = (
    "SELECT queue, count(*) FROM runs INDEXED BY runs_running WHERE state = 'running' AND started_at >= ? AND id <= ?"
    " GROUP BY queue"
)


def flows(db: Database, since: datetime, minutes: float, after: int) -> dict[str, Flow]:
    """What went into and out of each queue since an instant, by the minute.

    Looked at are the runs beyond the id ``after``, and of those before it the ones that are running: what was queued
    for longer than they, began since and has ended already is not counted.
    """
    at = to_micros(since)
    found = {queue: (int(into), int(out)) for queue, into, out in db.execute(_FLOW, (at, at, after))}
    for queue, count in db.execute(_STARTED, (at, after)):
        into, out = found.get(queue, (0, 0))
        found[queue] = (into, out + count)
    return {queue: Flow(into / minutes, out / minutes) for queue, (into, out) in found.items()}


def statuses(db: Database, names: Sequence[str], limits: Mapping[str, int], now: datetime) -> list[QueueStatus]:
    """The queues named, and any other that has runs, by name."""
    with db.snapshot():
        queued = {queue: (count, oldest) for queue, count, oldest in db.execute(_QUEUED)}
        running = dict(db.execute(_RUNNING).fetchall())
        held = {(queue, state): count for queue, state, count in db.execute(_HELD)}
        known = sorted({*names, *queued, *running, *(queue for queue, _ in held)})
        still_open = set(pauses.open_queues(db, known))
    at = to_micros(now)
    return [
        QueueStatus(
            name=name,
            queued=queued.get(name, (0, None))[0],
            running=running.get(name, 0),
            waiting=held.get((name, "waiting"), 0),
            scheduled=held.get((name, "scheduled"), 0),
            retrying=held.get((name, "retrying"), 0),
            oldest_wait=max(0.0, (at - queued[name][1]) / 1_000_000) if name in queued else None,
            paused=name not in still_open,
            max_running=limits.get(name),
        )
        for name in known
    ]
