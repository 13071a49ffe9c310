"""Fires: a due fire time becomes a run, once across all servers, or a decision why not. Called by the scheduler.

The unique key on (job, fire time) makes it once, and what has been decided stays so, whatever clocks and servers do;
the transaction that decides a fire also notes how far the job's schedule has been attended to, which is what catching
up after downtime starts from.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import NamedTuple

from jobrunner.domain.clock import from_micros, to_micros
from jobrunner.domain.decision import Decision, Why
from jobrunner.domain.job import Overlap
from jobrunner.domain.queue import Pause
from jobrunner.domain.request import NewRun
from jobrunner.domain.state import Ready, RunState
from jobrunner.errors import Refused
from jobrunner.store import decisions, definitions, pauses
from jobrunner.store.database import Database, in_parts, insert
from jobrunner.store.decisions import Fires
from jobrunner.store.migrations import ACTIVE, LISTED
from jobrunner.store.runs import steer
from jobrunner.store.runs.add import INSERT, Start, find_unique, insert_row, paused, ready

_ACTIVE_RUNS = (
    f"SELECT id FROM runs INDEXED BY runs_active WHERE job = ? AND {ACTIVE}"
    " AND (state <> 'waiting' OR source <> 'backfill')"
)
"""What waits of a backfill is in nobody's way: a fire goes before it, and waits at most for the one that runs."""

_ACTIVE_RUN = f"{_ACTIVE_RUNS} ORDER BY id LIMIT 1"
_ORDINARY_RUN = f"{_ACTIVE_RUNS} AND source <> 'backfill' LIMIT 1"
_DELAYED_RUN = (
    f"SELECT id FROM runs INDEXED BY runs_job_listed WHERE job = ? AND {LISTED} AND state = 'scheduled'"
    " AND fire_time IS NOT NULL"
)
_FIRED = "SELECT 1 FROM runs WHERE job = ? AND fire_time = ? AND fire_time IS NOT NULL"
_OTHERS = f"{_ACTIVE_RUNS} AND source <> 'backfill' AND (fire_time IS NULL OR fire_time <> ?) ORDER BY id"


class Fire(NamedTuple):
    """A due fire time of a job: the run that it is to become, the number of the schedule, and the job's ``overlap``.

    ``one_by_one`` makes it wait for the runs before it whatever ``overlap`` says: catching up must not be a stampede.
    ``instead`` is what the file decides before anything else is looked at. ``shadow``: it is decided, and makes no run.
    ``delayed``: runs of the job's fires may be scheduled for later, by a jitter or a blackout; they count as active.
    ``fires`` are those of the schedule.
    """

    run: NewRun
    schedule: int
    overlap: Overlap
    one_by_one: bool = False
    instead: tuple[Why, str] | None = None
    shadow: bool = False
    delayed: bool = False
    fires: Fires = lambda since, until: ()


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
        rows = db.execute("SELECT job, schedule, seen_until FROM schedules")
        known = {(job, number): seen for job, number, seen in rows}
        fresh = {pair for pair in schedules.items() if not 0 <= known.get(pair, -1) <= at}
        insert(db, _MARKS, [(*pair, at, at) for pair in schedules.items() if pair in fresh], _MARK_ANEW)
        left = [pair for pair in known if pair[1] != schedules.get(pair[0]) and pair[1] not in held]
        for places, values in in_parts(left):
            db.execute(f"DELETE FROM schedules WHERE (job, schedule) IN (VALUES {places})", values)
    instants = {seen: from_micros(seen) for seen in set(known.values())}
    attended = {pair[0]: now if pair in fresh else instants[known[pair]] for pair in schedules.items()}
    return attended, [Left(*pair, instants[known[pair]]) for pair in left]


_MARKS = "schedules (job, schedule, applied_at, seen_until)"
_MARK_ANEW = "(job, schedule) DO UPDATE SET applied_at = excluded.applied_at, seen_until = excluded.seen_until"


def any_applied(db: Database) -> bool:
    """Whether a server has applied the schedule of any job."""
    return db.execute("SELECT 1 FROM schedules LIMIT 1").fetchone() is not None


def fire(db: Database, due: Fire, now: datetime) -> list[Ready]:
    """Decides one due fire; gives the runs that a worker may take. Another server may have decided it already."""
    new = due.run
    assert new.fire_time is not None
    with db.transaction():
        alone(db, new.job)
        if _decided(db, due, now):
            attended(db, new.job, due.schedule, new.fire_time)
            return []
        if due.instead is not None and due.instead[0] is Why.DISABLED:
            return _decide(db, due, *due.instead, now)
        if (pause := pauses.over_job(db, new.job, new.fire_time)) is not None:
            return _decide(db, due, Why.PAUSED, words_of(pause), now)
        if due.instead is not None:
            return _decide(db, due, *due.instead, now)
        return start(db, due, now)


def start(db: Database, due: Fire, now: datetime) -> list[Ready]:
    """Makes the run of a fire that nothing but ``unique``, ``shadow`` and ``overlap`` can keep from starting.

    Part of a transaction in which this server is ``alone`` with the job's fires.
    """
    new = due.run
    assert new.fire_time is not None
    if (holder := find_unique(db, new)) is not None:
        return _decide(db, due, Why.NOT_UNIQUE, f"run {holder} has the same parameters", now)
    if due.shadow:
        return _decide(db, due, Why.SHADOW, _would(db, due), now)
    attended(db, new.job, due.schedule, new.fire_time)
    return _create(db, due, now)


def words_of(pause: Pause) -> str:
    """Who paused what since when, and why."""
    words = f"{pause.scope} paused by {pause.who} since {pause.since.isoformat()}"
    return words + (f": {pause.reason}" if pause.reason else "")


def _would(db: Database, due: Fire) -> str:
    active = None if due.overlap is Overlap.ALLOW else _active(db, due)
    if active is None:
        return "it would run"
    match due.overlap:
        case Overlap.SKIP:
            return f"it would be skipped: run {active} of this job was still active"
        case Overlap.REPLACE:
            return f"it would run in place of run {active}"
        case _:
            return f"it would wait for run {active}"


def _create(db: Database, due: Fire, now: datetime) -> list[Ready]:
    new = due.run
    free = due.overlap is Overlap.ALLOW and not due.one_by_one
    active = None if free else _active(db, due)
    if active is None:
        start = Start(RunState.SCHEDULED) if new.run_after > now else paused(db, new.job) or Start(RunState.QUEUED)
        run_id = _insert(db, new, start)
        return [ready(new, run_id)] if run_id is not None and start.state is RunState.QUEUED else []
    if due.overlap is Overlap.SKIP and not due.one_by_one and not _made_up(db, new.job, active):
        _skip(db, new, active, now)
        return []
    if _insert(db, new, Start.overlap(active)) is None or due.overlap is not Overlap.REPLACE:
        return []
    return _replace(db, due, now)


def _active(db: Database, due: Fire) -> int | None:
    """The first run of the job that counts for ``overlap``; with it all that a waiting one is to wait for are held.

    Held, so that none can end unseen before the run that waits for it is there to be released by the last end.
    """
    waits = due.overlap is not Overlap.SKIP or due.one_by_one
    sql = f"{_ACTIVE_RUNS} ORDER BY id" if waits and db.for_update else _ACTIVE_RUN
    found = db.execute(sql + db.for_update, (due.run.job,)).fetchall()
    if due.delayed:
        found += db.execute(_DELAYED_RUN + db.for_update, (due.run.job,)).fetchall()
    return min(found)[0] if found else None


def _made_up(db: Database, job: str, active: int) -> bool:
    """Whether a fire meets a run of a backfill and no other: it is not lost to that, and waits."""
    (source,) = db.execute("SELECT source FROM runs WHERE id = ?", (active,)).fetchone()
    return source == "backfill" and not db.execute(_ORDINARY_RUN, (job,)).fetchone()


def _skip(db: Database, new: NewRun, active: int, now: datetime) -> None:
    run_id = _insert(db, new._replace(expires=None), Start(RunState.SKIPPED))
    if run_id is not None:
        sql = "UPDATE runs SET finished_at = ?, error = ? WHERE id = ?"
        db.execute(sql, (to_micros(now), f"run {active} of this job was still active", run_id))


def _replace(db: Database, due: Fire, now: datetime) -> list[Ready]:
    released, new = list[Ready](), due.run
    assert new.fire_time is not None
    others = db.execute(_OTHERS, (new.job, to_micros(new.fire_time))).fetchall()
    if due.delayed:
        others += db.execute(_DELAYED_RUN, (new.job,)).fetchall()
    for (run_id,) in others:
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


def alone(db: Database, *jobs: str) -> None:
    """Of two servers that decide fires of the same job the second waits here for the first."""
    db.lock(*(f"fires of {job}" for job in jobs))


def mark(db: Database, job: str, schedule: int) -> int | None:
    """How far the fires of a schedule have been attended to, None where it is not in force."""
    row = db.execute("SELECT seen_until FROM schedules WHERE job = ? AND schedule = ?", (job, schedule)).fetchone()
    return row[0] if row else None


def attended(db: Database, job: str, schedule: int, fire_time: datetime) -> None:
    """Notes that the fires of a schedule have been attended to up to this one."""
    at = to_micros(fire_time)
    sql = "UPDATE schedules SET seen_until = ? WHERE job = ? AND schedule = ? AND seen_until < ?"
    db.execute(sql, (at, job, schedule, at))


def _decided(db: Database, due: Fire, now: datetime) -> bool:
    assert due.run.fire_time is not None
    at = to_micros(due.run.fire_time)
    if db.execute(_FIRED, (due.run.job, at)).fetchone():
        return True
    return decisions.answers(db, due.run.job, due.schedule, at, now, due.fires)


def _decide(db: Database, due: Fire, why: Why, detail: str, now: datetime) -> list[Ready]:
    job, at = due.run.job, due.run.fire_time
    assert at is not None
    decision = Decision(job, at, at, 1, why, detail, now)
    decisions.write(db, decision, due.schedule, mark=mark(db, job, due.schedule))
    attended(db, job, due.schedule, at)
    return []
