"""What is kept (peewee): tables, migrations, and one module for each noun. Called by admin, server, queue and wiring.

All functions take the Database; SQL is here and nowhere else.
"""

from __future__ import annotations

from jobrunner.store.database import Database, connect
from jobrunner.store.migrations import migrate

__all__ = ["Database", "open_store"]


def open_store(url: str, *, durability: str = "full") -> Database:
    """Connects to the store at ``url`` and brings its schema up to date; one that does not exist yet is made.

    Raises:
        StoreUnavailable: it cannot be reached, read, written or understood.
    """
    database = connect(url, durability=durability)
    migrate(database)
    return database
