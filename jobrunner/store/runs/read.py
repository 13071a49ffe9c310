"""Runs as people and programs read them: one whole, or lists, newest first."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from heapq import merge
from typing import Any

from jobrunner.domain.clock import from_micros, to_micros
from jobrunner.domain.filter import Field, RunFilter
from jobrunner.domain.run import Attempt, Progress, Run
from jobrunner.domain.state import Outcome, RunState, Trigger, WaitingReason
from jobrunner.errors import NotFound
from jobrunner.store.database import Database
from jobrunner.store.migrations import ACTIVE, LISTED

_COLUMNS = (
    "r.id, r.job, r.state, r.attempt, r.max_attempts, r.queue, r.priority, r.source, r.params, r.created_at,"
    " r.run_after, r.started_at, r.finished_at, r.exit_code, r.error, r.result, r.progress, s.name, r.batch_id,"
    " r.workflow_id, r.fire_time, r.waiting_reason, r.waiting_detail, r.dead, r.cancel"
)
SELECT_WHOLE = f"SELECT {_COLUMNS} FROM"
SELECT_SLIM = f"SELECT {_COLUMNS.replace('r.result', 'NULL')} FROM"
"""What ``run_of`` reads, without results, which may be a megabyte each."""

_SERVER = "LEFT JOIN servers s ON s.id = r.server_id"
_PAGE = 1000
_EVERYTHING = 2**62
_UNORDERED = frozenset({"runs_queue", "runs_running", "runs_dead"})
"""Indexes that do not go by id: what stands in them is few, and sorted."""

_LISTED_STATES = frozenset({"scheduled", "waiting", "retrying", "failed", "cancelled", "skipped", "expired"})

_SOME_IDS = 500
"""Runs that one statement is about."""


def get(db: Database, run_id: int) -> Run:
    """One run whole, with its attempts, parents and definition.

    Raises:
        NotFound: no such run.
    """
    with db.snapshot():
        definition = "LEFT JOIN definitions d ON d.id = r.definition_id"
        sql = f"SELECT {_COLUMNS}, d.body FROM runs r {_SERVER} {definition} WHERE r.id = ?"
        row = db.execute(sql, (run_id,)).fetchone()
        if row is None:
            raise NotFound(f"no run {run_id}", hint="`jobrunner runs` lists them")
        sql = "SELECT parent_id FROM run_parents WHERE child_id = ? ORDER BY parent_id"
        parents = tuple(parent for (parent,) in db.execute(sql, (run_id,)))
        run = _run(row[:-1], parents=parents, definition=row[-1])
        return run._replace(attempts=_attempts(db, run))


def state(db: Database, run_id: int) -> RunState:
    """Where a run stands: the cheapest question about it. Raises NotFound."""
    row = db.execute("SELECT state FROM runs WHERE id = ?", (run_id,)).fetchone()
    if row is None:
        raise NotFound(f"no run {run_id}", hint="`jobrunner runs` lists them")
    return RunState(row[0])


def success_before(db: Database, run: Run) -> Run | None:
    """The newest run of the same job that is older and had begun its successful attempt before the last one of this
    run, with its definition; None where there is none, or this run has not begun."""
    if run.started_at is None:
        return None
    sql = (
        f"SELECT {_COLUMNS}, d.body FROM runs r {_SERVER} LEFT JOIN definitions d ON d.id = r.definition_id"
        " WHERE r.job = ? AND r.id < ? AND r.state = 'succeeded' AND r.started_at < ? ORDER BY r.id DESC LIMIT 1"
    )
    row = db.execute(sql, (run.job, run.id, to_micros(run.started_at))).fetchone()
    return _run(row[:-1], definition=row[-1]) if row else None


def find(db: Database, wanted: RunFilter) -> list[Run]:
    """The runs that a filter asks for, newest first, at most ``wanted.limit`` of them (0: all)."""
    with db.snapshot():
        return list(_take(_newest_first(db, wanted), wanted))


def latest(db: Database, jobs: Sequence[str]) -> dict[str, Run]:
    """The newest run of each of these jobs that has one."""
    found = {}
    sql = f"SELECT {_COLUMNS} FROM runs r {_SERVER} WHERE r.job = ? ORDER BY r.id DESC LIMIT 1"
    with db.snapshot():
        for job in jobs:
            row = db.execute(sql, (job,)).fetchone()
            if row is not None:
                found[job] = _run(row)
    return found


def some(db: Database, run_ids: Sequence[int]) -> list[Run]:
    """These runs, by id; those that do not exist are left out."""
    sql = f"SELECT {_COLUMNS} FROM runs r {_SERVER} WHERE r.id = ?"
    with db.snapshot():
        rows = [db.execute(sql, (run_id,)).fetchone() for run_id in sorted(run_ids)]
    return [_run(row) for row in rows if row is not None]


def jobs_of(db: Database, run_ids: Sequence[int]) -> dict[int, str]:
    """The job of each of these runs that there is, in their order."""
    found = dict[int, str]()
    for start in range(0, len(run_ids), _SOME_IDS):
        some = run_ids[start : start + _SOME_IDS]
        places = ", ".join("?" * len(some))
        found.update(db.execute(f"SELECT id, job FROM runs WHERE id IN ({places})", list(some)).fetchall())
    return {run_id: found[run_id] for run_id in run_ids if run_id in found}


def active(db: Database, job: str, limit: int = 100) -> list[Run]:
    """The active runs of a job, oldest first."""
    held = ACTIVE.replace("state", "r.state")
    where = f"WHERE r.job = ? AND {held} ORDER BY r.id LIMIT ?"
    sql = f"SELECT {_COLUMNS} FROM runs r INDEXED BY runs_active {_SERVER} {where}"
    return [_run(row) for row in db.execute(sql, (job, limit))]


def unended(db: Database, job: str) -> dict[str, int]:
    """How many runs of a job have not ended, by state."""
    sql = (
        f"SELECT state, COUNT(*) FROM runs INDEXED BY runs_active WHERE job = ? AND {ACTIVE} GROUP BY state UNION ALL"
        f" SELECT state, COUNT(*) FROM runs INDEXED BY runs_job_listed WHERE job = ? AND state = 'scheduled'"
        f" AND {LISTED} GROUP BY state"
    )
    return dict(db.execute(sql, (job, job)).fetchall())


def ids(db: Database, limit: int) -> list[int]:
    """The newest ids, for completion."""
    return [run_id for (run_id,) in db.execute("SELECT id FROM runs ORDER BY id DESC LIMIT ?", (limit,))]


def dead_ids(db: Database, jobs: Sequence[str]) -> list[int]:
    """The dead letters, oldest first, of these jobs or of all."""
    where, params = _any_of("job", jobs)
    sql = f"SELECT id FROM runs INDEXED BY runs_dead WHERE dead = 1{where} ORDER BY +id"
    return [run_id for (run_id,) in db.execute(sql, params)]


def dead_count(db: Database) -> int:
    """How many dead letters there are."""
    row = db.execute("SELECT count(*) FROM runs INDEXED BY runs_dead WHERE dead = 1").fetchone()
    return int(row[0])


def secrets_of(db: Database, run_id: int) -> dict[str, Any]:
    """The values of a run's ``secret`` parameters: for a new run like it, and for nothing that is shown."""
    row = db.execute("SELECT secret_params FROM runs WHERE id = ?", (run_id,)).fetchone()
    return json.loads(row[0]) if row and row[0] else {}


def _newest_first(db: Database, wanted: RunFilter) -> Iterator[Run]:
    """One indexed walk for each job and state asked for, merged: no single plan serves all of them."""
    states: Sequence[RunState | None] = wanted.states or (None,)
    if wanted.batch is not None and not wanted.states:
        states = tuple(RunState)  # the index on members goes by state
    walks = [_walk(db, wanted, job, state) for job in wanted.jobs or (None,) for state in states]
    return merge(*walks, key=lambda run: -run.id)


def _walk(db: Database, wanted: RunFilter, job: str | None, state: RunState | None) -> Iterator[Run]:
    index, held = index_of(wanted, job, state)
    number, page = ("+r.id", _EVERYTHING) if index in _UNORDERED else ("r.id", _PAGE)
    if wanted.limit and wanted.since is None:
        page = wanted.limit
    where, params = _conditions(wanted, job, state)
    source = f"runs r INDEXED BY {index}" if index else "runs r"
    order = f"{number} < ? ORDER BY {number} DESC LIMIT ?"
    sql = f"SELECT {_COLUMNS} FROM {source} {_SERVER} WHERE {held}{where} AND {order}"
    before = _EVERYTHING
    while rows := db.execute(sql, (*params, before, page)).fetchall():
        yield from (_run(row) for row in rows)
        before = rows[-1][0]


def index_of(wanted: RunFilter, job: str | None, state: RunState | None) -> tuple[str | None, str]:
    """The index to walk, and the condition of a partial one, which a query must repeat."""
    fields = {term.field for term in wanted.conditions if not term.negated and len(term.values) < 2}
    if Field.BATCH in fields:
        return "runs_batch", "r.batch_id IS NOT NULL"
    if Field.DEAD in fields:
        return "runs_dead", "r.dead = 1"
    if state is None or state is RunState.SUCCEEDED:
        return "runs_job" if job is not None else None, "1 = 1"
    if state.value in _LISTED_STATES:
        return "runs_job_listed" if job is not None else "runs_listed", LISTED.replace("state", "r.state")
    if job is not None:
        return "runs_active", ACTIVE.replace("state", "r.state")
    return "runs_queue" if state is RunState.QUEUED else "runs_running", f"r.state = '{state}'"


def _conditions(wanted: RunFilter, job: str | None, state: RunState | None) -> tuple[str, list[Any]]:
    given = (("r.job", job), ("r.state", state and state.value), ("r.batch_id", wanted.batch))
    named = [(column, value) for column, value in given if value is not None]
    return "".join(f" AND {column} = ?" for column, _ in named), [value for _, value in named]


def _take(runs: Iterator[Run], wanted: RunFilter) -> Iterator[Run]:
    # Ids grow with the time of creation, but for the skew of hosts: a minute is beyond what doctor lets pass.
    taken = 0
    for run in runs:
        if wanted.since is not None and run.created_at < wanted.since:
            if (wanted.since - run.created_at).total_seconds() > 60:
                return
            continue
        yield run
        taken += 1
        if taken == wanted.limit:
            return


def _any_of(column: str, values: Sequence[str]) -> tuple[str, list[Any]]:
    if not values:
        return "", []
    if len(values) == 1:
        return f" AND {column} = ?", list(values)
    return f" AND {column} IN ({', '.join('?' * len(values))})", list(values)


def run_of(row: Sequence[Any]) -> Run:
    """A run as a list shows it."""
    return _run(row)


def _attempts(db: Database, run: Run) -> tuple[Attempt, ...]:
    """Those that have ended, and the one under way, which only the run itself tells of."""
    sql = (
        "SELECT a.number, s.name, a.started_at, a.finished_at, a.outcome, a.exit_code, a.signal, a.error,"
        " a.peak_memory, a.cpu_time"
        " FROM attempts a LEFT JOIN servers s ON s.id = a.server_id"
        " WHERE a.run_id = ? AND a.finished_at IS NOT NULL ORDER BY a.number"
    )
    attempts = [_attempt(row) for row in db.execute(sql, (run.id,))]
    if run.state is RunState.RUNNING:
        assert run.started_at is not None
        attempts.append(Attempt(number=run.attempt, server=run.server, started_at=run.started_at))
    return tuple(attempts)


def _attempt(row: Sequence[Any]) -> Attempt:
    number, server, started, finished, outcome, exit_code, signal, error, peak_memory, cpu_time = row
    return Attempt(
        number=number,
        server=server,
        started_at=from_micros(started),
        finished_at=_instant(finished),
        outcome=Outcome(outcome) if outcome else None,
        exit_code=exit_code,
        signal=signal,
        error=error,
        peak_memory=peak_memory,
        cpu_time=cpu_time / 1_000_000 if cpu_time is not None else None,
    )


def _run(
    row: Sequence[Any],
    *,
    parents: tuple[int, ...] = (),
    definition: str | None = None,
) -> Run:
    return Run(
        id=row[0],
        job=row[1],
        state=RunState(row[2]),
        attempt=row[3],
        max_attempts=row[4],
        queue=row[5],
        priority=row[6],
        trigger=Trigger(row[7]),
        params=json.loads(row[8]),
        created_at=from_micros(row[9]),
        run_after=from_micros(row[10]),
        started_at=_instant(row[11]),
        finished_at=_instant(row[12]),
        exit_code=row[13],
        error=row[14],
        result=json.loads(row[15]) if row[15] is not None else None,
        progress=progress_from(row[16]),
        server=row[17],
        batch_id=row[18],
        workflow_id=row[19],
        fire_time=_instant(row[20]),
        waiting_reason=WaitingReason(row[21]) if row[21] else None,
        waiting_detail=row[22],
        dead=bool(row[23]),
        cancelling=bool(row[24]) and row[2] == RunState.RUNNING,
        definition=definition,
        parent_ids=parents,
    )


def progress_from(text: str | None) -> Progress | None:
    """The progress that a row holds."""
    if text is None:
        return None
    done, total, message = json.loads(text)
    return Progress(done=done, total=total, message=message)


def progress_text(progress: Progress) -> str:
    """How a row holds a progress."""
    return json.dumps([progress.done, progress.total, progress.message], separators=(",", ":"), ensure_ascii=False)


def _instant(micros: int | None) -> Any:
    return None if micros is None else from_micros(micros)
