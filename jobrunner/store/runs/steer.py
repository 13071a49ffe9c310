"""What people do to runs: cancel, retry, discard, hold.

Called by admin, and for the server by ``overlap`` and pauses.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, NamedTuple

from jobrunner.domain.clock import to_micros
from jobrunner.domain.state import Ready, RunState, WaitingReason
from jobrunner.errors import NotFound, Refused
from jobrunner.store.database import Database
from jobrunner.store.migrations import ACTIVE
from jobrunner.store.runs.add import after_detail, paused, ready_row
from jobrunner.store.runs.ending import Over, ended, release

_UNIQUE_HOLDER = (
    "SELECT id FROM runs WHERE unique_key = ? AND unique_key IS NOT NULL AND id <> ?"
    " AND state IN ('scheduled','waiting','queued','running','retrying') ORDER BY id DESC LIMIT 1"
)


class Steered(NamedTuple):
    """The state after the action, and the runs that it made ready. ``changed`` False: it was so already."""

    state: RunState
    changed: bool
    ready: list[Ready]


def cancel(db: Database, run_id: int, *, at_once: bool, now: datetime, why: str | None = None) -> Steered:
    """Ends a run that is not running; asks the server of a running one to stop it (``at_once``: without grace).

    Raises:
        NotFound: no such run.
        Refused: it has ended otherwise.
    """
    with db.transaction():
        state, _, _ = _known(db, run_id)
        if state is RunState.CANCELLED:
            return Steered(state, False, [])
        if state.final:
            raise Refused(f"run {run_id} has already {_ENDED[state]}")
        if state is RunState.RUNNING:
            sql = "UPDATE runs SET cancel = max(cancel, ?) WHERE id = ? AND state = 'running'"
            if db.dialect == "postgresql":
                sql = sql.replace("max(", "greatest(")
            db.execute(sql, (2 if at_once else 1, run_id))
            return Steered(state, True, [])
        sql = (
            "UPDATE runs SET state = 'cancelled', finished_at = ?, error = coalesce(?, error), waiting_reason = NULL,"
            " waiting_detail = NULL WHERE id = ? AND state = ? RETURNING job, batch_id"
        )
        row = db.execute(sql, (to_micros(now), why, run_id, state.value)).fetchone()
        assert row is not None
        return Steered(RunState.CANCELLED, True, ended(db, (Over(run_id, *row),), now))


_ENDED = {
    RunState.SUCCEEDED: "succeeded",
    RunState.FAILED: "failed",
    RunState.SKIPPED: "been skipped",
    RunState.EXPIRED: "expired",
}


def retry(db: Database, run_id: int, *, retries: int, now: datetime) -> Steered:
    """Gives a failed or cancelled run 1 + ``retries`` further attempts, at once, and its skipped children their chance.

    Raises:
        NotFound: no such run.
        Refused: any other state, or another run holds its uniqueness.
    """
    with db.transaction():
        state, job, unique_key = _known(db, run_id)
        if state not in (RunState.FAILED, RunState.CANCELLED):
            hint = f"`jobrunner trigger {job} --like {run_id}` repeats it" if state is RunState.SUCCEEDED else None
            raise Refused(f"run {run_id} is {state}; only failed and cancelled runs can be retried", hint=hint)
        if unique_key and (holder := _unique_holder(db, unique_key, run_id)):
            raise Refused(f"run {run_id} is unique, and run {holder[0]} is already under way with the same parameters")
        hold = paused(db, job)
        at = to_micros(now)
        sql = (
            "UPDATE runs SET state = ?, waiting_reason = ?, waiting_detail = ?, max_attempts = attempt + 1 + ?,"
            " failures = 0, losses = 0, dead = 0, cancel = 0, run_after = ?,"
            " expires_at = CASE WHEN attempt = 0 THEN ? + expires END"
            " WHERE id = ? AND state = ? RETURNING batch_id, id, attempt, queue, priority, run_after"
        )
        new = RunState.WAITING if hold else RunState.QUEUED
        reason, detail = (WaitingReason.PAUSED.value, hold.detail) if hold else (None, None)
        row = db.execute(sql, (new.value, reason, detail, retries, at, at, run_id, state.value)).fetchone()
        assert row is not None
        _reopen(db, run_id, row[0])
        return Steered(new, True, [] if hold else [ready_row(row[1:])])


def _unique_holder(db: Database, unique_key: str, run_id: int) -> Any:
    db.lock(unique_key)
    return db.execute(_UNIQUE_HOLDER, (unique_key, run_id)).fetchone()


def _reopen(db: Database, run_id: int, batch_id: int | None) -> None:
    """What had been skipped because of this run waits again; so does what waits for its batch."""
    todo, seen = [(run_id, batch_id)], {run_id}
    while todo:
        run, batch = todo.pop()
        for child, of_batch in [*_skipped_after_batch(db, batch), *_skipped_after(db, run)]:
            if child not in seen:
                seen.add(child)
                _wait_again(db, child, _waits_for(db, child))
                todo.append((child, of_batch))


def _skipped_after(db: Database, run_id: int) -> list[Any]:
    sql = (
        "SELECT c.id, c.batch_id FROM run_parents p JOIN runs c ON c.id = p.child_id"
        " WHERE p.parent_id = ? AND c.state = 'skipped'"
    )
    return db.execute(sql, (run_id,)).fetchall()


def _skipped_after_batch(db: Database, batch_id: int | None) -> list[Any]:
    """The batch has not ended after all; gives what was skipped because of how it had."""
    if batch_id is None:
        return []
    db.execute("UPDATE batches SET finished_at = NULL WHERE id = ?", (batch_id,))
    sql = "SELECT id, batch_id FROM runs WHERE after_batch_id = ? AND after_batch_id IS NOT NULL AND state = 'skipped'"
    return db.execute(sql, (batch_id,)).fetchall()


def _waits_for(db: Database, child: int) -> str:
    (after_batch,) = db.execute("SELECT after_batch_id FROM runs WHERE id = ?", (child,)).fetchone()
    if after_batch is not None:
        return f"batch b{after_batch}"
    sql = "SELECT parent_id FROM run_parents WHERE child_id = ? ORDER BY parent_id"
    return after_detail([parent for (parent,) in db.execute(sql, (child,))])


def _wait_again(db: Database, run_id: int, detail: str) -> None:
    sql = (
        "UPDATE runs SET state = 'waiting', waiting_reason = 'after', waiting_detail = ?, finished_at = NULL,"
        " error = NULL WHERE id = ? AND state = 'skipped'"
    )
    db.execute(sql, (detail, run_id))


def discard(db: Database, run_id: int) -> bool:
    """Takes a failed run off the dead letters; False when it was off already.

    Raises:
        NotFound: no such run.
        Refused: it is not failed.
    """
    with db.transaction():
        state, _, _ = _known(db, run_id)
        if state is not RunState.FAILED:
            raise Refused(f"run {run_id} is {state}; only failed runs can be discarded")
        return db.execute("UPDATE runs SET dead = 0 WHERE id = ? AND dead = 1", (run_id,)).rowcount > 0


def hold(db: Database, job: str, detail: str) -> int:
    """Queued runs of a job that was paused wait from now on; gives how many."""
    sql = (
        "UPDATE runs INDEXED BY runs_active SET state = 'waiting', waiting_reason = 'paused', waiting_detail = ?"
        f" WHERE job = ? AND {ACTIVE} AND state = 'queued'"
    )
    return db.execute(sql, (detail, job)).rowcount


def unhold(db: Database, job: str, now: datetime) -> list[Ready]:
    """Runs that waited for the pause of a job go on; gives those that are queued."""
    sql = "SELECT id FROM runs WHERE state = 'waiting' AND job = ? AND waiting_reason = 'paused' ORDER BY run_after, id"
    return [ready for (run_id,) in db.execute(sql, (job,)) for ready in release(db, run_id, now)]


def cancels(db: Database, server_id: int) -> list[tuple[int, int, bool]]:
    """The (run, attempt, at once) that this server has been asked to stop."""
    sql = "SELECT id, attempt, cancel FROM runs WHERE state = 'running' AND server_id = ? AND cancel > 0"
    return [(run_id, attempt, cancel > 1) for run_id, attempt, cancel in db.execute(sql, (server_id,))]


def _known(db: Database, run_id: int) -> tuple[RunState, str, str | None]:
    row = db.execute(f"SELECT state, job, unique_key FROM runs WHERE id = ?{db.for_update}", (run_id,)).fetchone()
    if row is None:
        raise NotFound(f"no run {run_id}", hint="`jobrunner runs` lists them")
    return RunState(row[0]), row[1], row[2]
