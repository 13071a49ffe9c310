"""Decisions, each over one fire or a span of consecutive ones, so that a day of seconds is one row.

Written by ``schedules`` in the transaction that decides; read by whoever has to say what became of a fire.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from jobrunner.domain.clock import from_micros, to_micros
from jobrunner.domain.decision import LATE, Decision, Why
from jobrunner.store.database import Database

_COLUMNS = "job, first_fire, last_fire, fires, decision, detail, decided_at"
_LAST_BEFORE = (
    f"SELECT {_COLUMNS}, schedule FROM decisions WHERE job = ? AND first_fire <= ? ORDER BY first_fire DESC LIMIT 1"
)
_OF_JOB = f"SELECT {_COLUMNS} FROM decisions WHERE job = ? AND first_fire < ? AND last_fire >= ? ORDER BY first_fire"

_LATE = LATE // timedelta(microseconds=1)


def at(db: Database, job: str, fire_time: datetime) -> Decision | None:
    """The decision over a fire of a job, None where there is none."""
    micros = to_micros(fire_time)
    row = db.execute(_LAST_BEFORE, (job, micros)).fetchone()
    return _decision(row) if row is not None and row[2] >= micros else None


def of(db: Database, job: str, since: datetime, until: datetime) -> Iterator[Decision]:
    """The decisions over fires of a job with ``since <= fire time < until``, in order; the outer ones may go beyond."""
    return (_decision(row) for row in db.execute(_OF_JOB, (job, to_micros(until), to_micros(since))))


def answers(db: Database, job: str, schedule: int, fire_time: int, now: int) -> bool:
    """Whether a fire of a schedule has been decided.

    A span of another schedule of the job says nothing of the instants inside it. What a clock that was wrong decided
    much later than now is forgotten: that fire is still to come.
    """
    row = db.execute(_LAST_BEFORE, (job, fire_time)).fetchone()
    if row is None or row[2] < fire_time:
        return False
    if row[6] > now + _LATE:
        db.execute("DELETE FROM decisions WHERE job = ? AND first_fire = ?", (job, row[1]))
        return False
    return bool(row[7] == schedule or fire_time in (row[1], row[2]))


def spans(db: Database, job: str, schedule: int, first: int, last: int, now: datetime) -> list[tuple[int, int]]:
    """The (first, last) fires of what has been decided between two fires of a schedule; as ``answers`` sees it."""
    sql = "DELETE FROM decisions WHERE job = ? AND first_fire <= ? AND last_fire >= ? AND decided_at > ?"
    db.execute(sql, (job, last, first, to_micros(now + LATE)))
    sql = "SELECT first_fire, last_fire, schedule FROM decisions WHERE job = ? AND first_fire <= ? AND last_fire >= ?"
    found = list[tuple[int, int]]()
    for start, end, number in db.execute(sql, (job, last, first)):
        found += [(start, end)] if number == schedule else [(start, start), (end, end)]
    return found


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
