"""Servers: who is there, who was, and which runs are still in their hands. Called by server and admin."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from jobrunner.domain.clock import from_micros, to_micros
from jobrunner.domain.duration import format_duration
from jobrunner.domain.server import Server, ServerState
from jobrunner.errors import Refused
from jobrunner.store import clocks
from jobrunner.store.database import Database

LIVE = "state IN ('starting','running','draining')"
_COLUMNS = (
    "id, name, host, pid, state, started_at, heartbeat_at, workers, busy, queues, config_hash, version, ended_at,"
    " config_error, ticked_at"
)


class NewServer(NamedTuple):
    """A server that introduces itself.

    ``identity`` tells processes of one host apart for good: boot id, pid namespace, pid and start time. ``wake`` is the
    address of its wake-up socket, None where it has none. ``config_error`` is what is wrong with the file on disk,
    where it goes on with an older one.
    """

    name: str
    host: str
    identity: str
    pid: int
    started_at: datetime
    workers: int
    queues: tuple[str, ...]
    config_hash: str
    version: str
    wake: str | None
    config_error: str | None = None


class Peer(NamedTuple):
    """A server as another one sees it: ``heartbeat`` is a counter, to be watched for change.

    ``ended`` (1 or 0) says that it is stopped or lost already, and that runs are nevertheless still in its hands.
    """

    id: int
    name: str
    host: str
    identity: str
    pid: int
    heartbeat: int
    wake: str | None
    ended: int


def register(db: Database, new: NewServer, *, lost_after: timedelta) -> int:
    """Enters a server as starting; gives its id.

    Raises:
        Refused: a SQLite store that a server of another host uses.
    """
    with db.transaction():
        if db.dialect == "sqlite":
            _refuse_other_hosts(db, new, lost_after)
        at = to_micros(new.started_at)
        sql = (
            "INSERT INTO servers (name, host, identity, pid, state, started_at, heartbeat, heartbeat_at, workers, busy,"
            " queues, config_hash, version, wake, config_error)"
            " VALUES (?, ?, ?, ?, 'starting', ?, 0, ?, ?, 0, ?, ?, ?, ?, ?)"
            " RETURNING id"
        )
        queues = json.dumps(new.queues)
        values: tuple[Any, ...] = (new.name, new.host, new.identity, new.pid, at, at, new.workers, queues)
        values += (new.config_hash, new.version, new.wake, new.config_error)
        return int(db.execute(sql, values).fetchone()[0])


def _refuse_other_hosts(db: Database, new: NewServer, lost_after: timedelta) -> None:
    fresh = to_micros(new.started_at - lost_after)
    sql = f"SELECT name, host, identity FROM servers WHERE {LIVE} AND host <> ? AND heartbeat_at > ?"
    for name, host, identity in db.execute(sql, (new.host, fresh)):
        if _boot(identity) and _boot(identity) == _boot(new.identity):
            continue  # a container of this host, which has a name of its own
        raise Refused(
            f"server {name} of host {host} uses this SQLite store, and SQLite cannot be shared by two hosts",
            hint='use a PostgreSQL store ("postgresql://…") for several hosts;'
            f" if that server is gone, try again in {format_duration(lost_after)}",
        )


def _boot(identity: str) -> str:
    return identity.partition("/")[0]


def heartbeat(db: Database, server_id: int, *, busy: int, now: datetime, ticked: datetime | None = None) -> bool:
    """Says that a server lives, when its scheduler last looked, and how far its clock is from the store's.

    False when it has been declared lost meanwhile.
    """
    at, looked = to_micros(now), to_micros(ticked) if ticked is not None else None
    ahead, values = (f", clock_ahead = ? - {clocks.NOW}", (at,)) if db.dialect == "postgresql" else ("", ())
    sql = (
        f"UPDATE servers SET heartbeat = heartbeat + 1, heartbeat_at = ?, busy = ?, ticked_at = ?{ahead}"
        f" WHERE id = ? AND {LIVE}"
    )
    return db.execute(sql, (at, busy, looked, *values, server_id)).rowcount > 0


def hold(db: Database, server_id: int) -> bool:
    """Whether a server counts as living; inside a transaction nobody can declare it lost until that has ended."""
    shared = " FOR SHARE" if db.for_update else ""
    sql = f"SELECT 1 FROM servers WHERE id = ? AND {LIVE}{shared}"
    return db.execute(sql, (server_id,)).fetchone() is not None


def set_state(db: Database, server_id: int, state: ServerState, now: datetime) -> bool:
    """Moves a living server on; False when it has been declared lost."""
    ended = to_micros(now) if state in (ServerState.STOPPED, ServerState.LOST) else None
    sql = (
        "UPDATE servers SET state = ?, ended_at = ?, busy = CASE WHEN ? = 1 THEN 0 ELSE busy END"
        f"{', mark = NULL' if state is ServerState.STOPPED else ''} WHERE id = ? AND {LIVE}"
    )
    return db.execute(sql, (state.value, ended, int(ended is not None), server_id)).rowcount > 0


def set_config(db: Database, server_id: int, config_hash: str) -> None:
    """Notes which configuration a server now runs."""
    db.execute("UPDATE servers SET config_hash = ?, config_error = NULL WHERE id = ?", (config_hash, server_id))


def set_config_error(db: Database, server_id: int, error: str) -> None:
    """Notes that a server refused to load a file, and goes on with the configuration that it has."""
    db.execute("UPDATE servers SET config_error = ? WHERE id = ?", (error, server_id))


def declare_lost(db: Database, peer: Peer, now: datetime) -> bool:
    """Ends a server that has not been heard of since it was seen; False when it has, or has ended meanwhile."""
    if peer.ended:
        return True
    sql = f"UPDATE servers SET state = 'lost', ended_at = ?, busy = 0 WHERE id = ? AND heartbeat = ? AND {LIVE}"
    return db.execute(sql, (to_micros(now), peer.id, peer.heartbeat)).rowcount > 0


def peers(db: Database) -> list[Peer]:
    """All servers that count as living, and those that have ended and left runs behind."""
    sql = (
        f"SELECT id, name, host, identity, pid, heartbeat, wake, CASE WHEN {LIVE} THEN 0 ELSE 1 END FROM servers"
        f" WHERE {LIVE} OR id IN (SELECT server_id FROM runs WHERE state = 'running') ORDER BY id"
    )
    return [Peer(*row) for row in db.execute(sql)]


def running_runs(db: Database, server_id: int) -> list[tuple[int, int, int]]:
    """The (run, attempt, times lost before) that the store says a server executes."""
    sql = "SELECT id, attempt, losses FROM runs WHERE state = 'running' AND server_id = ?"
    return db.execute(sql, (server_id,)).fetchall()


def have_schedules(db: Database) -> bool:
    """Whether there are schedules that servers are to fire: some server has applied one that is still in force."""
    return db.execute("SELECT 1 FROM schedules LIMIT 1").fetchone() is not None


def stranded(db: Database, heard_after: datetime) -> list[tuple[int, str]]:
    """The (run, server) that the store says are under way on a server that has ended, or fallen silent before then."""
    sql = (
        "SELECT r.id, coalesce(s.name, '') FROM runs r INDEXED BY runs_running"
        " LEFT JOIN servers s ON s.id = r.server_id WHERE r.state = 'running'"
        " AND (s.id IS NULL OR s.heartbeat_at < ? OR s.state IN ('stopped','lost'))"
    )
    return sorted((run, server) for run, server in db.execute(sql, (to_micros(heard_after),)))


def find(db: Database, now: datetime) -> list[Server]:
    """Servers by name: the living ones, and those that ended within a day."""
    day_ago = to_micros(now - timedelta(days=1))
    sql = f"SELECT {_COLUMNS} FROM servers WHERE {LIVE} OR ended_at > ?"
    found = [_server(row, now) for row in db.execute(sql, (day_ago,))]
    return sorted(found, key=lambda server: (server.name, server.id))


def _server(row: Sequence[Any], now: datetime) -> Server:
    ended = row[12]
    seen = ended if ended is not None else row[6]
    return Server(
        id=row[0],
        name=row[1],
        host=row[2],
        pid=row[3],
        state=ServerState(row[4]),
        started_at=from_micros(row[5]),
        heartbeat_age=max(0.0, (now - from_micros(seen)).total_seconds()),
        workers=row[7],
        busy=row[8],
        queues=tuple(json.loads(row[9])),
        config_hash=row[10],
        version=row[11],
        config_error=row[13],
        scheduler_age=None if row[14] is None else max(0.0, (row[6] - row[14]) / 1_000_000),
    )
