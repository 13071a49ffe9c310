"""What the end of a run sets free: its children, its batch, the fire that waited for it.

Part of the transaction that ends it.
"""

from __future__ import annotations

from collections import deque
from datetime import datetime
from typing import NamedTuple

from jobrunner.domain.clock import to_micros
from jobrunner.domain.job import When
from jobrunner.domain.release import Verdict, verdict
from jobrunner.domain.state import Ready, RunState
from jobrunner.store.database import Database
from jobrunner.store.migrations import ACTIVE
from jobrunner.store.runs.add import paused, ready_row

_FOLLOWING = (
    "SELECT EXISTS (SELECT 1 FROM run_parents WHERE parent_id = ?), EXISTS (SELECT 1 FROM runs WHERE state = 'waiting'"
    " AND job = ? AND waiting_reason = 'overlap'), EXISTS (SELECT 1 FROM runs WHERE batch_id = ?"
    " AND batch_id IS NOT NULL AND state IN ('scheduled','waiting','queued','running','retrying')),"
    " EXISTS (SELECT 1 FROM runs WHERE dead = 1 AND job = ?)"
)
_CHILDREN = (
    "SELECT c.id, c.after_when FROM run_parents p JOIN runs c ON c.id = p.child_id"
    " WHERE p.parent_id = ? AND c.state = 'waiting' AND c.waiting_reason = 'after' ORDER BY p.child_id"
)
_PARENT_STATES = "SELECT r.state FROM run_parents p JOIN runs r ON r.id = p.parent_id WHERE p.child_id = ?"
_UNENDED = (
    "SELECT 1 FROM runs WHERE batch_id = ? AND batch_id IS NOT NULL"
    " AND state IN ('scheduled','waiting','queued','running','retrying') LIMIT 1"
)
_UNSUCCESSFUL = (
    "SELECT 1 FROM runs WHERE batch_id = ? AND batch_id IS NOT NULL"
    " AND state IN ('failed','cancelled','skipped','expired') LIMIT 1"
)
_CONTINUATIONS = (
    "SELECT id, after_when FROM runs WHERE after_batch_id = ? AND after_batch_id IS NOT NULL AND state = 'waiting'"
)
_NEXT_FIRE = (
    "SELECT id, source, run_after FROM runs WHERE state = 'waiting' AND job = ? AND waiting_reason = 'overlap'"
    " AND run_after > ? ORDER BY run_after, id LIMIT 1"
)
_BUSY = (
    f"SELECT 1 FROM runs INDEXED BY runs_active WHERE job = ? AND {ACTIVE}"
    " AND (state <> 'waiting' OR waiting_reason NOT IN ('overlap','after')) LIMIT 1"
)


class Following(NamedTuple):
    """What there is that the end of a run may concern: children, runs of its job that wait for it, members of its batch
    that have not ended, dead letters of its job."""

    children: bool
    fires: bool
    members: bool
    letters: bool


def following(db: Database, run_id: int, job: str, batch_id: int | None) -> Following:
    """Most runs end without anything following: one look instead of four statements."""
    return Following(*db.execute(_FOLLOWING, (run_id, job, batch_id, job)).fetchone())


def ended(
    db: Database, run_id: int, job: str, batch_id: int | None, now: datetime, first: Following | None = None
) -> list[Ready]:
    """Does what follows from the final state that this run has just been given; gives the runs that are now queued.

    Whatever two ends can set free together is locked before the other is looked at, so that one of them sees both.
    ``first``: what ``following`` has said of this run since.
    """
    children = _CHILDREN + (" FOR UPDATE OF c" if db.for_update else "")
    released = list[Ready]()
    todo = deque([(run_id, job, batch_id)])
    while todo:
        run_id, job, batch_id = todo.popleft()
        found, first = first or following(db, run_id, job, batch_id), None
        for child, when in db.execute(children, (run_id,)) if found.children else ():
            states = [RunState(state) for (state,) in db.execute(_PARENT_STATES, (child,))]
            released += _settle(db, child, verdict(When(when or When.SUCCESS), states), now, todo)
        # Members that end at the same time are seen only with the batch held, which SQLite need not be told.
        if batch_id is not None and (db.for_update or not found.members):
            released += _end_of_batch(db, batch_id, now, todo)
        if found.fires:
            released += next_fire(db, job, now)
    return released


def release(db: Database, run_id: int, now: datetime) -> list[Ready]:
    """Lets a waiting run go on: queued, scheduled when its time has not come, or held on by the pause of its job."""
    at = to_micros(now)
    sql = "SELECT job, run_after, waiting_reason FROM runs WHERE id = ? AND state = 'waiting'"
    row = db.execute(sql, (run_id,)).fetchone()
    if row is None:
        return []
    job, due, held_by = row
    # A child falls due when its parents have ended; whatever else held a run counts as waiting.
    fresh = held_by == "after"
    start = max(due, at) if fresh else due
    hold = paused(db, job) if due <= at else None
    state = "scheduled" if due > at else "waiting" if hold else "queued"
    sql = (
        "UPDATE runs SET state = ?, waiting_reason = ?, waiting_detail = ?, run_after = ?,"
        " expires_at = CASE WHEN attempt > 0 THEN NULL WHEN ? = 1 THEN ? + expires ELSE expires_at END"
        " WHERE id = ? AND state = 'waiting' RETURNING id, attempt, queue, priority, run_after"
    )
    reason, detail = (hold.reason, hold.detail) if hold else (None, None)
    params = (state, reason.value if reason else None, detail, start, int(fresh), start, run_id)
    row = db.execute(sql, params).fetchone()
    return [ready_row(row)] if row is not None and state == "queued" else []


def _settle(
    db: Database, child: int, decided: Verdict, now: datetime, todo: deque[tuple[int, str, int | None]]
) -> list[Ready]:
    match decided:
        case Verdict.WAIT:
            return []
        case Verdict.START:
            return release(db, child, now)
        case Verdict.SKIP:
            sql = (
                "UPDATE runs SET state = 'skipped', finished_at = ?, waiting_reason = NULL, waiting_detail = NULL,"
                " error = 'its parents did not end as it needs' WHERE id = ? AND state = 'waiting'"
                " RETURNING id, job, batch_id"
            )
            row = db.execute(sql, (to_micros(now), child)).fetchone()
            if row is not None:
                todo.append(tuple(row))
            return []


def _end_of_batch(db: Database, batch_id: int, now: datetime, todo: deque[tuple[int, str, int | None]]) -> list[Ready]:
    if db.for_update:
        db.execute(f"SELECT id FROM batches WHERE id = ?{db.for_update}", (batch_id,))
    if db.execute(_UNENDED, (batch_id,)).fetchone():
        return []
    db.execute("UPDATE batches SET finished_at = ? WHERE id = ?", (to_micros(now), batch_id))
    succeeded = db.execute(_UNSUCCESSFUL, (batch_id,)).fetchone() is None
    members = [RunState.SUCCEEDED if succeeded else RunState.FAILED]
    released = list[Ready]()
    for child, when in db.execute(_CONTINUATIONS, (batch_id,)):
        released += _settle(db, child, verdict(When(when or When.SUCCESS), members), now, todo)
    return released


def next_fire(db: Database, job: str, now: datetime) -> list[Ready]:
    """Lets the next run go on that waits until no other of its job is active, if none is."""
    run_id = _next_waiting(db, job)
    if run_id is None or db.execute(_BUSY, (job,)).fetchone():
        return []
    return release(db, run_id, now)


def _next_waiting(db: Database, job: str) -> int | None:
    """What is due now goes before what is made up for; a backfill is passed over whole, since it is due all at once."""
    made_up, after = None, -(2**63)
    while (row := db.execute(_NEXT_FIRE + db.for_update, (job, after)).fetchone()) is not None:
        run_id, source, after = row
        if source != "backfill":
            return int(run_id)
        made_up = made_up or int(run_id)
    return made_up
