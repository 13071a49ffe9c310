"""Fires: a due fire time becomes a run, once across all servers, or a decision why not. Called by the scheduler.

The unique key on (job, fire time) makes it once, and what has been decided stays so, whatever clocks and servers do;
the transaction that decides a fire also notes how far the job's schedule has been attended to, which is what catching
up after downtime starts from.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from jobrunner.domain.clock import from_micros, to_micros
from jobrunner.domain.job import Overlap
from jobrunner.domain.request import NewRun
from jobrunner.domain.state import Ready, RunState
from jobrunner.errors import Refused
from jobrunner.store import definitions, pauses
from jobrunner.store.database import Database
from jobrunner.store.migrations import ACTIVE
from jobrunner.store.runs import steer
from jobrunner.store.runs.add import INSERT, Start, find_unique, insert_row, paused, ready

_ACTIVE_RUNS = f"SELECT id FROM runs INDEXED BY runs_active WHERE job = ? AND {ACTIVE}"
_ACTIVE_RUN = f"{_ACTIVE_RUNS} ORDER BY id LIMIT 1"
_DECIDED = (
    "SELECT 1 FROM runs WHERE job = ? AND fire_time = ? AND fire_time IS NOT NULL"
    " UNION ALL SELECT 1 FROM decisions WHERE job = ? AND fire_time = ?"
)
_OTHERS = f"{_ACTIVE_RUNS} AND (fire_time IS NULL OR fire_time <> ?) ORDER BY id"


@dataclass(frozen=True, slots=True, kw_only=True)
class Fire:
    """A due fire time of a job: the run that it is to become, and the job's ``overlap``.

    ``one_by_one`` makes it wait for the runs before it whatever ``overlap`` says: catching up must not be a stampede.
    """

    run: NewRun
    overlap: Overlap
    one_by_one: bool = False


def apply(db: Database, schedules: Sequence[tuple[str, str]], now: datetime) -> dict[str, datetime]:
    """Takes note of the (job, schedule) pairs in force; gives up to when each job's fires have been attended to.

    A job that is new, or whose schedule is another than before, starts now: no fire of the time before is caught up.
    So does one that was attended to beyond now, by a clock that was wrong then or is now.
    """
    at = to_micros(now)
    with db.transaction():
        known = {
            job: (schedule, seen)
            for job, schedule, seen in db.execute("SELECT job, schedule, seen_until FROM schedules")
        }
        for job in known.keys() - {job for job, _ in schedules}:
            db.execute("DELETE FROM schedules WHERE job = ?", (job,))
        for job, schedule in schedules:
            if known.get(job, ("", 0))[0] == schedule and known[job][1] <= at:
                continue
            sql = (
                "INSERT INTO schedules (job, schedule, applied_at, seen_until) VALUES (?, ?, ?, ?) ON CONFLICT (job)"
                " DO UPDATE SET schedule = excluded.schedule, applied_at = excluded.applied_at,"
                " seen_until = excluded.seen_until"
            )
            db.execute(sql, (job, schedule, at, at))
    kept = {job: from_micros(known[job][1]) for job, schedule in schedules if known.get(job, ("",))[0] == schedule}
    return {job: min(kept.get(job, now), now) for job, _ in schedules}


def fire(db: Database, due: Fire, now: datetime) -> list[Ready]:
    """Decides one due fire; gives the runs that a worker may take. Another server may have decided it already."""
    new = due.run
    assert new.fire_time is not None
    with db.transaction():
        _attended(db, new.job, new.fire_time)
        if _decided(db, new.job, new.fire_time):
            return []
        pause = pauses.over_job(db, new.job, new.fire_time)
        if pause is not None:
            detail = f"{pause.scope} paused by {pause.who} since {pause.since.isoformat()}"
            _decide(db, new.job, new.fire_time, "paused", detail + (f": {pause.reason}" if pause.reason else ""), now)
            return []
        if (holder := find_unique(db, new)) is not None:
            _decide(db, new.job, new.fire_time, "not unique", f"run {holder} has the same parameters", now)
            return []
        return _create(db, due, now)


def miss(db: Database, job: str, fire_times: Sequence[datetime], why: str, now: datetime) -> None:
    """Decides that these fires get no run, those of them that another server has not decided otherwise."""
    with db.transaction():
        for at in fire_times:
            _attended(db, job, at)
            if not _decided(db, job, at):
                _decide(db, job, at, "missed", why, now)


def _create(db: Database, due: Fire, now: datetime) -> list[Ready]:
    new = due.run
    free = due.overlap is Overlap.ALLOW and not due.one_by_one
    active = None if free else _active(db, new.job)
    if active is None:
        start = Start(RunState.SCHEDULED) if new.run_after > now else paused(db, new.job) or Start(RunState.QUEUED)
        run_id = _insert(db, new, start)
        return [ready(new, run_id)] if run_id is not None and start.state is RunState.QUEUED else []
    if due.overlap is Overlap.SKIP and not due.one_by_one:
        _skip(db, new, active, now)
        return []
    if _insert(db, new, Start.overlap(active)) is None or due.overlap is not Overlap.REPLACE:
        return []
    return _replace(db, new, now)


def _active(db: Database, job: str) -> int | None:
    # Held, so that it cannot end unseen before the run that waits for it is there to be released by its end.
    row = db.execute(_ACTIVE_RUN + db.for_update, (job,)).fetchone()
    return row[0] if row else None


def _skip(db: Database, new: NewRun, active: int, now: datetime) -> None:
    run_id = _insert(db, new._replace(expires=None), Start(RunState.SKIPPED))
    if run_id is not None:
        sql = "UPDATE runs SET finished_at = ?, error = ? WHERE id = ?"
        db.execute(sql, (to_micros(now), f"run {active} of this job was still active", run_id))


def _replace(db: Database, new: NewRun, now: datetime) -> list[Ready]:
    released = list[Ready]()
    assert new.fire_time is not None
    for (run_id,) in db.execute(_OTHERS, (new.job, to_micros(new.fire_time))):
        try:
            released += steer.cancel(db, run_id, at_once=False, now=now, why="replaced by the next fire").ready
        except Refused:
            continue  # the end of one before it was its own end, too
    return released


def _insert(db: Database, new: NewRun, start: Start) -> int | None:
    definition = definitions.keep(db, new.job, new.definition)
    sql = INSERT.replace(" RETURNING", " ON CONFLICT (job, fire_time) WHERE fire_time IS NOT NULL DO NOTHING RETURNING")
    row = db.execute(sql, insert_row(new, definition, start)).fetchone()
    return row[0] if row else None


def _attended(db: Database, job: str, fire_time: datetime) -> None:
    at = to_micros(fire_time)
    if db.for_update:
        # Of two servers that decide the same fire the second waits here for the first.
        db.execute(f"SELECT 1 FROM schedules WHERE job = ?{db.for_update}", (job,))
    db.execute("UPDATE schedules SET seen_until = ? WHERE job = ? AND seen_until < ?", (at, job, at))


def _decided(db: Database, job: str, fire_time: datetime) -> bool:
    at = to_micros(fire_time)
    return db.execute(_DECIDED, (job, at, job, at)).fetchone() is not None


def _decide(db: Database, job: str, fire_time: datetime, decision: str, detail: str, now: datetime) -> None:
    sql = (
        "INSERT INTO decisions (job, fire_time, decision, detail, decided_at) VALUES (?, ?, ?, ?, ?)"
        " ON CONFLICT (job, fire_time) DO NOTHING"
    )
    db.execute(sql, (job, to_micros(fire_time), decision, detail, to_micros(now)))
