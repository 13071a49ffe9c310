"""Servers that came and went, and files that were put in force, newest first. Called by admin for its feed."""

from __future__ import annotations

from jobrunner.domain.clock import from_micros
from jobrunner.domain.event import Came, PutInForce
from jobrunner.domain.server import ServerState
from jobrunner.store.database import Database

_NAMED = 3
_SERVERS = "SELECT id, name, host, state, started_at, ended_at FROM servers ORDER BY id DESC LIMIT ?"
_PUTS = (
    "SELECT applied_at, who, server, origin, job FROM versions WHERE applied_at <= ? ORDER BY applied_at DESC LIMIT ?"
)
_COUNT = "SELECT count(*) FROM versions WHERE applied_at = ?"


def servers(db: Database, limit: int) -> list[Came]:
    """When the newest servers came, and those of them that are gone went."""
    found = list[Came]()
    for number, name, host, state, started, ended in db.execute(_SERVERS, (limit,)):
        found.append(Came(number, name, host, from_micros(started), ServerState.STARTING))
        if ended is not None:
            found.append(Came(number, name, host, from_micros(ended), ServerState(state)))
    return found


def files(db: Database, limit: int) -> list[PutInForce]:
    """The files that were put in force last and made new versions of jobs."""
    found, before = list[PutInForce](), 2**62
    while len(found) < limit:
        rows = db.execute(_PUTS, (before, _NAMED)).fetchall()
        if not rows:
            break
        at, who, server, origin, _ = rows[0]
        named = tuple(sorted(row[4] for row in rows if row[0] == at))
        (count,) = db.execute(_COUNT, (at,)).fetchone()
        found.append(PutInForce(from_micros(at), who, server, origin, count, named))
        before = at - 1
    return found
