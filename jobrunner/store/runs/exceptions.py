"""Runs that may need a person: dead letters by job, those that wait for long, those that are tried again. For admin.

All of it stands in partial indexes; what could be much is bounded.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from jobrunner.domain.attention import PATIENCE, Head, Letters, Waits
from jobrunner.domain.clock import from_micros, to_micros
from jobrunner.domain.run import Run
from jobrunner.store.database import Database
from jobrunner.store.migrations import LISTED
from jobrunner.store.runs import read
from jobrunner.store.runs.read import SELECT_SLIM, run_of

_MOST_LOOKED = 20_000
_LETTERS = "SELECT job, count(*), max(id) FROM runs INDEXED BY runs_dead WHERE dead = 1 GROUP BY job"
_HEAD = (
    "SELECT priority, run_after FROM runs INDEXED BY runs_queue WHERE state = 'queued' AND queue = ? AND priority < ?"
    " ORDER BY priority DESC, run_after, id LIMIT 1"
)
_NEXT_QUEUE = "SELECT min(queue) FROM runs INDEXED BY runs_queue WHERE state = 'queued' AND queue > ?"
_OLD = (
    "SELECT job, run_after, id FROM runs INDEXED BY runs_queue WHERE state = 'queued' AND queue = ? AND priority = ?"
    " AND run_after <= ? ORDER BY run_after, id LIMIT ?"
)
_WAITING = (
    "SELECT job, waiting_reason, count(*), min(run_after), min(id) FROM (SELECT job, waiting_reason, run_after, id"
    f" FROM runs INDEXED BY runs_waiting WHERE state = 'waiting' LIMIT {_MOST_LOOKED}) item"
    " WHERE waiting_reason IN ('overlap','concurrency','rate_limit','approval') AND run_after <= ?"
    " GROUP BY job, waiting_reason"
)
_RETRYING = (
    "runs r INDEXED BY runs_listed LEFT JOIN servers s ON s.id = r.server_id"
    f" WHERE r.state = 'retrying' AND {LISTED.replace('state', 'r.state')} ORDER BY r.id DESC LIMIT ?"
)
_SUCCESS = (
    "SELECT 1 FROM (SELECT state, started_at FROM runs WHERE job = ? ORDER BY id DESC LIMIT 20) latest"
    " WHERE state = 'succeeded' AND started_at >= ?"
)


def letters(db: Database, limit: int) -> tuple[list[Letters], int]:
    """The jobs with dead letters, those with the newest first, at most ``limit``; and how many jobs they are."""
    rows = sorted(db.execute(_LETTERS).fetchall(), key=lambda row: -row[2])
    newest = {run.id: run for run in read.some(db, [row[2] for row in rows[:limit]])}
    return [Letters(job, count, newest[last]) for job, count, last in rows[:limit] if last in newest], len(rows)


def jobs_with_letters(db: Database) -> dict[str, int]:
    """The newest dead letter of each job that has any."""
    return {job: last for job, _, last in db.execute(_LETTERS)}


def heads(db: Database) -> list[tuple[str, int, datetime]]:
    """Of each queue and priority with queued runs, since when the first of them has been due."""
    found, queue = list[tuple[str, int, datetime]](), ""
    while (name := db.execute(_NEXT_QUEUE, (queue,)).fetchone()[0]) is not None:
        queue, priority = name, 1_000_000
        while (row := db.execute(_HEAD, (queue, priority)).fetchone()) is not None:
            priority = row[0]
            found.append((queue, priority, from_micros(row[1])))
    return found


def oldest(places: list[tuple[str, int, datetime]], before: datetime) -> list[Head]:
    """The queues whose first run has been due since before an instant."""
    found = dict[str, datetime]()
    for queue, _, since in places:
        found[queue] = min(found.get(queue, since), since)
    return [Head(queue, since) for queue, since in found.items() if since <= before]


def waits(
    db: Database, places: list[tuple[str, int, datetime]], now: datetime, promises: Mapping[str, timedelta], limit: int
) -> list[Waits]:
    """The runs that have been due for longer than their job promises (else ``PATIENCE``) and have not started, by job,
    those due for the longest first.

    Of the runs that are queued with one priority in one queue, the ``limit`` that have been due for the longest.
    """
    found = dict[tuple[str, str], Waits]()
    at = to_micros(now - min([*promises.values(), PATIENCE]))
    for queue, priority, since in places:
        if to_micros(since) <= at:
            for job, due, number in db.execute(_OLD, (queue, priority, at, limit)):
                _note(found, Waits(job, queue, 1, number, from_micros(due)), now, promises)
    for job, reason, count, due, number in db.execute(_WAITING, (at,)):
        _note(found, Waits(job, "", count, number, from_micros(due), reason), now, promises)
    return sorted(found.values(), key=lambda wait: wait.since)[:limit]


def _note(found: dict[tuple[str, str], Waits], wait: Waits, now: datetime, promises: Mapping[str, timedelta]) -> None:
    if now - wait.since <= promises.get(wait.job, PATIENCE):
        return
    key = (wait.job, wait.reason or wait.queue)
    known = found.get(key)
    if known is not None:
        first = min(known, wait, key=lambda each: each.since)
        wait = first._replace(runs=known.runs + wait.runs)
    found[key] = wait


def retrying(db: Database, limit: int) -> list[Run]:
    """The newest runs that wait for another attempt."""
    rows: list[Any] = db.execute(f"{SELECT_SLIM} {_RETRYING}", (limit,)).fetchall()
    return [run_of(row) for row in rows]


def succeeded_since(db: Database, job: str, instant: datetime) -> bool:
    """Whether one of the last twenty runs of a job began after an instant and succeeded."""
    return db.execute(_SUCCESS, (job, to_micros(instant))).fetchone() is not None
