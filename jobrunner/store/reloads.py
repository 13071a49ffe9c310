"""Asking servers to read their file again, and who changed it: by rows, so that servers of other hosts hear it, too."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from jobrunner.domain.clock import to_micros
from jobrunner.domain.server import Reloaded
from jobrunner.domain.version import Origin
from jobrunner.store.database import Database

_LIVE = "state IN ('starting','running','draining')"


class Edit(NamedTuple):
    """By whom a configuration came to be, and how."""

    who: str
    host: str
    origin: Origin


def ask(db: Database) -> dict[int, int]:
    """Asks every living server to read its file again. Gives each one's number for this request."""
    sql = f"UPDATE servers SET reload_asked = reload_asked + 1 WHERE {_LIVE} RETURNING id, reload_asked"
    return {int(number): int(asked) for number, asked in db.execute(sql)}


def asked(db: Database, server_id: int) -> int | None:
    """The number of the newest request that a server has not answered, None where there is none."""
    sql = "SELECT reload_asked FROM servers WHERE id = ? AND reload_asked > reload_done"
    row = db.execute(sql, (server_id,)).fetchone()
    return int(row[0]) if row else None


def answered(db: Database, server_id: int, request: int) -> None:
    """Notes that a server has read its file again; ``servers`` has what it made of it."""
    db.execute("UPDATE servers SET reload_done = ? WHERE id = ? AND reload_done < ?", (request, server_id, request))


def progress(db: Database, requests: dict[int, int]) -> list[Reloaded]:
    """How far servers are with the requests that ``ask`` gave, by name."""
    if not requests:
        return []
    marks = ",".join("?" * len(requests))
    sql = (
        f"SELECT id, name, host, state IN ('starting','running','draining'), reload_done, config_hash, config_error"
        f" FROM servers WHERE id IN ({marks}) ORDER BY name, id"
    )
    return [
        Reloaded(number, name, host, bool(live), done >= requests[number], config_hash, error)
        for number, name, host, live, done, config_hash, error in db.execute(sql, tuple(requests))
    ]


def note_edit(db: Database, config_hash: str, edit: Edit, now: datetime) -> None:
    """Notes who makes the configuration of this hash, before it is written: servers then know whose it is."""
    sql = (
        "INSERT INTO edits (config_hash, at, who, host, origin) VALUES (?, ?, ?, ?, ?) ON CONFLICT (config_hash)"
        " DO UPDATE SET at = excluded.at, who = excluded.who, host = excluded.host, origin = excluded.origin"
    )
    db.execute(sql, (config_hash, to_micros(now), edit.who, edit.host, edit.origin.value))


def edited(db: Database, config_hash: str, since: datetime) -> Edit | None:
    """By whom the configuration of this hash was made, if by a command, and not before ``since``."""
    sql = "SELECT who, host, origin FROM edits WHERE config_hash = ? AND at >= ?"
    row = db.execute(sql, (config_hash, to_micros(since))).fetchone()
    return Edit(row[0], row[1], Origin(row[2])) if row else None
