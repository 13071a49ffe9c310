"""Finished runs and batches that are kept no longer: found in parts by reading, removed in small transactions.

The runs are walked along their ids, each time a few hundred, so that finished runs need no index of their own, and no
statement is long. A run goes whole, with its attempts, its output and its ties, in one transaction that looks at it
once more: what was retried, or is followed by something that has not succeeded, stays. A batch goes before its members,
so that its counts are true as long as it is there; its members are then found as any other run, also by a later walk.

Called by the server's ``retention``.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from jobrunner.domain.clock import to_micros
from jobrunner.domain.retention import Retention
from jobrunner.domain.state import FINAL, RunState
from jobrunner.store import versions
from jobrunner.store.database import Database
from jobrunner.store.runs.pages import first_from

BATCHES = "batches"
"""What batches are counted under, beside the states of runs."""

_LOOKED_AT = 1_000
_AT_ONCE = 200
_BYTES_AT_ONCE = 4 * 2**20
_MICROSECOND = timedelta(microseconds=1)
_SETTLED = timedelta(hours=1)
"""Nothing goes sooner after its end: somebody waits for what it came to, and a server that lags behind, or was frozen,
learns from the run that a fire has been answered."""

_STATES = tuple(sorted(FINAL))
_OLD = "r.finished_at <= CASE r.state" + "".join(f" WHEN '{state}' THEN ?" for state in _STATES) + " END"
_ENDED = "r.state IN (" + ", ".join(f"'{state}'" for state in _STATES) + ")"
_OVER = f"{_ENDED} AND r.dead = 0 AND r.finished_at <= ?"
_FREE = (
    "(r.batch_id IS NULL OR NOT EXISTS (SELECT 1 FROM batches b WHERE b.id = r.batch_id))"
    " AND NOT EXISTS (SELECT 1 FROM run_parents p JOIN runs c ON c.id = p.child_id"
    " WHERE p.parent_id = r.id AND c.state <> 'succeeded')"
    " AND (r.unique_key IS NULL OR r.state <> 'succeeded' OR r.created_at <= ?)"
)
_LAST = (
    "NOT EXISTS (SELECT 1 FROM runs n INDEXED BY runs_job WHERE n.job = r.job AND n.id > r.id"
    " AND (r.state <> 'succeeded' OR n.state = 'succeeded'))"
)
_SELECT = f"SELECT r.id, r.state, r.job, {_LAST}"
_BY_AGE = f"{_SELECT} FROM runs r WHERE r.id >= ? AND r.id < ? AND {_OLD} AND {_FREE} ORDER BY r.id"
_OF_JOB = "SELECT id FROM runs INDEXED BY runs_job WHERE job = ? AND id > ? AND id <= ? ORDER BY id LIMIT ?"
_BY_COUNT = f"{_SELECT} FROM ({_OF_JOB}) item JOIN runs r ON r.id = item.id WHERE {_OVER} AND {_FREE} ORDER BY r.id"
_KEPT_LAST = (
    f"SELECT r.id FROM runs r INDEXED BY runs_job WHERE r.job = ? AND {_ENDED} ORDER BY r.id DESC LIMIT 1 OFFSET ?"
)
_BATCHES = "SELECT id, created_at, finished_at FROM batches WHERE id > ? ORDER BY id LIMIT ?"
_FOLLOWED = (
    "SELECT 1 FROM runs WHERE after_batch_id = ? AND after_batch_id IS NOT NULL AND state <> 'succeeded' LIMIT 1"
)
_MEMBER_FOLLOWED = (
    "SELECT 1 FROM runs m INDEXED BY runs_batch JOIN run_parents p ON p.parent_id = m.id"
    " JOIN runs c ON c.id = p.child_id WHERE m.batch_id = ? AND m.batch_id IS NOT NULL AND c.state <> 'succeeded'"
    " LIMIT 1"
)
_JOB_OF = "SELECT job FROM runs WHERE batch_id = ? AND batch_id IS NOT NULL LIMIT 1"
_IN_STATE = "SELECT 1 FROM runs WHERE batch_id = ? AND batch_id IS NOT NULL AND state = ? LIMIT 1"
_REMEMBER = (
    "INSERT INTO removed (job, last_fire) VALUES (?, ?) ON CONFLICT (job) DO UPDATE SET last_fire = excluded.last_fire"
    " WHERE excluded.last_fire > removed.last_fire"
)
_TAKE = (
    "INSERT INTO properties (name, value) VALUES ('retention', ?) ON CONFLICT (name)"
    " DO UPDATE SET value = excluded.value"
    " WHERE CAST(properties.value AS BIGINT) <= ? OR CAST(properties.value AS BIGINT) > ?"
)
_KEEP = "UPDATE properties SET value = ? WHERE name = 'retention' AND value = ?"


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """Some of what is kept no longer: ``counts`` of runs by state, or of ``BATCHES``.

    Empty where a part of the store was looked at that holds nothing of it.
    """

    counts: Counter[str]

    def remove(self, db: Database) -> Counter[str]:
        """In a transaction of the caller: removes it as far as it is still due; gives what was removed."""
        return Counter()


@dataclass(frozen=True, slots=True, kw_only=True)
class DueRuns(Due):
    """A few hundred runs at most, and what has to be true of each."""

    ids: tuple[int, ...]
    guard: str
    values: tuple[int, ...]

    def remove(self, db: Database) -> Counter[str]:
        ids: Sequence[int] = self.ids
        if db.for_update:
            # Who adds a child or retries holds the run: its rows are locked first and looked at in a later statement.
            sql = f"SELECT id FROM runs WHERE id IN ({_marks(ids)}) ORDER BY id FOR UPDATE SKIP LOCKED"
            ids = [row[0] for row in db.execute(sql, ids)]
        if not ids:
            return Counter()
        sql = (
            f"SELECT r.id, r.state, r.job, r.fire_time FROM runs r WHERE r.id IN ({_marks(ids)})"
            f" AND {self.guard} AND {_FREE}"
        )
        rows = db.execute(sql, (*ids, *self.values)).fetchall()
        if rows:
            _remove(db, [row[0] for row in rows])
            _remember(db, rows)
        return Counter(row[1] for row in rows)


@dataclass(frozen=True, slots=True, kw_only=True)
class DueBatch(Due):
    """A batch that has ended, or has no members; its members are due when it is gone."""

    id: int
    finished_at: int | None

    def remove(self, db: Database) -> Counter[str]:
        # A retry of a member takes the end of its batch away.
        found = db.execute(
            "DELETE FROM batches WHERE id = ? AND coalesce(finished_at, -1) = ?",
            (self.id, -1 if self.finished_at is None else self.finished_at),
        )
        return Counter({BATCHES: found.rowcount})


def due(db: Database, rules: Callable[[], Retention], now: Callable[[], datetime]) -> Iterator[Due]:
    """What is kept no longer, from the oldest on, a part at a time; asks for the rules before each part.

    Only reads, shortly each time. What is not removed before the next part is asked for is passed over. Runs of jobs
    that are in force and not among those of the rules belong to a server with another file, and are left alone.
    """
    in_force = frozenset(versions.names(db))
    yield from _due_batches(db, rules, now, in_force)
    yield from _by_age(db, rules, now, in_force)
    for job in sorted(rules().most):
        yield from _by_count(db, job, rules, now)


def take(db: Database, now: datetime, every: timedelta) -> bool:
    """Whether the caller may walk now: nobody has begun to, or gone on with it, for so long."""
    at, pause = to_micros(now), every // _MICROSECOND
    # A mark from the future was made by a clock that has been set back.
    return db.execute(_TAKE, (str(at), at - pause, at + pause)).rowcount > 0


def go_on(db: Database, before: datetime, now: datetime) -> bool:
    """Moves the mark of a walk that is under way; False when somebody else has begun one."""
    return db.execute(_KEEP, (str(to_micros(now)), str(to_micros(before)))).rowcount > 0


def removed_until(db: Database, job: str) -> int | None:
    """The last fire time of a job whose run was removed, in microseconds since the epoch; None where none was."""
    row = db.execute("SELECT last_fire FROM removed WHERE job = ?", (job,)).fetchone()
    return int(row[0]) if row else None


def _due_batches(
    db: Database, rules: Callable[[], Retention], now: Callable[[], datetime], in_force: Collection[str]
) -> Iterator[Due]:
    after = 0
    while rows := db.execute(_BATCHES, (after, _AT_ONCE)).fetchall():
        known, cutoffs = rules(), _cutoffs(rules(), now())
        for batch_id, created, finished in rows:
            found = _due_batch(db, batch_id, created, finished, cutoffs)
            if found is not None and not _of_others(_job_of(db, batch_id), known, in_force):
                yield found
        yield Due(counts=Counter())
        after, created, _ = rows[-1]
        # Younger ones cannot have ended long enough ago.
        if created > max(cutoffs.values()):
            return


def _job_of(db: Database, batch_id: int) -> str | None:
    row = db.execute(_JOB_OF, (batch_id,)).fetchone()
    return row[0] if row else None


def _of_others(job: str | None, rules: Retention, in_force: Collection[str]) -> bool:
    return job in in_force and job not in rules.jobs


def _due_batch(
    db: Database, batch_id: int, created: int, finished: int | None, cutoffs: dict[RunState, int]
) -> DueBatch | None:
    ended = created if finished is None else finished
    if ended > max(cutoffs.values()):
        return None
    states = [state for state in RunState if db.execute(_IN_STATE, (batch_id, state.value)).fetchone()]
    if states and finished is None:
        return None
    if ended > min(cutoffs.get(state, -1) for state in (states or FINAL)):
        return None
    if db.execute(_FOLLOWED, (batch_id,)).fetchone() or db.execute(_MEMBER_FOLLOWED, (batch_id,)).fetchone():
        return None
    return DueBatch(id=batch_id, finished_at=finished, counts=Counter({BATCHES: 1}))


def _by_age(
    db: Database, rules: Callable[[], Retention], now: Callable[[], datetime], in_force: Collection[str]
) -> Iterator[Due]:
    after = -1
    while True:
        cutoffs = _cutoffs(rules(), now())
        first, last = db.execute(
            "SELECT (SELECT min(id) FROM runs WHERE id > ?), (SELECT max(id) FROM runs)", (after,)
        ).fetchone()
        # Younger ones cannot have ended long enough ago.
        if first is None or first >= first_from(db, max(cutoffs.values()) + 1, first, last + 1):
            return
        after = first + _LOOKED_AT - 1
        values = (*(cutoffs[state] for state in _STATES), _unique_before(rules(), now()))
        rows = db.execute(_BY_AGE, (first, after + 1, *values)).fetchall()
        rows = [row for row in rows if not _of_others(row[2], rules(), in_force)]
        yield from _parts(db, rows, rules(), _OLD, values)


def _by_count(db: Database, job: str, rules: Callable[[], Retention], now: Callable[[], datetime]) -> Iterator[Due]:
    most = rules().most.get(job)
    newest = None if most is None else db.execute(_KEPT_LAST, (job, most)).fetchone()
    yield Due(counts=Counter())
    after = -1
    # Rules that have changed meanwhile are walked by anew.
    while newest is not None and rules().most.get(job) == most:
        window = (job, after, newest[0], _LOOKED_AT)
        last = db.execute(f"SELECT max(id) FROM ({_OF_JOB}) item", window).fetchone()[0]
        if last is None:
            return
        values = (to_micros(now() - _SETTLED), _unique_before(rules(), now()))
        rows = db.execute(_BY_COUNT, (*window, *values)).fetchall()
        yield from _parts(db, rows, rules(), _OVER, values)
        after = last


def _parts(db: Database, rows: Sequence[Any], rules: Retention, guard: str, values: tuple[int, ...]) -> Iterator[Due]:
    """In parts that one short transaction removes; a single empty one where there is nothing."""
    found = [(run_id, state) for run_id, state, job, last in rows if not (last and job in rules.jobs)]
    sizes = _sizes(db, [run_id for run_id, _ in found])
    part, size = list[tuple[int, str]](), 0
    for each in found:
        if part and (len(part) == _AT_ONCE or size + sizes.get(each[0], 0) > _BYTES_AT_ONCE):
            yield _runs(part, guard, values)
            part, size = [], 0
        part.append(each)
        size += sizes.get(each[0], 0)
    yield _runs(part, guard, values) if part else Due(counts=Counter())


def _runs(part: Sequence[tuple[int, str]], guard: str, values: tuple[int, ...]) -> DueRuns:
    counts = Counter(state for _, state in part)
    return DueRuns(ids=tuple(run_id for run_id, _ in part), guard=guard, values=values, counts=counts)


def _sizes(db: Database, ids: Sequence[int]) -> dict[int, int]:
    """How many bytes of output are kept of each run that has any."""
    if not ids:
        return {}
    sql = f"SELECT run_id, sum(length(data)) FROM output WHERE run_id IN ({_marks(ids)}) GROUP BY run_id"
    return {run_id: int(size) for run_id, size in db.execute(sql, ids)}


def _remove(db: Database, ids: Sequence[int]) -> None:
    marks = _marks(ids)
    for table, column in (
        ("output", "run_id"),
        ("attempts", "run_id"),
        ("run_parents", "parent_id"),
        ("run_parents", "child_id"),
        ("runs", "id"),
    ):
        db.execute(f"DELETE FROM {table} WHERE {column} IN ({marks})", ids)


def _remember(db: Database, rows: Sequence[Any]) -> None:
    """Up to which fire time runs of a job have been removed: there a missing run says nothing."""
    fires = dict[str, int]()
    for _, _, job, fire_time in rows:
        if fire_time is not None:
            fires[job] = max(fires.get(job, fire_time), fire_time)
    for job, last in sorted(fires.items()):
        db.execute(_REMEMBER, (job, last))


def _cutoffs(rules: Retention, now: datetime) -> dict[RunState, int]:
    return {state: to_micros(now) - max(age, _SETTLED) // _MICROSECOND for state, age in rules.ages.items()}


def _unique_before(rules: Retention, now: datetime) -> int:
    return to_micros(now) - rules.unique_for // _MICROSECOND


def _marks(ids: Sequence[int]) -> str:
    return ", ".join("?" * len(ids))
