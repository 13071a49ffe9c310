"""Creating runs and batches. Called by admin for people and programs, and by the scheduler for fires."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import NamedTuple

from jobrunner.domain.clock import from_micros, to_micros
from jobrunner.domain.job import When
from jobrunner.domain.release import Verdict, verdict
from jobrunner.domain.request import NewRun
from jobrunner.domain.state import Ready, RunState, WaitingReason
from jobrunner.errors import NotFound
from jobrunner.store import definitions
from jobrunner.store.database import Database

COLUMNS = (
    *("job", "definition_id", "state", "max_attempts", "queue", "priority", "source", "params", "secret_params"),
    *("created_at", "run_after", "expires", "expires_at", "batch_id", "fire_time", "waiting_reason", "waiting_detail"),
    *("after_when", "after_batch_id", "unique_key"),
)
"""What a new run is made of, in the order of ``insert_row``."""

_NAMES = ", ".join(COLUMNS)
INSERT = f"INSERT INTO runs ({_NAMES}) VALUES ({', '.join('?' * len(COLUMNS))}) RETURNING id"
_INSERT_ONE = (
    f"{INSERT}, EXISTS (SELECT 1 FROM definitions WHERE id = ?),"
    " EXISTS (SELECT 1 FROM pauses WHERE scope = 'job' AND name = ?)"
)
_UNIQUE_ACTIVE = (
    "SELECT id FROM runs WHERE unique_key = ? AND unique_key IS NOT NULL"
    " AND state IN ('scheduled','waiting','queued','running','retrying') ORDER BY id DESC LIMIT 1"
)
_UNIQUE_WITHIN = (
    "SELECT id FROM runs WHERE unique_key = ? AND unique_key IS NOT NULL AND created_at > ?"
    " AND state IN ('scheduled','waiting','queued','running','retrying','succeeded') ORDER BY id DESC LIMIT 1"
)
_PARENT_OF_MEMBERS = (
    "INSERT INTO run_parents (parent_id, child_id) SELECT ?, id FROM runs WHERE batch_id = ? AND batch_id IS NOT NULL"
)


class Added(NamedTuple):
    """The id of a new run, or of the ``unique`` one that was there; ``ready`` when a worker may take it at once."""

    id: int
    existing: bool
    ready: Ready | None


class Start(NamedTuple):
    """The state that a run is created in; ``reason`` and ``detail`` say why it waits."""

    state: RunState
    reason: WaitingReason | None = None
    detail: str | None = None

    @classmethod
    def overlap(cls, active: int) -> Start:
        """Held until the active run of its job has ended."""
        return cls(RunState.WAITING, WaitingReason.OVERLAP, f"run {active}")


def add(db: Database, new: NewRun) -> Added:
    """Creates one run, or gives back the one that ``unique`` says it would repeat.

    Raises:
        NotFound: a parent that does not exist.
    """
    with db.transaction():
        if (existing := find_unique(db, new)) is not None:
            return Added(existing, True, None)
        definition = definitions.number(new.job, new.definition)
        start = _unpaused(db, new)
        row = (*insert_row(new, definition, start), definition, new.job)
        run_id, known, is_paused = db.execute(_INSERT_ONE, row).fetchone()
        if not known:
            definitions.keep(db, new.job, new.definition)
        if is_paused and start.state is RunState.QUEUED:
            start = _hold(db, run_id, new.job)
        for parent in new.parents:
            db.execute("INSERT INTO run_parents (parent_id, child_id) VALUES (?, ?)", (parent, run_id))
        if start.state is RunState.SKIPPED:
            _end_skipped(db, new, "id = ?", run_id)
        return Added(run_id, False, ready(new, run_id) if start.state is RunState.QUEUED else None)


def find_unique(db: Database, new: NewRun) -> int | None:
    """The run that holds the uniqueness of ``new``, if there is one; no other transaction can create one meanwhile."""
    if new.unique_key is None:
        return None
    db.lock(new.unique_key)
    if new.unique_for is None:
        row = db.execute(_UNIQUE_ACTIVE, (new.unique_key,)).fetchone()
    else:
        row = db.execute(_UNIQUE_WITHIN, (new.unique_key, to_micros(new.created_at - new.unique_for))).fetchone()
    return row[0] if row else None


def add_batch(
    db: Database, template: NewRun, name: str, items: Sequence[tuple[str, str | None]], then: Sequence[NewRun]
) -> tuple[int, list[Ready]]:
    """Creates a batch with one run for each (params, secret_params), all or nothing; gives its id and what may start.

    ``then`` are continuations of the whole batch, created waiting. The template's own parameters are not used.
    """
    with db.transaction():
        created = to_micros(template.created_at)
        sql = "INSERT INTO batches (name, created_at) VALUES (?, ?) RETURNING id"
        (batch_id,) = db.execute(sql, (name, created)).fetchone()
        ids = _add_members(db, template, batch_id, items)
        for child in then:
            _add_continuation(db, child, batch_id)
        return batch_id, _begin_batch(db, template, batch_id, ids)


def _begin_batch(db: Database, template: NewRun, batch_id: int, ids: Sequence[tuple[int, str]]) -> list[Ready]:
    """All members are created in the same state; a batch whose parents have ended badly has ended with them."""
    first, state = ids[0] if ids else (0, "")
    if state == RunState.SKIPPED:
        from jobrunner.store.runs.ending import Over, ended  # which builds on this module

        _end_skipped(db, template, "batch_id = ? AND batch_id IS NOT NULL", batch_id)
        return ended(db, (Over(first, template.job, batch_id),), template.created_at)
    return [ready(template, run_id) for run_id, _ in ids] if state == RunState.QUEUED else []


def _end_skipped(db: Database, new: NewRun, which: str, key: int) -> None:
    """What is skipped when it is created has ended then, and says why as all that ends does."""
    sql = f"UPDATE runs SET finished_at = ?, error = waiting_detail, waiting_detail = NULL WHERE {which}"
    db.execute(sql, (to_micros(new.created_at), key))


def _add_members(
    db: Database, template: NewRun, batch_id: int, items: Sequence[tuple[str, str | None]]
) -> list[tuple[int, str]]:
    start = _start(db, template)
    definition = definitions.keep(db, template.job, template.definition)
    row = list(insert_row(template, definition, start))
    row[13] = batch_id
    each, value = _EACH[db.dialect]
    columns = ["?"] * len(row)
    columns[7], columns[8] = value.format(0), value.format(1)
    del row[7:9]
    sql = f"INSERT INTO runs ({_NAMES}) SELECT {', '.join(columns)} FROM {each} RETURNING id, state"
    ids = db.execute(sql, (*row, json.dumps(items, ensure_ascii=False))).fetchall()
    for parent in template.parents:
        db.execute(_PARENT_OF_MEMBERS, (parent, batch_id))
    return ids


_EACH = {
    "sqlite": ("json_each(?) AS item", "json_extract(item.value, '$[{}]')"),
    "postgresql": ("jsonb_array_elements(?::jsonb) AS item", "item ->> {}"),
}


def _add_continuation(db: Database, child: NewRun, batch_id: int) -> None:
    definition = definitions.keep(db, child.job, child.definition)
    row = list(insert_row(child, definition, Start(RunState.WAITING, WaitingReason.AFTER, f"batch b{batch_id}")))
    row[17], row[18] = child.when.value, batch_id
    db.execute(INSERT, row)


def _start(db: Database, new: NewRun) -> Start:
    start = _unpaused(db, new)
    return (paused(db, new.job) if start.state is RunState.QUEUED else None) or start


def _unpaused(db: Database, new: NewRun) -> Start:
    """As if its job were not paused."""
    if new.parents:
        held = _held_by_parents(db, new)
        if held is not None:
            return held
    return Start(RunState.SCHEDULED if new.run_after > new.created_at else RunState.QUEUED)


def _hold(db: Database, run_id: int, job: str) -> Start:
    """A run that turned out to be of a paused job when it was there."""
    start = paused(db, job) or Start(RunState.QUEUED)
    if start.reason is not None:
        sql = "UPDATE runs SET state = ?, waiting_reason = ?, waiting_detail = ? WHERE id = ?"
        db.execute(sql, (start.state.value, start.reason.value, start.detail, run_id))
    return start


def paused(db: Database, job: str) -> Start | None:
    """How a run of a paused job starts, None when the job is not paused."""
    row = db.execute("SELECT who, reason FROM pauses WHERE scope = 'job' AND name = ?", (job,)).fetchone()
    if row is None:
        return None
    who, reason = row
    return Start(RunState.WAITING, WaitingReason.PAUSED, f"by {who}" + (f": {reason}" if reason else ""))


def _held_by_parents(db: Database, new: NewRun) -> Start | None:
    states = []
    for parent in new.parents:
        # Held, so that a parent cannot end unseen before this child is there to be released by its end.
        row = db.execute(f"SELECT state FROM runs WHERE id = ?{db.for_update}", (parent,)).fetchone()
        if row is None:
            raise NotFound(f"no run {parent}", hint="a continuation needs a parent that exists")
        states.append(RunState(row[0]))
    match verdict(new.when, states):
        case Verdict.START:
            return None
        case Verdict.WAIT:
            return Start(RunState.WAITING, WaitingReason.AFTER, after_detail(new.parents))
        case Verdict.SKIP:
            return Start(RunState.SKIPPED, None, f"its parents ended without {new.when}")


def after_detail(parents: Sequence[int]) -> str:
    """The words for what a run waits for."""
    shown = ", ".join(str(parent) for parent in parents[:5])
    return f"run {shown}" if len(parents) == 1 else f"runs {shown}" + (" …" if len(parents) > 5 else "")


def insert_row(new: NewRun, definition: int, start: Start) -> tuple[object, ...]:
    """The values of a new run, in the order of INSERT."""
    due = to_micros(new.run_after)
    expires = round(new.expires.total_seconds() * 1_000_000) if new.expires is not None else None
    dated = expires is not None and start.reason is not WaitingReason.AFTER
    return (
        new.job,
        definition,
        start.state.value,
        new.max_attempts,
        new.queue,
        new.priority,
        new.trigger.value,
        new.params,
        new.secret_params,
        to_micros(new.created_at),
        due,
        expires,
        due + expires if dated and expires is not None else None,
        new.batch_id,
        to_micros(new.fire_time) if new.fire_time is not None else None,
        start.reason.value if start.reason else None,
        start.detail,
        new.when.value if new.parents or new.when is not When.SUCCESS else None,
        new.after_batch,
        new.unique_key,
    )


def ready(new: NewRun, run_id: int) -> Ready:
    """What a broker is told of a run that was created queued."""
    return Ready(run_id, 0, new.queue, new.priority, new.run_after)


def ready_row(row: Sequence[object]) -> Ready:
    """The Ready of a row of id, attempt, queue, priority, run_after."""
    run_id, attempt, queue, priority, run_after = row
    return Ready(int(run_id), int(attempt), str(queue), int(priority), from_micros(int(run_after)))  # type: ignore[call-overload]
