"""One connection to the store per thread, its transactions and its errors. Used by every module of this room only.

Statements are written once, as SQL with ``?`` for parameters, and run through peewee's ``execute_sql``: its query
builder costs 25 to 50 times the statement.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import unquote

import peewee

from jobrunner.errors import StoreUnavailable, UsageError

BUSY_SECONDS = 10
"""How long a statement waits for another process that is writing to the same SQLite file."""

_OLDEST_SQLITE = (3, 35, 0)


class Cursor(Protocol):
    """What a statement leaves: rows to fetch, and how many it touched."""

    rowcount: int

    def fetchone(self) -> Any: ...
    def fetchall(self) -> list[Any]: ...
    def __iter__(self) -> Iterator[Any]: ...


class Database:
    """A SQLite file or a PostgreSQL database behind peewee.

    ``dialect`` is ``sqlite`` or ``postgresql``; ``path`` the file of a SQLite store, else None.

    Raises (every method):
        StoreUnavailable: it cannot be opened, read or written.
    """

    def __init__(self, connections: peewee.Database, *, dialect: str, url: str, path: Path | None) -> None:
        self.dialect = dialect
        self.path = path
        self._url = url
        self._connections = connections
        self._depth = threading.local()

    def execute(self, sql: str, params: Sequence[Any] = ()) -> Cursor:
        """Runs one statement; outside of ``transaction`` it is its own transaction."""
        if self.dialect != "sqlite":
            sql = _to_postgresql(sql)
        try:
            return self._connections.execute_sql(sql, params)  # type: ignore[no-any-return, no-untyped-call]
        except peewee.DatabaseError as error:
            raise self._unavailable(error) from error

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All statements inside commit together or not at all; inside another transaction it is part of that one."""
        depth = getattr(self._depth, "value", 0)
        if depth:
            yield
            return
        self.execute("BEGIN IMMEDIATE" if self.dialect == "sqlite" else "BEGIN")
        self._depth.value = 1
        try:
            yield
        except BaseException:
            self._depth.value = 0
            self._rollback()
            raise
        self._depth.value = 0
        try:
            self.execute("COMMIT")
        except BaseException:
            self._rollback()
            raise

    @contextmanager
    def snapshot(self) -> Iterator[None]:
        """All reads inside see the same moment. Inside a transaction it is part of that one."""
        if getattr(self._depth, "value", 0):
            yield
            return
        self.execute("BEGIN" if self.dialect == "sqlite" else "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
        try:
            yield
        finally:
            self._rollback()

    def close(self) -> None:
        """Closes the connection of this thread."""
        if not self._connections.is_closed():
            self._connections.close()

    def _rollback(self) -> None:
        try:
            self.execute("ROLLBACK")
        except StoreUnavailable:
            self.close()

    def _unavailable(self, error: Exception) -> StoreUnavailable:
        text = " ".join(str(error).split()) or type(error).__name__
        hints = {
            "locked": "another process holds it; try again",
            "full": "free some room on its disk",
            "readonly": "check the permissions of the file and its folder",
            "malformed": "restore it from a copy; the file is damaged",
            "not a database": "the file is something else, or damaged; name another in [jobrunner] store",
            "unable to open": "check that its folder exists and that you may write there",
        }
        hint = next((words for key, words in hints.items() if key in text), None)
        return StoreUnavailable(f"the store {self._url} cannot be used: {text}", hint=hint)


def connect(url: str, *, durability: str) -> Database:
    """Opens the store at ``url`` (``sqlite:////absolute/path`` or ``postgresql://…``); a missing SQLite file is made, 0600.

    ``durability`` is ``full`` (a commit survives a power cut) or ``normal`` (it may lose the last moments, never more).
    """
    if url.startswith("sqlite:///"):
        return _connect_sqlite(Path(unquote(url.removeprefix("sqlite:///"))), durability)
    if url.startswith(("postgresql://", "postgres://")):
        return _connect_postgresql(url, durability)
    raise UsageError(f"not a store: {url!r}", hint='write "sqlite:///FILE" or "postgresql://…"')


def _connect_sqlite(path: Path, durability: str) -> Database:
    url = f"sqlite:///{path}"
    if peewee.SqliteDatabase.server_version < _OLDEST_SQLITE:
        raise StoreUnavailable(
            f"this Python has SQLite {'.'.join(map(str, peewee.SqliteDatabase.server_version))}; 3.35 or newer is needed",
            hint="use a newer Python, or a PostgreSQL store",
        )
    _create_privately(path, url)
    pragmas = [
        ("busy_timeout", BUSY_SECONDS * 1000),
        ("journal_mode", "wal"),
        ("synchronous", "full" if durability == "full" else "normal"),
        ("foreign_keys", 0),
        ("cache_size", -8_192),
        ("temp_store", "memory"),
    ]
    connections = peewee.SqliteDatabase(str(path), pragmas=pragmas, timeout=BUSY_SECONDS)
    database = Database(connections, dialect="sqlite", url=url, path=path)
    database.execute("SELECT 1 FROM sqlite_master LIMIT 1").fetchone()
    return database


def _create_privately(path: Path, url: str) -> None:
    try:
        os.close(os.open(path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600))
    except OSError as error:
        raise StoreUnavailable(
            f"the store {url} cannot be opened: {error.strerror}",
            hint="check that its folder exists and that you may write there",
        ) from error


def _connect_postgresql(url: str, durability: str) -> Database:
    options = "-c synchronous_commit=" + ("on" if durability == "full" else "off")
    connections = peewee.PostgresqlDatabase(
        url.replace("postgres://", "postgresql://", 1), prefer_psycopg3=True, options=options, connect_timeout=5
    )
    database = Database(connections, dialect="postgresql", url=_without_password(url), path=None)
    try:
        database.execute("SELECT 1").fetchone()
    except peewee.ImproperlyConfigured as error:
        raise StoreUnavailable("a PostgreSQL store needs psycopg", hint="install jobrunner[postgres]") from error
    return database


def _without_password(url: str) -> str:
    head, at, tail = url.rpartition("@")
    scheme, _, login = head.partition("://")
    return f"{scheme}://{login.split(':')[0]}@{tail}" if at else url


@lru_cache(maxsize=512)
def _to_postgresql(sql: str) -> str:
    return sql.replace("%", "%%").replace("?", "%s")
