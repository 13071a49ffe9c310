"""Pages of a list of runs, by any filter, newest first or from the other end. Called by admin for the dashboard.

A page begins at an id, never at a number of rows, so that it costs the same anywhere. Where an index has all that is
asked for it is walked; else the runs are looked through in stretches of ids, from the end that is wanted, until there
are enough of them or the time is over.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from jobrunner.domain.clock import Clock, from_micros, to_micros
from jobrunner.domain.filter import Field, Page, RunFilter, Term, is_glob
from jobrunner.domain.run import Run
from jobrunner.domain.state import RunState
from jobrunner.store.database import Database
from jobrunner.store.runs.conditions import conditions
from jobrunner.store.runs.read import SELECT_SLIM, SELECT_WHOLE, index_of, run_of

_MOST_WALKS = 24
"""So many pairs of job and state are walked each by its own index; more of them are looked through together."""

_FIRST_STRETCH, _LONGEST_STRETCH = 20_000, 160_000
"""Ids that are looked through at a time: at most some tens of milliseconds' worth."""

_ALL = 2**62
_SKEW = 60_000_000
"""Ids grow with the time of creation, but for the skew of hosts; a minute is beyond what doctor lets pass."""

_UNORDERED = frozenset({"runs_queue", "runs_running", "runs_dead", "runs_batch"})


class _Plan(NamedTuple):
    """The walks that together meet every run that is asked for, and whether they meet no others."""

    walks: Sequence[tuple[str | None, RunState | None]]
    exact: bool


class _Bounds(NamedTuple):
    """Ids with ``low <= id < high``, and whether the newest are wanted."""

    low: int
    high: int
    newest: bool


def page(
    db: Database,
    wanted: RunFilter,
    *,
    older_than: int | None,
    newer_than: int | None,
    n: int,
    clock: Clock,
    seconds: float | None,
) -> Page:
    """At most ``n`` runs that are older than one, or the nearest that are newer than one (0: the oldest there are).

    ``seconds``: how long it may look through runs of which few are wanted; None: to the end.
    """
    now = clock.now()
    deadline = None if seconds is None else clock.monotonic() + seconds
    with db.snapshot():
        whole = _extent(db, wanted)
        newest = newer_than is None
        low = max(whole.low, (newer_than or 0) + 1)
        bounds = _Bounds(low, min(whole.high, older_than if older_than is not None else whole.high), newest)

        def look(stretch: _Bounds, limit: int) -> list[Any]:
            return _rows(db, SELECT_SLIM, wanted, stretch, limit, now)

        def late() -> bool:
            return deadline is not None and clock.monotonic() >= deadline

        rows, place = _search(look, bounds, n + 1, late, stretches=not _plan(wanted).exact)
        searched_at = _created(db, place) if place is not None else None
    more = len(rows) > n or place is not None
    rows = rows[:n] if newest else rows[:n][::-1]
    return Page(
        rows=tuple(map(run_of, rows)),
        more_before=(older_than is not None and older_than < whole.high) if newest else more,
        more_after=more if newest else bool(newer_than),
        searched_to=place if len(rows) < n else None,
        searched_back_to=searched_at if len(rows) < n else None,
    )


def find(db: Database, wanted: RunFilter, now: datetime) -> list[Run]:
    """The runs that a filter asks for with their results, newest first, at most ``wanted.limit`` of them (0: all)."""

    def look(stretch: _Bounds, limit: int) -> list[Any]:
        return _rows(db, SELECT_WHOLE, wanted, stretch, limit, now)

    with db.snapshot():
        found, _ = _search(
            look, _extent(db, wanted), wanted.limit or _ALL, lambda: False, stretches=not _plan(wanted).exact
        )
    return list(map(run_of, found))


def newer(db: Database, wanted: RunFilter, run_id: int, *, most: int, now: datetime) -> int:
    """How many runs that are asked for are newer than one, at most ``most``."""
    with db.snapshot():
        whole = _extent(db, wanted)
        bounds = _Bounds(max(whole.low, run_id + 1), whole.high, newest=True)
        return len(_rows(db, "SELECT r.id FROM", wanted, bounds, most, now, joined=False))


def extent(db: Database) -> tuple[int, int]:
    """The oldest and the newest id, (0, 0) where there is none: what lies between is about how many runs there are."""
    low, high = db.execute("SELECT (SELECT min(id) FROM runs), (SELECT max(id) FROM runs)").fetchone()
    return low or 0, high or 0


Look = Callable[[_Bounds, int], list[Any]]


def _search(
    look: Look, bounds: _Bounds, n: int, late: Callable[[], bool], *, stretches: bool
) -> tuple[list[Any], int | None]:
    """The first ``n`` rows from the wanted end on, and the id that was come to where the time was over before."""
    found = list[Any]()
    for stretch in _stretches(bounds) if stretches else [bounds]:
        found += look(stretch, n - len(found))
        if len(found) >= n:
            return found, None
        rest = stretch.low > bounds.low if bounds.newest else stretch.high < bounds.high
        if rest and late():
            return found, stretch.low if bounds.newest else stretch.high - 1
    return found, None


def _stretches(bounds: _Bounds) -> Iterator[_Bounds]:
    length, low, high = _FIRST_STRETCH, bounds.low, bounds.high
    while low < high:
        if bounds.newest:
            yield _Bounds(max(low, high - length), high, True)
            high -= length
        else:
            yield _Bounds(low, min(high, low + length), False)
            low += length
        length = min(length * 2, _LONGEST_STRETCH)


def _rows(
    db: Database, select: str, wanted: RunFilter, bounds: _Bounds, limit: int, now: datetime, *, joined: bool = True
) -> list[Any]:
    where, given = conditions(db, wanted.conditions, now)
    rows = list[Any]()
    plan = _plan(wanted)
    for job, state in plan.walks:
        index, held = index_of(wanted, job, state)
        number = "+r.id" if index in _UNORDERED else "r.id"
        source = f"runs r INDEXED BY {index}" if index else "runs r"
        named, params = _driving(wanted, job, state)
        order = f"{number} {'DESC' if bounds.newest else 'ASC'}"
        server = " LEFT JOIN servers s ON s.id = r.server_id" if joined else ""
        sql = (
            f"{select} {source}{server} WHERE {held}{named} AND {number} >= ? AND {number} < ?{where}"
            f" ORDER BY {order} LIMIT ?"
        )
        rows += db.execute(sql, (*params, bounds.low, bounds.high, *given, limit)).fetchall()
    if len(plan.walks) > 1:
        rows.sort(key=lambda row: row[0], reverse=bounds.newest)
    return rows[:limit]


def _driving(wanted: RunFilter, job: str | None, state: RunState | None) -> tuple[str, list[Any]]:
    batch = batch_of(wanted)
    given = (("r.job", job), ("r.state", state and state.value), ("r.batch_id", batch))
    named = [(column, value) for column, value in given if value is not None]
    return "".join(f" AND {column} = ?" for column, _ in named), [value for _, value in named]


def _plan(wanted: RunFilter) -> _Plan:
    terms = wanted.conditions
    jobs, states = _jobs(terms), _states(terms)
    walked = {Field.STATE, *([Field.JOB] if jobs else []), Field.DEAD, Field.SINCE, Field.UNTIL}
    if batch_of(wanted) is not None:
        walked.add(Field.BATCH)
    elif not jobs and RunState.SUCCEEDED in (states or ()):
        walked.discard(Field.STATE)  # no index has them: they are most of all runs
    if batch_of(wanted) is not None and states is None:
        states = list(RunState)
    pairs = [(job, state) for job in jobs or (None,) for state in states or (None,)]
    if len(pairs) > _MOST_WALKS and jobs:
        pairs = [(None, state) for state in states or (None,)]
        walked.discard(Field.JOB)
    return _Plan(pairs if states != [] else [], all(term.field in walked and _indexed(term) for term in terms))


def _indexed(term: Term) -> bool:
    return term.field is Field.STATE or not (term.negated or any(is_glob(str(value)) for value in term.values))


def _jobs(terms: Sequence[Term]) -> Sequence[str]:
    """The names of which a run must have one; none: any."""
    for term in terms:
        if term.field is Field.JOB and _indexed(term):
            return [str(value) for value in term.values]
    return ()


def _states(terms: Sequence[Term]) -> list[RunState] | None:
    """The states that a run may have; None: any."""
    about = [term for term in terms if term.field is Field.STATE]
    if not about:
        return None
    return [state for state in RunState if all((state.value in term.values) != term.negated for term in about)]


def batch_of(wanted: RunFilter) -> int | None:
    """The batch of which only members are asked for."""
    for term in wanted.conditions:
        if term.field is Field.BATCH and not term.negated and len(term.values) == 1:
            return int(str(term.values[0]))
    return None


def _extent(db: Database, wanted: RunFilter) -> _Bounds:
    low, high = extent(db)
    for term in wanted.conditions:
        if not term.negated and term.field in (Field.SINCE, Field.UNTIL):
            times = [to_micros(at) for at in term.values if isinstance(at, datetime)]
            if term.field is Field.SINCE:
                low = max(low, first_from(db, min(times) - _SKEW, low, high))
            else:
                high = min(high, first_from(db, max(times) + _SKEW, low, high))
    return _Bounds(low, high + 1, True)


def first_from(db: Database, at: int, low: int, high: int) -> int:
    """The id from which on runs were created at an instant or later."""
    while low < high:
        middle = (low + high) // 2
        row = db.execute("SELECT id, created_at FROM runs WHERE id >= ? ORDER BY id LIMIT 1", (middle,)).fetchone()
        if row is not None and row[1] < at:
            low = row[0] + 1
        else:
            high = middle
    return low


def _created(db: Database, run_id: int) -> datetime | None:
    row = db.execute("SELECT created_at FROM runs WHERE id >= ? ORDER BY id LIMIT 1", (run_id,)).fetchone()
    return from_micros(row[0]) if row else None
