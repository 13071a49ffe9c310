"""What became of fire times, for whoever asks afterwards: runs, decisions, and how far was looked. Called by admin.

Instants of the walks are microseconds, since a year of seconds passes through them.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from jobrunner.domain.clock import from_micros, to_micros
from jobrunner.domain.verification import Decided, Fired
from jobrunner.store.database import Database

_PAGE = 10_000
_RUNS = (
    "SELECT fire_time, state, source FROM runs WHERE job = ? AND fire_time > ? AND fire_time <= ?"
    " AND fire_time IS NOT NULL ORDER BY fire_time LIMIT ?"
)
_SPAN = "SELECT first_fire, last_fire, decision, fires FROM decisions WHERE job = ?"
_RUN_AT = "SELECT id FROM runs WHERE job = ? AND fire_time = ? AND fire_time IS NOT NULL"
_LAST_RUN = (
    "SELECT fire_time FROM runs WHERE job = ? AND fire_time <= ? AND fire_time IS NOT NULL"
    " ORDER BY fire_time DESC LIMIT 1"
)


def runs(db: Database, job: str, after: int, until: int) -> Iterator[Fired]:
    """The runs of a job by their fire times, ``after < fire time <= until``, in order, a page at a time."""
    while page := db.execute(_RUNS, (job, after, until, _PAGE)).fetchall():
        yield from (Fired(*row) for row in page)
        after = page[-1][0]


def decided(db: Database, job: str, after: int, until: int) -> Iterator[Decided]:
    """The decisions about fires of a job with ``after < fire <= until``, in order; the first may begin before."""
    sql = f"{_SPAN} AND first_fire <= ? ORDER BY first_fire DESC LIMIT 1"
    yield from (Decided(*row) for row in db.execute(sql, (job, after)) if row[1] > after)
    sql = f"{_SPAN} AND first_fire > ? AND first_fire <= ? ORDER BY first_fire LIMIT ?"
    while page := db.execute(sql, (job, after, until, _PAGE)).fetchall():
        yield from (Decided(*row) for row in page)
        after = page[-1][0]


def jobs(db: Database) -> list[str]:
    """Every job that has ever had a run with a fire time, or a decision, by name."""
    # From name to name along the index: there are few names, and many runs.
    found, name = set[str](), ""
    for sql in (
        "SELECT min(job) FROM runs WHERE job > ? AND fire_time IS NOT NULL",
        "SELECT min(job) FROM decisions WHERE job > ?",
    ):
        name = ""
        while (row := db.execute(sql, (name,)).fetchone()) is not None and row[0] is not None:
            name = str(row[0])
            found.add(name)
    return sorted(found)


def run_at(db: Database, job: str, fire_time: datetime) -> int | None:
    """The run of a fire time, None where there is none."""
    row = db.execute(_RUN_AT, (job, to_micros(fire_time))).fetchone()
    return row[0] if row else None


def last_answered(db: Database, job: str, until: datetime) -> datetime | None:
    """The last fire of a job, up to an instant, that has a run or a decision."""
    at = to_micros(until)
    found = [row[0] for row in db.execute(_LAST_RUN, (job, at))]
    sql = "SELECT last_fire FROM decisions WHERE job = ? AND first_fire <= ? ORDER BY first_fire DESC LIMIT 1"
    found += [min(last, at) for (last,) in db.execute(sql, (job, at))]
    return from_micros(max(found)) if found else None


def attended(db: Database) -> dict[str, int]:
    """How far the schedule of each job has been attended to."""
    return dict(db.execute("SELECT job, max(seen_until) FROM schedules GROUP BY job").fetchall())


def attended_of(db: Database, job: str) -> int | None:
    """How far the schedule of one job has been attended to, None where none is in force."""
    return db.execute("SELECT max(seen_until) FROM schedules WHERE job = ?", (job,)).fetchone()[0]  # type: ignore[no-any-return]


def known_since(db: Database) -> datetime | None:
    """When the first definition was put in force that is recorded."""
    (at,) = db.execute("SELECT min(applied_at) FROM versions").fetchone()
    return from_micros(at) if at is not None else None


def served(db: Database, now: datetime, lost_after: timedelta) -> list[tuple[int, int]]:
    """When some server fired schedules: (from, to), in order and apart; one that lives serves till now."""
    sql = (
        "SELECT started_at, CASE WHEN state IN ('starting','running','draining') AND heartbeat_at > ? THEN ?"
        " ELSE heartbeat_at END FROM servers WHERE ticked_at IS NOT NULL ORDER BY started_at"
    )
    merged = list[tuple[int, int]]()
    for start, end in db.execute(sql, (to_micros(now - lost_after), to_micros(now))):
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, max(start, end)))
    return merged


def serving_since(db: Database, now: datetime, lost_after: timedelta) -> int | None:
    """When the first of the servers that fire schedules now began, None where there is none."""
    sql = (
        "SELECT min(started_at) FROM servers WHERE state IN ('starting','running','draining') AND heartbeat_at > ?"
        " AND ticked_at IS NOT NULL"
    )
    return db.execute(sql, (to_micros(now - lost_after),)).fetchone()[0]  # type: ignore[no-any-return]
