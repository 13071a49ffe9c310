"""Pauses of a job, a queue or everything, kept until resumed or until their time, and those that are over.

Called by admin, queue and scheduler.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from jobrunner.domain.clock import from_micros, to_micros
from jobrunner.domain.queue import Pause
from jobrunner.domain.state import Ready
from jobrunner.store.database import Database
from jobrunner.store.runs.steer import hold, unhold

_COLUMNS = "scope, name, who, since, until, reason"


def pause(db: Database, new: Pause) -> None:
    """Puts a pause in force, in place of one that was there; queued runs of a paused job go waiting."""
    until = to_micros(new.until) if new.until is not None else None
    with db.transaction():
        _alone(db)
        _end(db, new.scope, new.name, new.since)
        sql = f"INSERT INTO pauses ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?)"
        db.execute(sql, (new.scope, new.name, new.who, to_micros(new.since), until, new.reason))
        if new.scope == "job":
            hold(db, new.name, f"by {new.who}" + (f": {new.reason}" if new.reason else ""))


def resume(db: Database, scope: str, name: str, now: datetime) -> tuple[bool, list[Ready]]:
    """Ends a pause; gives whether there was one, and the runs that it set free."""
    with db.transaction():
        _alone(db)
        gone = _end(db, scope, name, now)
        return gone, unhold(db, name, now) if gone and scope == "job" else []


def resume_due(db: Database, now: datetime) -> list[Ready]:
    """Ends the pauses whose time is over, each in a transaction; gives the runs that this set free.

    Not to be called in a transaction: on PostgreSQL two servers that both find a pause over would wait for each other.
    """
    sql = "SELECT scope, name FROM pauses WHERE until IS NOT NULL AND until <= ?"
    over = db.execute(sql, (to_micros(now),)).fetchall()
    return [ready for scope, name in over for ready in resume(db, scope, name, now)[1]]


def everything(db: Database) -> list[Pause]:
    """All pauses in force, by scope and name."""
    return sorted(
        (_pause(row) for row in db.execute(f"SELECT {_COLUMNS} FROM pauses")),
        key=lambda pause: (pause.scope, pause.name),
    )


def open_queues(db: Database, queues: Sequence[str]) -> list[str]:
    """Those of ``queues`` that are not paused; none of them while everything is."""
    rows = db.execute("SELECT scope, name FROM pauses WHERE scope IN ('queue', 'all')").fetchall()
    if any(scope == "all" for scope, _ in rows):
        return []
    closed = {name for _, name in rows}
    return [queue for queue in queues if queue not in closed]


def over_job(db: Database, job: str, fire_time: datetime | None = None) -> Pause | None:
    """The pause that keeps a job from firing, its own or that of everything: in force now, or at ``fire_time``."""
    at = to_micros(fire_time) if fire_time is not None else 2**62
    sql = (
        f"SELECT {_COLUMNS} FROM pauses WHERE {_OF_JOB}"
        f" UNION ALL SELECT {_COLUMNS} FROM past_pauses WHERE until > ? AND since <= ? AND {_OF_JOB}"
    )
    rows = db.execute(sql, (job, at, at, job)).fetchall()
    return _pause(max(rows, key=lambda row: str(row[0]))) if rows else None


def of_job(db: Database, job: str, since: datetime, until: datetime) -> list[Pause]:
    """The pauses that kept a job from firing at some time of a window, or keep it now, by when they began.

    ``until`` of each that is over says when it ended.
    """
    sql = (
        f"SELECT {_COLUMNS}, 0 FROM pauses WHERE {_OF_JOB}"
        f" UNION ALL SELECT {_COLUMNS}, 1 FROM past_pauses WHERE until > ? AND since <= ? AND {_OF_JOB}"
    )
    rows = db.execute(sql, (job, to_micros(since), to_micros(until), job)).fetchall()
    found = [(_pause(row[:6]), row[6]) for row in rows]
    return sorted((pause if over else pause._replace(until=None) for pause, over in found), key=_begin)


def _begin(pause: Pause) -> datetime:
    return pause.since


_OF_JOB = "((scope = 'job' AND name = ?) OR scope = 'all')"


def _end(db: Database, scope: str, name: str, now: datetime) -> bool:
    sql = (
        "INSERT INTO past_pauses (scope, name, who, since, until, reason)"
        " SELECT scope, name, who, since, CASE WHEN until < ? THEN until ELSE ? END, reason FROM pauses"
        " WHERE scope = ? AND name = ?"
    )
    at = to_micros(now)
    db.execute(sql, (at, at, scope, name))
    return db.execute("DELETE FROM pauses WHERE scope = ? AND name = ?", (scope, name)).rowcount > 0


def _alone(db: Database) -> None:
    # Whoever creates or releases a run reads the pauses first. Until that has been committed no pause may begin or
    # end, or its run would be missed by it.
    if db.dialect == "postgresql":
        db.execute("LOCK TABLE pauses IN ACCESS EXCLUSIVE MODE")


def _pause(row: Sequence[Any]) -> Pause:
    scope, name, who, since, until, reason = row
    return Pause(
        scope=scope,
        name=name,
        who=who,
        since=from_micros(since),
        until=None if until is None else from_micros(until),
        reason=reason,
    )
