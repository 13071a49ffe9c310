"""The store as a SQLite file. Called by ``store``."""

from __future__ import annotations

import errno
import os
import threading
import time
from pathlib import Path

import peewee

from jobrunner.domain.clock import SystemClock
from jobrunner.errors import StoreUnavailable
from jobrunner.store.database import Database

_OLDEST = (3, 35, 0)


def connect(path: Path, *, durability: str, patience: float) -> Database:
    """Opens the file at ``path`` (absolute); a missing one is made, 0600.

    ``patience``: how many seconds a statement waits for another process that is writing to the same file.

    Raises:
        StoreUnavailable: it cannot be opened, read or written.
    """
    url = f"sqlite:///{path}"
    if peewee.SqliteDatabase.server_version < _OLDEST:
        has = ".".join(map(str, peewee.SqliteDatabase.server_version))
        raise StoreUnavailable(
            f"this Python has SQLite {has}; 3.35 or newer is needed", hint="use a newer Python, or a PostgreSQL store"
        )
    _create_privately(path, url)
    pragmas = [
        ("busy_timeout", round(patience * 1000)),
        ("journal_mode", "wal"),
        ("synchronous", "full" if durability == "full" else "normal"),
        ("foreign_keys", 0),
        ("cache_size", -8_192),
        ("temp_store", "memory"),
        ("busy_timeout", 0),  # from here on Database waits
    ]
    connections = peewee.SqliteDatabase(str(path), pragmas=pragmas, timeout=patience)
    database = Database(connections, dialect="sqlite", url=url, path=path, patience=patience)
    _begin(database, patience)
    return database


def _begin(database: Database, patience: float) -> None:
    # Where several open a new file at once, SQLite refuses to make its log for one while another does, and does not
    # wait by itself.
    clock = SystemClock()
    deadline = clock.monotonic() + patience
    while True:
        try:
            database.execute("SELECT 1 FROM sqlite_master LIMIT 1").fetchone()
            return
        except StoreUnavailable as error:
            if "locked" not in str(error) or clock.monotonic() >= deadline:
                raise
            time.sleep(0.02)


def _create_privately(path: Path, url: str) -> None:
    """Makes a file that is missing, and leaves one that is there alone.

    To close a descriptor of a file takes all the locks on it from this process: another one could then take the log
    away from under the connections that are open here.
    """
    try:
        with _creating:
            if path.is_dir():
                raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
            if not path.exists():
                os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR | os.O_CLOEXEC, 0o600))
            elif not os.access(path, os.R_OK | os.W_OK, effective_ids=True):
                raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
    except FileExistsError:
        pass  # another process was quicker
    except OSError as error:
        raise StoreUnavailable(
            f"the store {url} cannot be opened: {error.strerror}",
            hint="check that its folder exists and that you may write there",
        ) from error


_creating = threading.Lock()
