"""Which living servers want to hear of new runs, and of which queues: all that a trigger asks about servers."""

from __future__ import annotations

import json
from datetime import datetime

from jobrunner.domain.clock import to_micros
from jobrunner.store.database import Database

CHANNEL = "jobrunner_"
"""With the store's id, what the servers of a PostgreSQL store listen to: two stores of one database are kept apart."""

_LIVE = "state IN ('starting','running','draining')"


def wakes(db: Database) -> list[str]:
    """The addresses at which living servers want to hear of new runs."""
    return [wake for (wake,) in db.execute(f"SELECT wake FROM servers WHERE {_LIVE} AND wake IS NOT NULL")]


def serving(db: Database, queue: str, *, fresh_after: datetime) -> bool:
    """Whether a living server that was heard of after ``fresh_after`` serves this queue."""
    sql = f"SELECT queues FROM servers WHERE {_LIVE} AND heartbeat_at > ?"
    return any(queue in json.loads(queues) for (queues,) in db.execute(sql, (to_micros(fresh_after),)))


def notify(db: Database, sender: str) -> None:
    """Tells all servers of a PostgreSQL store that there is something to look at; ``sender`` knows its own words.

    In a transaction they hear of it when that is committed, and commits that tell wait for one another.
    """
    db.execute("SELECT pg_notify(? || value, ?) FROM properties WHERE name = 'id'", (CHANNEL, sender))
