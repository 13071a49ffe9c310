"""What is kept (peewee): tables, migrations, and one module for each noun. Called by admin, server, queue and wiring.

All functions take the Database; SQL is here and nowhere else.
"""

from __future__ import annotations

from pathlib import Path

from jobrunner.errors import StoreUnavailable, UsageError
from jobrunner.store.database import Database
from jobrunner.store.migrations import migrate

__all__ = ["Database", "file_of", "no_store", "open_store", "peek"]


PERSON_SECONDS = 4.0
"""The ``patience`` of somebody who sits at a terminal."""

PROGRAM_SECONDS = 10.0


def open_store(url: str, *, durability: str = "full", patience: float = PROGRAM_SECONDS) -> Database:
    """Connects to the store at ``url`` and brings its schema up to date; one that does not exist yet is made.

    ``url`` is ``sqlite:////absolute/path`` or ``postgresql://…``. ``durability`` is ``full`` (a commit survives a power
    cut) or ``normal`` (it may lose the last moments, never more). ``patience``: how many seconds it may keep silent, or
    a statement wait for another process, until it counts as unavailable.

    Raises:
        StoreUnavailable: it cannot be reached, read, written or understood.
        UsageError: ``url`` is neither.
    """
    database = _connect(url, durability, patience)
    try:
        migrate(database)
    except BaseException:
        database.close()
        raise
    return database


def peek(url: str, *, durability: str = "full", patience: float = PERSON_SECONDS) -> Database:
    """Connects to the store at ``url`` as it is: one that does not exist is not made, and an old schema stays.

    Raises:
        StoreUnavailable: it is not there, or cannot be reached, read, written or understood.
    """
    path = file_of(url)
    if path is not None and not path.exists():
        raise no_store(path)
    return _connect(url, durability, patience)


def no_store(path: Path) -> StoreUnavailable:
    """The error of who looks for a SQLite store that has not been made yet."""
    return StoreUnavailable(f"there is no store yet: {path}", hint="the first server makes it: jobrunner run")


def file_of(url: str) -> Path | None:
    """The file of a SQLite store; None for any other."""
    if not url.startswith("sqlite:///"):
        return None
    from urllib.parse import unquote

    return Path(unquote(url.removeprefix("sqlite:///")))


def _connect(url: str, durability: str, patience: float) -> Database:
    path = file_of(url)
    if path is not None:
        from jobrunner.store import sqlite

        return sqlite.connect(path, durability=durability, patience=patience)
    if url.startswith(("postgresql://", "postgres://")):
        from jobrunner.store import postgresql

        return postgresql.connect(url, durability=durability, patience=patience)
    raise UsageError(f"not a store: {url!r}", hint='write "sqlite:///FILE" or "postgresql://…"')
