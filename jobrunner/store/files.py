"""A file that a server puts in force: its versions, its schedules, and what it holds, all in one transaction.

What each server's file holds is kept as numbers of definitions and schedules, so that a server with another file, or an
older one, takes nothing out of force that others still have. Called by the scheduler.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from hashlib import blake2b
from typing import NamedTuple

from jobrunner.domain.clock import to_micros
from jobrunner.domain.version import Applied, Version
from jobrunner.store import definitions, schedules, versions
from jobrunner.store.database import Database
from jobrunner.store.schedules import Left
from jobrunner.store.versions import Content

AWAY = timedelta(days=1)
"""How long a server that has ended may come back to what its file held."""

_LIVE = "state IN ('starting','running','draining')"
_OTHERS = (
    f"SELECT DISTINCT file_id FROM servers s WHERE id <> ? AND file_id IS NOT NULL AND file_id <> ? AND ({_LIVE}"
    " OR (ended_at > ? AND name <> (SELECT name FROM servers WHERE id = ?)"
    " AND NOT EXISTS (SELECT 1 FROM servers later WHERE later.name = s.name AND later.id > s.id)))"
)


class File(NamedTuple):
    """The jobs of a file, and the numbers of the schedules of those that have any, both by job."""

    jobs: Mapping[str, Content]
    schedules: Mapping[str, int]


class InForce(NamedTuple):
    """What became of a file: up to when the fires of each job have been attended to, and the schedules that it ended.

    ``before`` has the jobs of which a new version was made, with the version before.
    """

    attended: dict[str, datetime]
    left: list[Left]
    before: dict[str, Version | None]


def apply(db: Database, server_id: int, file: File, by: Applied, now: datetime) -> InForce:
    """Puts a file in force on a server that fires its schedules."""
    with db.transaction():
        db.lock("files")
        numbers = {job: definitions.number(job, content.definition) for job, content in file.jobs.items()}
        file_id = _keep(db, server_id, [*numbers.values(), *file.schedules.values()])
        held = _of_others(db, server_id, file_id, now)
        before = versions.apply(db, file.jobs, by, now, held=held, numbers=numbers)
        attended, left = schedules.apply(db, file.schedules, now, held=held)
        return InForce(attended, left, before)


def _keep(db: Database, server_id: int, numbers: Iterable[int]) -> int:
    """Notes what the file of a server holds now; gives the number of that set."""
    contents = array("q", sorted(set(numbers))).tobytes()
    file_id = int.from_bytes(blake2b(contents, digest_size=8).digest()) >> 1
    db.execute("INSERT INTO files (id, contents) VALUES (?, ?) ON CONFLICT (id) DO NOTHING", (file_id, contents))
    db.execute("UPDATE servers SET file_id = ? WHERE id = ?", (file_id, server_id))
    db.execute("DELETE FROM files WHERE id NOT IN (SELECT file_id FROM servers WHERE file_id IS NOT NULL)")
    return file_id


def _of_others(db: Database, server_id: int, file_id: int, now: datetime) -> frozenset[int]:
    """What is held by the files of other servers that live, or have ended within a day and may come back.

    Of servers with one name the last one counts, and none that has ended under the name of this one.
    """
    values = (server_id, file_id, to_micros(now - AWAY), server_id)
    found = set[int]()
    for (other,) in db.execute(_OTHERS, values):
        (contents,) = db.execute("SELECT contents FROM files WHERE id = ?", (other,)).fetchone()
        held = array("q")
        held.frombytes(bytes(contents))
        found.update(held)
    return frozenset(found)
