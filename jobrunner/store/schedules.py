"""Fires: a due fire time becomes a run, once across all servers, or a decision why not. Called by the scheduler.

The unique key on (job, fire time) makes it once, and what has been decided stays so, whatever clocks and servers do;
the transaction that decides a fire also notes how far the job's schedule has been attended to, which is what catching
up after downtime starts from.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from jobrunner.domain.clock import from_micros, to_micros
from jobrunner.domain.decision import Decision, Why
from jobrunner.domain.job import Overlap
from jobrunner.domain.request import NewRun
from jobrunner.domain.state import Ready, RunState
from jobrunner.errors import Refused
from jobrunner.store import decisions, definitions, pauses
from jobrunner.store.database import Database, insert
from jobrunner.store.migrations import ACTIVE
from jobrunner.store.runs import steer
from jobrunner.store.runs.add import INSERT, Start, find_unique, insert_row, paused, ready

_ACTIVE_RUNS = f"SELECT id FROM runs INDEXED BY runs_active WHERE job = ? AND {ACTIVE}"
_ACTIVE_RUN = f"{_ACTIVE_RUNS} ORDER BY id LIMIT 1"
_FIRED = "SELECT 1 FROM runs WHERE job = ? AND fire_time = ? AND fire_time IS NOT NULL"
_OTHERS = f"{_ACTIVE_RUNS} AND (fire_time IS NULL OR fire_time <> ?) ORDER BY id"


@dataclass(frozen=True, slots=True, kw_only=True)
class Fire:
    """A due fire time of a job: the run that it is to become, the number of the schedule, and the job's ``overlap``.

    ``one_by_one`` makes it wait for the runs before it whatever ``overlap`` says: catching up must not be a stampede.
    """

    run: NewRun
    schedule: int
    overlap: Overlap
    one_by_one: bool = False


class Left(NamedTuple):
    """A schedule that is in force no more, and how far its fires have been attended to."""

    job: str
    schedule: int
    seen_until: datetime


def apply(
    db: Database, schedules: Mapping[str, int], now: datetime, *, held: Collection[int] = ()
) -> tuple[dict[str, datetime], list[Left]]:
    """Takes note of the schedules in force, by job; gives up to when each job's fires have been attended to.

    A job that is new, or whose schedule is another than before, starts now: no fire of the time before is caught up.
    So does one that was attended to beyond now, by a clock that was wrong then or is now. The second answer are those
    that are gone; a schedule that ``held`` names is not, whoever else does without it.
    """
    at = to_micros(now)
    with db.transaction():
        known = dict[str, dict[int, int]]()
        for job, schedule, seen in db.execute("SELECT job, schedule, seen_until FROM schedules"):
            known.setdefault(job, {})[schedule] = seen
        fresh = [
            (job, number) for job, number in schedules.items() if not 0 <= known.get(job, {}).get(number, -1) <= at
        ]
        insert(db, _MARKS, [(*pair, at, at) for pair in fresh], _MARK_ANEW)
        left = list[Left]()
        for job, marks in known.items():
            for number, seen in marks.items():
                if number != schedules.get(job) and number not in held:
                    db.execute("DELETE FROM schedules WHERE job = ? AND schedule = ?", (job, number))
                    left.append(Left(job, number, from_micros(seen)))
    anew = {job for job, _ in fresh}
    return {job: now if job in anew else from_micros(known[job][number]) for job, number in schedules.items()}, left


_MARKS = "schedules (job, schedule, applied_at, seen_until)"
_MARK_ANEW = "(job, schedule) DO UPDATE SET applied_at = excluded.applied_at, seen_until = excluded.seen_until"


def fire(db: Database, due: Fire, now: datetime) -> list[Ready]:
    """Decides one due fire; gives the runs that a worker may take. Another server may have decided it already."""
    new = due.run
    assert new.fire_time is not None
    with db.transaction():
        _alone(db, new.job)
        if _decided(db, new.job, due.schedule, new.fire_time, now):
            _attended(db, new.job, due.schedule, new.fire_time)
            return []
        pause = pauses.over_job(db, new.job, new.fire_time)
        if pause is not None:
            detail = f"{pause.scope} paused by {pause.who} since {pause.since.isoformat()}"
            _decide(db, due, Why.PAUSED, detail + (f": {pause.reason}" if pause.reason else ""), now)
            return []
        if (holder := find_unique(db, new)) is not None:
            _decide(db, due, Why.NOT_UNIQUE, f"run {holder} has the same parameters", now)
            return []
        _attended(db, new.job, due.schedule, new.fire_time)
        return _create(db, due, now)


def any_applied(db: Database) -> bool:
    """Whether a server has applied the schedule of any job."""
    return db.execute("SELECT 1 FROM schedules LIMIT 1").fetchone() is not None


def miss(db: Database, job: str, schedule: int, fire_times: Sequence[datetime], why: str, now: datetime) -> None:
    """Decides that these fires get no run, those of them that another server has not decided otherwise."""
    with db.transaction():
        _alone(db, job)
        mark = _mark(db, job, schedule)
        for at in fire_times:
            if not _decided(db, job, schedule, at, now):
                decisions.write(db, Decision(job, at, at, 1, Why.MISSED, why, now), schedule, mark=mark)
            mark = to_micros(at)
            _attended(db, job, schedule, at)


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


def _alone(db: Database, job: str) -> None:
    """Of two servers that decide fires of the same job the second waits here for the first."""
    db.lock(f"fires of {job}")


def _mark(db: Database, job: str, schedule: int) -> int | None:
    row = db.execute("SELECT seen_until FROM schedules WHERE job = ? AND schedule = ?", (job, schedule)).fetchone()
    return row[0] if row else None


def _attended(db: Database, job: str, schedule: int, fire_time: datetime) -> None:
    at = to_micros(fire_time)
    sql = "UPDATE schedules SET seen_until = ? WHERE job = ? AND schedule = ? AND seen_until < ?"
    db.execute(sql, (at, job, schedule, at))


def _decided(db: Database, job: str, schedule: int, fire_time: datetime, now: datetime) -> bool:
    at = to_micros(fire_time)
    if db.execute(_FIRED, (job, at)).fetchone():
        return True
    return decisions.answers(db, job, schedule, at, to_micros(now))


def _decide(db: Database, due: Fire, why: Why, detail: str, now: datetime) -> None:
    job, at = due.run.job, due.run.fire_time
    assert at is not None
    mark = _mark(db, job, due.schedule)
    decisions.write(db, Decision(job, at, at, 1, why, detail, now), due.schedule, mark=mark)
    _attended(db, job, due.schedule, at)
