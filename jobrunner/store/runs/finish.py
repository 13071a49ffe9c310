"""Recording how an attempt ended, and what the run does next. Called by the server's executor and rescuer."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from jobrunner.domain.clock import to_micros
from jobrunner.domain.run import Progress
from jobrunner.domain.state import Outcome, Ready, RunState
from jobrunner.store.database import Database
from jobrunner.store.runs.add import paused, ready_row
from jobrunner.store.runs.ending import ended, following
from jobrunner.store.runs.read import progress_text

_FINISH = (
    "UPDATE runs SET state = CASE WHEN cancel = 0 THEN ? ELSE 'cancelled' END, finished_at = ?, exit_code = ?,"
    " error = ?, result = ?, run_after = coalesce(?, run_after), failures = failures + ?, losses = losses + ?,"
    " max_attempts = max_attempts + CASE WHEN cancel = 0 THEN ? ELSE 0 END,"
    " dead = CASE WHEN cancel = 0 THEN ? ELSE 0 END, cancel = 0"
    " WHERE id = ? AND state = 'running' AND attempt = ? AND server_id = ?"
    " RETURNING state, job, batch_id, params, secret_params, id, attempt, queue, priority, run_after"
)
_ATTEMPT = (
    "UPDATE attempts SET finished_at = ?, outcome = ?, exit_code = ?, signal = ?, error = ?, peak_memory = ?,"
    " cpu_time = ? WHERE run_id = ? AND number = ?"
)
_SUPERSEDE = (
    "UPDATE runs SET dead = 0 WHERE dead = 1 AND job = ? AND id <> ? AND params = ? AND coalesce(secret_params, '') = ?"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """How one attempt ended and what was decided.

    ``state`` is what the run goes to unless a cancel was asked for, which wins. ``result`` is JSON text or None.
    ``run_after`` is set with ``retrying``. ``dead`` says that the failure is a dead letter. ``peak_memory`` in bytes,
    ``cpu_time`` in seconds.
    """

    run_id: int
    job: str
    attempt: int
    server_id: int
    outcome: Outcome
    state: RunState
    at: datetime
    exit_code: int | None = None
    signal: int | None = None
    error: str | None = None
    result: str | None = None
    run_after: datetime | None = None
    dead: bool = False
    peak_memory: int | None = None
    cpu_time: float | None = None


@dataclass(frozen=True, slots=True)
class Finished:
    """The state that the run really went to, and what that set free."""

    state: RunState
    ready: list[Ready]


def finish(db: Database, ending: Ending) -> Finished | None:
    """Records the end of an attempt; None, and nothing changed, when this server no longer holds it (fencing)."""
    at = to_micros(ending.at)
    repeated = ending.state is RunState.QUEUED
    with db.transaction():
        row = db.execute(
            _FINISH,
            (
                ending.state.value,
                at,
                ending.exit_code,
                ending.error,
                ending.result,
                to_micros(ending.run_after) if ending.run_after is not None else None,
                1 if ending.outcome in (Outcome.FAILED, Outcome.TIMEOUT) else 0,
                1 if ending.outcome is Outcome.LOST else 0,
                1 if repeated else 0,
                1 if ending.dead else 0,
                ending.run_id,
                ending.attempt,
                ending.server_id,
            ),
        ).fetchone()
        if row is None:
            return None
        state, job, batch_id, params, secret_params = row[:5]
        _end_attempt(db, ending, state, at)
        if state == "queued":
            return _given_back(db, job, ready_row(row[5:]))
        if state == "retrying":
            return Finished(RunState.RETRYING, [])
        found = following(db, ending.run_id, job, batch_id)
        if found.letters and state == "succeeded":
            db.execute(_SUPERSEDE, (job, ending.run_id, params, secret_params or ""))
        return Finished(RunState(state), ended(db, ending.run_id, job, batch_id, ending.at, found))


def _given_back(db: Database, job: str, ready: Ready) -> Finished:
    hold = paused(db, job)
    if hold is None:
        return Finished(RunState.QUEUED, [ready])
    sql = "UPDATE runs SET state = 'waiting', waiting_reason = 'paused', waiting_detail = ? WHERE id = ?"
    db.execute(sql, (hold.detail, ready.id))
    return Finished(RunState.WAITING, [])


def _end_attempt(db: Database, ending: Ending, state: str, at: int) -> None:
    outcome = ending.outcome
    if state == "cancelled" and outcome not in (Outcome.LOST, Outcome.SUCCEEDED):
        outcome = Outcome.CANCELLED
    cpu = round(ending.cpu_time * 1_000_000) if ending.cpu_time is not None else None
    db.execute(
        _ATTEMPT,
        (
            at,
            outcome.value,
            ending.exit_code,
            ending.signal,
            ending.error,
            ending.peak_memory,
            cpu,
            ending.run_id,
            ending.attempt,
        ),
    )


def report_progress(db: Database, run_id: int, attempt: int, server_id: int, progress: Progress) -> None:
    """Keeps how far an attempt says it is, as long as this server holds it."""
    sql = "UPDATE runs SET progress = ? WHERE id = ? AND state = 'running' AND attempt = ? AND server_id = ?"
    db.execute(sql, (progress_text(progress), run_id, attempt, server_id))
