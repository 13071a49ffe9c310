"""Decisions, each over one fire or a span of consecutive ones, so that a day of seconds is one row.

Written by ``schedules`` in the transaction that decides; read by whoever has to say what became of a fire.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from datetime import datetime
from typing import Any

from jobrunner.domain.clock import from_micros, to_micros
from jobrunner.domain.decision import LATE, Decision, Why
from jobrunner.store.database import Database

_COLUMNS = "job, first_fire, last_fire, fires, decision, detail, decided_at"
_LAST_BEFORE = (
    f"SELECT {_COLUMNS}, schedule FROM decisions WHERE job = ? AND first_fire <= ? ORDER BY first_fire DESC LIMIT 1"
)
_BEGIN_IN = f"SELECT {_COLUMNS}, schedule FROM decisions WHERE job = ? AND first_fire > ? AND first_fire <= ?"


def at(db: Database, job: str, fire_time: datetime) -> Decision | None:
    """The decision over a fire of a job, None where there is none."""
    micros = to_micros(fire_time)
    row = db.execute(_LAST_BEFORE, (job, micros)).fetchone()
    return _decision(row) if row is not None and row[2] >= micros else None


def of(db: Database, job: str, since: datetime, until: datetime) -> Iterator[Decision]:
    """The decisions over fires of a job with ``since <= fire time < until``, in order; the outer ones may go beyond."""
    return map(_decision, sorted(_overlapping(db, job, to_micros(since), to_micros(until) - 1)))


def newest(
    db: Database,
    limit: int,
    *,
    since: datetime | None = None,
    job: str | None = None,
    whys: Collection[Why] = tuple(Why),
) -> list[Decision]:
    """The decisions that were made last, at or after ``since``, for these reasons, newest first, at most ``limit``.

    Of one job those about its latest fires.
    """
    after = -1 if since is None else to_micros(since) - 1
    if job is not None:
        sql = f"SELECT {_COLUMNS} FROM decisions WHERE job = ? ORDER BY first_fire DESC LIMIT ?"
        rows = [row for row in db.execute(sql, (job, limit)) if row[6] > after and Why(row[4]) in whys]
        return [_decision(row) for row in rows]
    sql = (
        f"SELECT {_COLUMNS} FROM decisions WHERE decision = ? AND decided_at > ?"
        " ORDER BY decision DESC, decided_at DESC LIMIT ?"
    )
    walks = [db.execute(sql, (why.value, after, limit)).fetchall() for why in whys]
    found = sorted((row for walk in walks for row in walk), key=lambda row: (-row[6], row[0], row[1]))
    return [_decision(row) for row in found[:limit]]


Fires = Callable[[int, int], Sequence[int]]
"""The fires of a schedule with ``since <= fire < until``, in microseconds since the epoch."""


def answers(db: Database, job: str, schedule: int, fire_time: int, now: datetime, fires: Fires) -> bool:
    """Whether a fire of a schedule has been decided.

    A span of another schedule of the job says nothing of the instants inside it. What a clock that was wrong decided,
    much later than now, of this fire and those after it is forgotten: they are still to come.
    """
    forget(db, job, schedule, fire_time, fire_time, now, fires)
    found = _overlapping(db, job, fire_time, fire_time)
    return bool(found) and (found[0][7] == schedule or fire_time in found[0][1:3])


def forget(db: Database, job: str, schedule: int, first: int, last: int, now: datetime, fires: Fires) -> None:
    """Cuts off what was decided by a clock far ahead of now about fires from ``first`` on, where it reaches ``last``.

    A blackout, or ``enabled = false``, is the same whatever the clock says.
    """
    ahead = to_micros(now + LATE)
    for row in _overlapping(db, job, first, last):
        start, why, decided_at, number = row[1], row[4], row[6], row[7]
        if number != schedule or decided_at <= ahead or why not in _BY_THE_CLOCK:
            continue
        kept = fires(start, first) if start < first else ()
        if kept:
            sql = "UPDATE decisions SET last_fire = ?, fires = ? WHERE job = ? AND first_fire = ?"
            db.execute(sql, (kept[-1], len(kept), job, start))
        else:
            db.execute("DELETE FROM decisions WHERE job = ? AND first_fire = ?", (job, start))


_BY_THE_CLOCK = (Why.MISSED, Why.PAUSED, Why.SHADOW)


def spans(db: Database, job: str, schedule: int, first: int, last: int) -> list[tuple[int, int]]:
    """The (first, last) fires of what has been decided between two fires of a schedule; as ``answers`` sees it."""
    found = list[tuple[int, int]]()
    for row in _overlapping(db, job, first, last):
        start, end, number = row[1], row[2], row[7]
        found += [(start, end)] if number == schedule else [(start, start), (end, end)]
    return found


def _overlapping(db: Database, job: str, first: int, last: int) -> list[Any]:
    # Decisions lie apart, so that of those that begin before only the last can reach so far.
    found = [row for row in db.execute(_LAST_BEFORE, (job, first)) if row[2] >= first]
    return found + (db.execute(_BEGIN_IN, (job, first, last)).fetchall() if last > first else [])


def write(db: Database, decision: Decision, schedule: int, *, mark: int | None) -> None:
    """Adds a decision; where ``mark``, the fire before it, ends one for the same reason, that one grows."""
    first, last, at = (to_micros(when) for when in (decision.first_fire, decision.last_fire, decision.decided_at))
    sql = (
        "UPDATE decisions SET last_fire = ?, fires = fires + ?, decided_at = ? WHERE job = ? AND last_fire = ?"
        " AND schedule = ? AND decision = ? AND detail = ?"
        " AND first_fire = (SELECT max(first_fire) FROM decisions WHERE job = ? AND first_fire < ?)"
    )
    same = (decision.job, mark, schedule, decision.why.value, decision.detail, decision.job, first)
    if mark is not None and db.execute(sql, (last, decision.fires, at, *same)).rowcount:
        return
    sql = (
        f"INSERT INTO decisions ({_COLUMNS}, schedule) VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (job, first_fire)"
        " DO NOTHING"
    )
    row = (decision.job, first, last, decision.fires, decision.why.value, decision.detail, at, schedule)
    db.execute(sql, row)


def _decision(row: Any) -> Decision:
    job, first, last, fires, why, detail, decided_at = row[:7]
    return Decision(job, from_micros(first), from_micros(last), fires, Why(why), detail, from_micros(decided_at))
