"""What the end of a run sets free: its children, its batch, the fire that waited for it.

Part of the transaction that ends it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from jobrunner.domain.clock import to_micros
from jobrunner.domain.job import When
from jobrunner.domain.release import Verdict, verdict
from jobrunner.domain.state import Ready, RunState
from jobrunner.store.database import Database, table
from jobrunner.store.migrations import ACTIVE
from jobrunner.store.runs.add import paused, ready_row

_FOLLOWING = (
    "SELECT over_id, EXISTS (SELECT 1 FROM run_parents WHERE parent_id = over_id),"
    " EXISTS (SELECT 1 FROM runs WHERE state = 'waiting' AND job = over_job AND waiting_reason = 'overlap'),"
    " EXISTS (SELECT 1 FROM runs WHERE batch_id = over_batch AND batch_id IS NOT NULL"
    " AND state IN ('scheduled','waiting','queued','running','retrying')),"
    " EXISTS (SELECT 1 FROM runs WHERE dead = 1 AND job = over_job) FROM item WHERE over_id IS NOT NULL"
)
_OVER = "over_id BIGINT, over_job TEXT, over_batch BIGINT"
_CHILDREN = (
    "SELECT c.id, c.after_when FROM run_parents p JOIN runs c ON c.id = p.child_id"
    " WHERE p.parent_id = ? AND c.state = 'waiting' AND c.waiting_reason = 'after' ORDER BY p.child_id"
)
_PARENT_STATES = "SELECT r.state FROM run_parents p JOIN runs r ON r.id = p.parent_id WHERE p.child_id = ?"
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


class Over(NamedTuple):
    """A run that has just been given its final state."""

    id: int
    job: str
    batch_id: int | None


class Following(NamedTuple):
    """What there is that the end of a run may concern: children, runs of its job that wait for it, members of its batch
    that have not ended, dead letters of its job."""

    children: bool
    fires: bool
    members: bool
    letters: bool


def following(db: Database, over: Sequence[Over]) -> dict[int, Following]:
    """What follows from each of these ends: one look, since mostly it is nothing. From here on their batches are held.

    Members that end at the same time are seen only with the batch held, which SQLite need not be told.
    """
    if not over:
        return {}
    batches = sorted({each.batch_id for each in over if each.batch_id is not None})
    if db.for_update and batches:
        sql = f"SELECT id FROM batches WHERE id IN ({', '.join('?' * len(batches))}) ORDER BY id{db.for_update}"
        db.execute(sql, batches)
    # What is the same for all runs of a job, or of a batch, is asked of the first of them.
    jobs, members = dict[str, Over](), dict[int | None, Over]()
    for each in reversed(over):
        jobs[each.job] = members[each.batch_id] = each
    asked = list[tuple[object, ...]]()
    for each in over:
        first_of_job, first_of_batch = jobs[each.job] is each, members[each.batch_id] is each
        asked.append((each.id, each.job if first_of_job else None, each.batch_id if first_of_batch else None))
    item, values = table(_OVER, asked)
    rows = {row[0]: row[1:] for row in db.execute(item + _FOLLOWING, values)}
    found = dict[int, Following]()
    for each in over:
        of_job, of_batch = rows[jobs[each.job].id], rows[members[each.batch_id].id]
        found[each.id] = Following(rows[each.id][0], of_job[1], of_batch[2], of_job[3])
    return found


def ended(
    db: Database, over: Sequence[Over], now: datetime, first: Mapping[int, Following] | None = None
) -> list[Ready]:
    """Does what follows from the final states that these runs have just been given; gives the runs that are now queued.

    Whatever two ends can set free together is locked before the other is looked at, so that one of them sees both.
    ``first``: what ``following`` has said of these runs since.
    """
    released = list[Ready]()
    while over:
        found, first = first or following(db, over), None
        todo = list[Over]()
        for each in over:
            if found[each.id].children:
                released += _release_children(db, each.id, now, todo)
        for batch_id in sorted({each.batch_id for each in over if each.batch_id and not found[each.id].members}):
            released += _end_of_batch(db, batch_id, now, todo)
        for job in dict.fromkeys(each.job for each in over if found[each.id].fires):
            released += next_fire(db, job, now)
        over = todo
    return released


def _release_children(db: Database, run_id: int, now: datetime, todo: list[Over]) -> list[Ready]:
    children = _CHILDREN + (" FOR UPDATE OF c" if db.for_update else "")
    released = list[Ready]()
    for child, when in db.execute(children, (run_id,)):
        states = [RunState(state) for (state,) in db.execute(_PARENT_STATES, (child,))]
        released += _settle(db, child, verdict(When(when or When.SUCCESS), states), now, todo)
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


def _settle(db: Database, child: int, decided: Verdict, now: datetime, todo: list[Over]) -> list[Ready]:
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
                todo.append(Over(*row))
            return []


def _end_of_batch(db: Database, batch_id: int, now: datetime, todo: list[Over]) -> list[Ready]:
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
