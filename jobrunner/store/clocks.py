"""How far the clocks of hosts are from the store's own, which is the same for all of them. Called by admin.

A PostgreSQL store has a clock. A SQLite file has none and needs none: all that use it are on one host.
"""

from __future__ import annotations

from typing import NamedTuple

from jobrunner.domain.clock import Clock, to_micros
from jobrunner.store.database import Database

NOW = "CAST(extract(epoch FROM clock_timestamp()) * 1000000 AS BIGINT)"
"""The store's clock in SQL, in microseconds; PostgreSQL only."""


class ServerClock(NamedTuple):
    """The clock of a living server's host: ``ahead`` seconds before the store's, negative when behind."""

    name: str
    host: str
    ahead: float


def of_servers(db: Database) -> list[ServerClock]:
    """What the last heartbeats of the living servers said, by name; empty for a SQLite store.

    Exact to the time that a statement takes on its way to the store.
    """
    sql = (
        "SELECT name, host, clock_ahead FROM servers WHERE state IN ('starting','running','draining')"
        " AND clock_ahead IS NOT NULL ORDER BY name, id"
    )
    return [ServerClock(name, host, ahead / 1_000_000) for name, host, ahead in db.execute(sql)]


def ahead(db: Database, clock: Clock) -> float | None:
    """How many seconds the caller's clock is before the store's, negative when behind; None for a SQLite store."""
    if db.dialect == "sqlite":
        return None
    db.execute("SELECT 1").fetchone()
    before = clock.now()
    (there,) = db.execute(f"SELECT {NOW}").fetchone()
    middle = before + (clock.now() - before) / 2
    return (to_micros(middle) - int(there)) / 1_000_000
