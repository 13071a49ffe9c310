"""Recording how an attempt ended, and what the run does next. Called by the server's executor and rescuer."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import NamedTuple

from jobrunner.domain.clock import to_micros
from jobrunner.domain.run import Progress
from jobrunner.domain.state import Outcome, Ready, RunState
from jobrunner.store.database import Database, table
from jobrunner.store.runs.add import paused, ready_row
from jobrunner.store.runs.ending import Over, ended, following
from jobrunner.store.runs.read import progress_text

_TOGETHER = 100
"""Ends that one statement records."""

_FINISH = (
    "UPDATE runs SET state = CASE WHEN cancel = 0 THEN to_state ELSE 'cancelled' END, finished_at = ended_at,"
    " started_at = coalesce(begun_at, started_at),"
    " exit_code = to_exit, error = to_error, result = to_result, run_after = coalesce(again_at, run_after),"
    " failures = failures + failed, losses = losses + lost,"
    " max_attempts = max_attempts + CASE WHEN cancel = 0 THEN repeated ELSE 0 END,"
    " dead = CASE WHEN cancel = 0 THEN to_dead ELSE 0 END, cancel = 0 FROM item"
    " WHERE id = of_run AND state = 'running' AND attempt = of_attempt AND server_id = of_server"
    " RETURNING id, state, job, batch_id, params, secret_params, started_at, attempt, queue, priority, run_after"
)
_ENDING = (
    "of_run BIGINT, of_attempt BIGINT, of_server BIGINT, to_state TEXT, begun_at BIGINT, ended_at BIGINT,"
    " to_exit BIGINT,"
    " to_error TEXT, to_result TEXT, again_at BIGINT, failed BIGINT, lost BIGINT, repeated BIGINT, to_dead BIGINT"
)
_ATTEMPT = (
    "INSERT INTO attempts (run_id, number, server_id, started_at, finished_at, outcome, exit_code, signal, error,"
    " peak_memory, cpu_time)"
    " SELECT of_run, of_attempt, of_server, begun_at, ended_at, to_outcome, to_exit, to_signal, to_error, used_memory,"
    " used_cpu FROM item WHERE of_run IS NOT NULL ON CONFLICT (run_id, number) DO UPDATE SET "
    # There is a row where a server that wrote it when an attempt began has been replaced since.
    + ", ".join(
        f"{name} = excluded.{name}"
        for name in ("started_at", "finished_at", "outcome", "exit_code", "signal", "error", "peak_memory", "cpu_time")
    )
)
_ATTEMPT_ENDING = (
    "of_run BIGINT, of_attempt BIGINT, of_server BIGINT, begun_at BIGINT, ended_at BIGINT, to_outcome TEXT,"
    " to_exit BIGINT, to_signal BIGINT, to_error TEXT, used_memory BIGINT, used_cpu BIGINT"
)
_SUPERSEDE = (
    "UPDATE runs SET dead = 0 WHERE dead = 1 AND job = ? AND id <> ? AND params = ? AND coalesce(secret_params, '') = ?"
)


class Ending(NamedTuple):
    """How one attempt ended and what was decided.

    ``state`` is what the run goes to unless a cancel was asked for, which wins. ``started_at``: when it began, None
    where that was when it was claimed. ``result`` is JSON text or None. ``run_after`` is set with ``retrying``.
    ``dead`` says that the failure is a dead letter. ``peak_memory`` in bytes, ``cpu_time`` in seconds.
    """

    run_id: int
    job: str
    attempt: int
    server_id: int
    outcome: Outcome
    state: RunState
    at: datetime
    started_at: datetime | None = None
    exit_code: int | None = None
    signal: int | None = None
    error: str | None = None
    result: str | None = None
    run_after: datetime | None = None
    dead: bool = False
    peak_memory: int | None = None
    cpu_time: float | None = None


class Finished(NamedTuple):
    """The state that the run really went to, and what that set free."""

    state: RunState
    ready: list[Ready]


class Ends(NamedTuple):
    """The states that runs really went to, those left out that the server no longer held; and what that set free."""

    states: dict[int, RunState]
    ready: list[Ready]


def finish(db: Database, ending: Ending) -> Finished | None:
    """Records the end of an attempt; None, and nothing changed, when this server no longer holds it (fencing)."""
    states, ready = finish_all(db, (ending,))
    return Finished(states[ending.run_id], ready) if states else None


def finish_all(db: Database, endings: Sequence[Ending]) -> Ends:
    """Records the ends of attempts of different runs, each for itself, with no more statements than one takes."""
    ends = Ends({}, [])
    with db.transaction():
        for together in _groups(endings):
            states, ready = _finish(db, together)
            ends.states.update(states)
            ends.ready.extend(ready)
    return ends


def _groups(endings: Sequence[Ending]) -> Iterator[Sequence[Ending]]:
    """A success ends the dead letters that were there before it, so where both come together their order counts."""
    for start in range(0, len(endings), _TOGETHER):
        some = endings[start : start + _TOGETHER]
        if any(ending.dead for ending in some) and any(ending.state is RunState.SUCCEEDED for ending in some):
            yield from ((ending,) for ending in some)
        else:
            yield some


def _finish(db: Database, endings: Sequence[Ending]) -> Ends:
    item, values = table(_ENDING, [_values(ending) for ending in endings])
    rows = {row[0]: row[1:] for row in db.execute(item + _FINISH, values)}
    held = [ending for ending in endings if ending.run_id in rows]
    if not held:
        return Ends({}, [])
    states = {ending.run_id: RunState(rows[ending.run_id][0]) for ending in held}
    attempts = [_attempt_values(ending, states[ending.run_id], rows[ending.run_id][5]) for ending in held]
    item, values = table(_ATTEMPT_ENDING, attempts)
    db.execute(item + _ATTEMPT, values)
    over = [Over(run_id, *rows[run_id][1:3]) for run_id, state in states.items() if state.final]
    found = following(db, over)
    for run_id, job, _ in over:
        if found[run_id].letters and states[run_id] is RunState.SUCCEEDED:
            params, secret_params = rows[run_id][3:5]
            db.execute(_SUPERSEDE, (job, run_id, params, secret_params or ""))
    ready = ended(db, over, max(ending.at for ending in held), found)
    for run_id, state in states.items():
        if state is RunState.QUEUED:
            row = rows[run_id]
            states[run_id], given_back = requeue(db, row[1], ready_row((run_id, *row[6:])))
            ready += given_back
    return Ends(states, ready)


def _values(ending: Ending) -> tuple[object, ...]:
    return (
        ending.run_id,
        ending.attempt,
        ending.server_id,
        ending.state.value,
        to_micros(ending.started_at) if ending.started_at is not None else None,
        to_micros(ending.at),
        ending.exit_code,
        ending.error,
        ending.result,
        to_micros(ending.run_after) if ending.run_after is not None else None,
        1 if ending.outcome in (Outcome.FAILED, Outcome.TIMEOUT) else 0,
        1 if ending.outcome is Outcome.LOST else 0,
        1 if ending.state is RunState.QUEUED else 0,
        1 if ending.dead else 0,
    )


def _attempt_values(ending: Ending, state: RunState, began: int) -> tuple[object, ...]:
    outcome = ending.outcome
    if state is RunState.CANCELLED and outcome not in (Outcome.LOST, Outcome.SUCCEEDED):
        outcome = Outcome.CANCELLED
    return (
        ending.run_id,
        ending.attempt,
        ending.server_id,
        began,
        to_micros(ending.at),
        outcome.value,
        ending.exit_code,
        ending.signal,
        ending.error,
        ending.peak_memory,
        round(ending.cpu_time * 1_000_000) if ending.cpu_time is not None else None,
    )


def requeue(db: Database, job: str, ready: Ready) -> tuple[RunState, list[Ready]]:
    """What a run that is queued again goes to: it waits where its job has been paused meanwhile."""
    hold = paused(db, job)
    if hold is None:
        return RunState.QUEUED, [ready]
    sql = "UPDATE runs SET state = 'waiting', waiting_reason = 'paused', waiting_detail = ? WHERE id = ?"
    db.execute(sql, (hold.detail, ready.id))
    return RunState.WAITING, []


def report_progress(db: Database, run_id: int, attempt: int, server_id: int, progress: Progress) -> None:
    """Keeps how far an attempt says it is, as long as this server holds it."""
    sql = "UPDATE runs SET progress = ? WHERE id = ? AND state = 'running' AND attempt = ? AND server_id = ?"
    db.execute(sql, (progress_text(progress), run_id, attempt, server_id))
