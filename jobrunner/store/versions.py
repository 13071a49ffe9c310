"""The versions of each job that servers put in force: definitions and days of calendars, by whom and when.

Written when a server starts or reloads, where something differs; read by whoever has to know what was due when, and
by people who want to go back.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime
from functools import lru_cache
from typing import Any, NamedTuple

from jobrunner.domain.clock import from_micros, to_micros
from jobrunner.domain.version import RENAMED_WITHIN, Applied, Change, Named, Origin, Version, renames
from jobrunner.store import definitions
from jobrunner.store.database import Database, in_parts, insert

_CURRENT = "SELECT job, version, definition_id, calendars_id FROM versions WHERE replaced_at IS NULL"
_READ = (
    "SELECT v.job, v.version, d.body, c.body, v.applied_at, v.replaced_at, v.who, v.host, v.server, v.origin"
    " FROM versions v LEFT JOIN definitions d ON d.id = v.definition_id LEFT JOIN calendars c ON c.id = v.calendars_id"
)
_WITH_BEFORE = (
    _READ.replace(" FROM", ", pd.body FROM", 1)
    + " LEFT JOIN versions p ON p.job = v.job AND p.version = v.version - 1"
    + " LEFT JOIN definitions pd ON pd.id = p.definition_id"
)
_CHANGES = (
    "SELECT v.job, v.version, v.applied_at, d.body FROM versions v INDEXED BY versions_applied"
    " LEFT JOIN versions p ON p.job = v.job AND p.version = v.version - 1 JOIN definitions d ON d.id = {body}"
    " WHERE v.applied_at >= ? AND v.applied_at <= ? AND {which}"
)
_GONE = {"body": "p.definition_id", "which": "v.definition_id IS NULL"}
_COME = {"body": "v.definition_id", "which": "p.definition_id IS NULL"}
_IN_FORCE = f"{_READ} WHERE v.applied_at < ? AND (v.replaced_at IS NULL OR v.replaced_at > ?)"


class Content(NamedTuple):
    """What a version of a job is made of: its definition, and ``calendars_text`` of its blackout."""

    definition: str
    calendars: str | None = None


class _Row(NamedTuple):
    job: str
    version: int
    definition_id: int | None
    calendars_id: int | None


def calendars_text(days: Mapping[str, Collection[date]]) -> str | None:
    """The canonical text of the days of calendars, None where there is none."""
    listed = {name: sorted({day.isoformat() for day in of_name}) for name, of_name in sorted(days.items())}
    return json.dumps(listed, ensure_ascii=False, separators=(",", ":")) if listed else None


def apply(
    db: Database,
    jobs: Mapping[str, Content],
    by: Applied,
    now: datetime,
    *,
    held: Collection[int] = (),
    numbers: Mapping[str, int] | None = None,
) -> dict[str, Version | None]:
    """Puts these jobs in force and takes all others out, unless ``held`` has the number of their definition.

    ``numbers`` are those of the definitions by job, from who has them already. Writes only what differs. Gives the jobs
    of which a new version was made, with the version before: None where there was none.
    """
    with db.transaction():
        if numbers is None:
            numbers = {job: definitions.number(job, content.definition) for job, content in jobs.items()}
        current = {row[0]: _Row._make(row) for row in db.execute(_CURRENT)}
        changed = list(_changed(jobs, numbers, current))
        changed += [
            _Row(job, row.version + 1, None, None)
            for job, row in current.items()
            if job not in jobs and row.definition_id is not None and row.definition_id not in held
        ]
        before = _before(db, changed)
        _keep(db, jobs, changed)
        _add(db, changed, by, to_micros(now))
        return before


def of(db: Database, job: str) -> list[Version]:
    """All versions of a job, the oldest first."""
    return [_version(row) for row in db.execute(f"{_READ} WHERE v.job = ? ORDER BY v.version", (job,))]


def current(db: Database) -> list[Version]:
    """The versions in force now, by job; of jobs that were taken out there is none."""
    sql = f"{_READ} WHERE v.replaced_at IS NULL AND v.definition_id IS NOT NULL ORDER BY v.job"
    return [_version(row) for row in db.execute(sql)]


def definitions_of(db: Database, jobs: Sequence[str]) -> dict[str, str]:
    """The definitions in force of these jobs; of those that were taken out there is none."""
    sql = (
        "SELECT d.body FROM versions v JOIN definitions d ON d.id = v.definition_id"
        " WHERE v.job = ? AND v.replaced_at IS NULL"
    )
    with db.snapshot():
        rows = [(job, db.execute(sql, (job,)).fetchone()) for job in jobs]
    return {job: row[0] for job, row in rows if row is not None}


def names(db: Database) -> list[str]:
    """The jobs that servers have in force, by name."""
    sql = "SELECT job FROM versions WHERE replaced_at IS NULL AND definition_id IS NOT NULL ORDER BY job"
    return [job for (job,) in db.execute(sql)]


def count(db: Database, job: str) -> int:
    """How many versions a job has had."""
    return int(db.execute("SELECT count(*) FROM versions WHERE job = ?", (job,)).fetchone()[0])


def at(db: Database, job: str, instant: datetime) -> Version | None:
    """The version of a job that was in force at an instant, or by which it was taken out; None before the first."""
    sql = f"{_READ} WHERE v.job = ? AND v.applied_at <= ? ORDER BY v.version DESC LIMIT 1"
    row = db.execute(sql, (job, to_micros(instant))).fetchone()
    return _version(row) if row else None


def newest(db: Database, limit: int, job: str | None = None) -> list[tuple[Version, str | None]]:
    """The versions that were put in force last, of a job or of all, newest first, at most ``limit`` (0: all); each with
    the definition that the one before had."""
    where, order = ("WHERE v.job = ?", "v.version DESC") if job is not None else ("", "v.applied_at DESC, v.job")
    bound = f" LIMIT {int(limit)}" if limit else ""
    rows = db.execute(f"{_WITH_BEFORE} {where} ORDER BY {order}{bound}", () if job is None else (job,))
    return [(_version(row[:-1]), row[-1]) for row in rows]


def renamed(db: Database, instants: Iterable[datetime]) -> Named:
    """The other name of jobs that came, or went, under another one at these instants."""
    found = dict[tuple[str, int], str]()
    for at in instants:
        window = (at - RENAMED_WITHIN, at + RENAMED_WITHIN)
        gone = _changes(db, _GONE, *window)
        if gone:
            found |= renames(gone, _changes(db, _COME, *window))
    return found


def in_force(db: Database, since: datetime, until: datetime, job: str | None = None) -> Iterator[Version]:
    """The versions that were in force at some moment of ``since <= moment < until``, by job and version.

    Those by which a job was taken out are among them. One job's are read at a time.
    """
    window = (to_micros(until), to_micros(since))
    jobs = [job] if job is not None else [name for (name,) in db.execute(_JOBS, window)]
    for name in jobs:
        for row in db.execute(f"{_IN_FORCE} AND v.job = ? ORDER BY v.version", (*window, name)):
            yield _version(row)


_JOBS = (
    "SELECT DISTINCT job FROM versions WHERE applied_at < ? AND (replaced_at IS NULL OR replaced_at > ?) ORDER BY job"
)


def _changes(db: Database, kind: Mapping[str, str], since: datetime, until: datetime) -> list[Change]:
    rows = db.execute(_CHANGES.format(**kind), (to_micros(since), to_micros(until)))
    return [Change(job, version, from_micros(at), body) for job, version, at, body in rows]


def _changed(jobs: Mapping[str, Content], numbers: Mapping[str, int], current: Mapping[str, _Row]) -> Iterator[_Row]:
    for job, content in jobs.items():
        known, definition = current.get(job), numbers[job]
        calendars = _calendars_number(content.calendars)
        if known is None or known.definition_id != definition or known.calendars_id != calendars:
            yield _Row(job, known.version + 1 if known else 1, definition, calendars)


@lru_cache(maxsize=64)
def _calendars_number(text: str | None) -> int | None:
    return None if text is None else definitions.number("", text)


def _before(db: Database, rows: Sequence[_Row]) -> dict[str, Version | None]:
    found: dict[str, Version | None] = {row.job: None for row in rows}
    for places, values in in_parts([(row.job, row.version - 1) for row in rows if row.version > 1]):
        sql = f"{_READ} WHERE (v.job, v.version) IN (VALUES {places})"
        found.update((row[0], _version(row)) for row in db.execute(sql, values))
    return found


def _keep(db: Database, jobs: Mapping[str, Content], rows: Sequence[_Row]) -> None:
    kept = [(row.definition_id, row.job, jobs[row.job].definition) for row in rows if row.definition_id is not None]
    insert(db, "definitions (id, job, body)", kept)
    days = {row.calendars_id: jobs[row.job].calendars for row in rows if row.calendars_id is not None}
    insert(db, "calendars (id, body)", list(days.items()))


def _add(db: Database, rows: Sequence[_Row], by: Applied, at: int) -> None:
    for places, values in in_parts([(row.job, row.version - 1) for row in rows if row.version > 1]):
        db.execute(f"UPDATE versions SET replaced_at = ? WHERE (job, version) IN (VALUES {places})", [at, *values])
    columns = "job, version, definition_id, calendars_id, applied_at, who, host, server, origin"
    origin = (at, by.who, by.host, by.server, by.origin.value)
    values = [(*row, *origin) for row in rows]
    insert(db, f"versions ({columns})", values)


def _version(row: Sequence[Any]) -> Version:
    job, version, definition, calendars, applied_at, replaced_at, who, host, server, origin = row
    return Version(
        job=job,
        version=version,
        definition=definition,
        calendars=_days(calendars) if calendars else {},
        applied_at=from_micros(applied_at),
        replaced_at=None if replaced_at is None else from_micros(replaced_at),
        who=who,
        host=host,
        server=server,
        origin=Origin(origin),
    )


@lru_cache(maxsize=64)
def _days(text: str) -> Mapping[str, tuple[date, ...]]:
    return {name: tuple(date.fromisoformat(day) for day in days) for name, days in json.loads(text).items()}
