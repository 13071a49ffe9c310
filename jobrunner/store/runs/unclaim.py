"""Putting back what was claimed and never begun. Called by the queue's engine."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from jobrunner.domain.run import Claimed
from jobrunner.domain.state import Outcome, Ready, RunState
from jobrunner.store.database import Database, table
from jobrunner.store.runs.add import ready_row
from jobrunner.store.runs.finish import Ending, finish_all, requeue

_RESTORED = ("server_id", "started_at", "finished_at", "exit_code", "error")
_EARLIER = "{0} = (SELECT a.{0} FROM attempts a WHERE a.run_id = runs.id AND a.number = runs.attempt - 1)"
_PUT_BACK = (
    "UPDATE runs SET state = 'queued', attempt = attempt - 1, "
    + ", ".join(_EARLIER.format(name) for name in _RESTORED)
    + " FROM item WHERE id = of_run AND state = 'running' AND attempt = of_attempt AND server_id = ? AND cancel = 0"
    " RETURNING id, job, attempt, queue, priority, run_after"
)


def unclaim(db: Database, claimed: Sequence[Claimed], *, server_id: int, now: datetime) -> list[Ready]:
    """Makes runs queued as they were before they were claimed: there has been no attempt.

    One that a person wants cancelled is cancelled; one that this server no longer holds stays as it is.
    """
    if not claimed:
        return []
    ready, back = list[Ready](), set[int]()
    item, values = table("of_run BIGINT, of_attempt BIGINT", [(run.id, run.attempt) for run in claimed])
    with db.transaction():
        for run_id, job, *rest in db.execute(item + _PUT_BACK, (*values, server_id)).fetchall():
            back.add(run_id)
            ready += requeue(db, job, ready_row((run_id, *rest)))[1]
        others = [run for run in claimed if run.id not in back]
        finish_all(db, [_unbegun(run, server_id, now) for run in others])
    return ready


def _unbegun(run: Claimed, server_id: int, now: datetime) -> Ending:
    return Ending(
        run_id=run.id,
        job=run.job,
        attempt=run.attempt,
        server_id=server_id,
        outcome=Outcome.INTERRUPTED,
        state=RunState.QUEUED,
        at=now,
    )
