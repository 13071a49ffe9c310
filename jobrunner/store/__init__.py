"""What is kept (peewee): tables, migrations, and one module for each noun. Called by admin, server, queue and wiring.

All functions take the Database; SQL is here and nowhere else.
"""

from __future__ import annotations

from pathlib import Path

from jobrunner.errors import UsageError
from jobrunner.store.database import Database
from jobrunner.store.migrations import migrate

__all__ = ["Database", "open_store"]


def open_store(url: str, *, durability: str = "full") -> Database:
    """Connects to the store at ``url`` and brings its schema up to date; one that does not exist yet is made.

    ``url`` is ``sqlite:////absolute/path`` or ``postgresql://…``. ``durability`` is ``full`` (a commit survives a power
    cut) or ``normal`` (it may lose the last moments, never more).

    Raises:
        StoreUnavailable: it cannot be reached, read, written or understood.
        UsageError: ``url`` is neither.
    """
    database = _connect(url, durability)
    try:
        migrate(database)
    except BaseException:
        database.close()
        raise
    return database


def _connect(url: str, durability: str) -> Database:
    if url.startswith("sqlite:///"):
        from urllib.parse import unquote

        from jobrunner.store import sqlite

        return sqlite.connect(Path(unquote(url.removeprefix("sqlite:///"))), durability=durability)
    if url.startswith(("postgresql://", "postgres://")):
        from jobrunner.store import postgresql

        return postgresql.connect(url, durability=durability)
    raise UsageError(f"not a store: {url!r}", hint='write "sqlite:///FILE" or "postgresql://…"')
