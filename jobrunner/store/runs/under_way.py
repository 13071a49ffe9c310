"""Runs that are under way or wait in a line, and how many there are: what is asked at every look. Called by admin.

What is counted and listed stands in partial indexes, so that ten million finished runs cost nothing.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from jobrunner.domain.clock import to_micros
from jobrunner.domain.pulse import COUNTED, Counts
from jobrunner.domain.run import Run
from jobrunner.store.database import Database
from jobrunner.store.migrations import LISTED
from jobrunner.store.runs.pages import extent, first_from
from jobrunner.store.runs.read import SELECT_SLIM, run_of

_COUNTS = (
    f"SELECT (SELECT count(*) FROM (SELECT 1 FROM runs WHERE state = 'running' LIMIT {COUNTED}) item),"
    f" (SELECT count(*) FROM (SELECT 1 FROM runs WHERE state = 'queued' LIMIT {COUNTED}) item),"
    f" (SELECT count(*) FROM (SELECT 1 FROM runs WHERE dead = 1 LIMIT {COUNTED}) item),"
    " (SELECT count(*) FROM"
    f" (SELECT 1 FROM runs WHERE state = 'failed' AND {LISTED} AND id >= ? LIMIT {COUNTED}) item),"
    " EXISTS (SELECT 1 FROM schedules), EXISTS (SELECT 1 FROM pauses WHERE scope = 'all')"
)
_RUNNING = "runs r {} LEFT JOIN servers s ON s.id = r.server_id WHERE r.state = 'running'"
_QUEUE = (
    "runs r {} LEFT JOIN servers s ON s.id = r.server_id WHERE r.state = 'queued' AND r.queue = ?"
    " ORDER BY r.priority DESC, r.run_after, r.id LIMIT ?"
)
_FAILED = (
    "runs r {} LEFT JOIN servers s ON s.id = r.server_id WHERE r.state = 'failed' AND "
    f"{LISTED.replace('state', 'r.state')} ORDER BY r.id DESC LIMIT ?"
)


class Since:
    """The first of the runs that were created within some time, kept from one look to the next: it only moves on."""

    def __init__(self, length: timedelta) -> None:
        self._length = length
        self._first = 0

    def first(self, db: Database, now: datetime) -> int:
        """The id from which on runs were created within that time before now."""
        low, high = extent(db)
        start = max(low, self._first if self._first <= high + 1 else low)
        at = to_micros(now - self._length)
        # From one look to the next it moves by a few ids: a stretch that grows finds it sooner than the middle of all.
        step = 1
        while start + step <= high and first_from(db, at, start, start + step) == start + step:
            start, step = start + step, step * 8
        self._first = first_from(db, at, start, min(start + step, high + 1))
        return self._first


def counts(db: Database, since: int) -> Counts:
    """What there is now; ``since`` is the first run of those whose failures are counted."""
    running, queued, dead, failed, scheduled, paused = db.execute(_COUNTS, (since,)).fetchone()
    return Counts(running, queued, dead, failed, bool(scheduled), bool(paused))


def running(db: Database, limit: int) -> list[Run]:
    """The runs that run, those that began first before the others, at most ``limit`` of a thousand."""
    sql = f"{SELECT_SLIM} {_RUNNING.format('INDEXED BY runs_running')} LIMIT {_MOST_RUNNING}"
    found = [run_of(row) for row in db.execute(sql)]
    return sorted(found, key=lambda run: (run.started_at or run.created_at, run.id))[:limit]


_MOST_RUNNING = 1000


def in_line(db: Database, queue: str, limit: int) -> list[Run]:
    """The queued runs of a queue in the order in which they are taken."""
    sql = f"{SELECT_SLIM} {_QUEUE.format('INDEXED BY runs_queue')}"
    return [run_of(row) for row in db.execute(sql, (queue, limit))]


def failed(db: Database, limit: int) -> list[Run]:
    """The newest of the runs that failed for good."""
    sql = f"{SELECT_SLIM} {_FAILED.format('INDEXED BY runs_listed')}"
    return [run_of(row) for row in db.execute(sql, (limit,))]
