"""The store as a PostgreSQL database. Loaded by ``store`` for such a store only, and psycopg with it."""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

import peewee

from jobrunner.errors import StoreUnavailable
from jobrunner.store.database import Database

_KEEPALIVE = {"keepalives_idle": 10, "keepalives_interval": 5, "keepalives_count": 3}
"""How soon a connection is noticed on which nothing is under way, and whose host is gone (seconds)."""

_ABANDONED_SECONDS = 10
"""How long a transaction may stand still: a process that was stopped in the middle of one must not lock others out."""


def connect(url: str, *, durability: str, patience: float) -> Database:
    """Opens the database at ``url``, any connection URI of libpq.

    ``patience``: how many seconds it may keep silent, be it to a connection or to a statement, and how many a statement
    waits for what another process has locked.

    Raises:
        StoreUnavailable: psycopg is not installed, or the database cannot be reached.
    """
    database = Database(
        _Connections(url, durability, patience), dialect="postgresql", url=without_password(url), path=None
    )
    database.execute("SELECT 1").fetchone()
    return database


def without_password(url: str) -> str:
    """The URL, fit to be shown."""
    url = re.sub(r"([?&]password=)[^&]*", r"\1***", url)
    return re.sub(r"^(\w+://[^:/?@]*):[^?]*@", r"\1@", url)


_BY_INDEX = "-c enable_seqscan=off -c jit=off"
"""Statistics are of a moment: where all runs were queued when they were gathered, the planner expects to meet a queued
one at once wherever it begins, and reads through the finished ones instead. What is asked often has its index."""


class _Connections(peewee.Database):
    """Peewee's connection per thread, made by psycopg.

    Peewee's own class for PostgreSQL imports its driver wherever one is installed, also where the store is SQLite.
    """

    def __init__(self, url: str, durability: str, patience: float) -> None:
        self._psycopg = _driver()
        self._patience = patience
        self._commit = "on" if durability == "full" else "off"
        super().__init__(url.replace("postgres://", "postgresql://", 1))

    def execute_sql(self, sql: str, params: Sequence[Any] | None = None) -> Any:
        return super().execute_sql(_with_marks(sql), params)  # type: ignore[no-untyped-call]

    def is_connection_usable(self) -> bool:
        return not self.is_closed() and not self.connection().closed  # type: ignore[no-untyped-call]

    def _connect(self) -> Any:
        from jobrunner.store.watched import WatchedConnection

        try:
            given = self._psycopg.conninfo.conninfo_to_dict(self.database)
        except self._psycopg.ProgrammingError as error:
            raise peewee.OperationalError(*error.args) from error
        milliseconds = round(self._patience * 1000)
        settings = (
            f"-c synchronous_commit={self._commit} -c lock_timeout={milliseconds}"
            f" -c idle_in_transaction_session_timeout={_ABANDONED_SECONDS}s {_BY_INDEX}"
        )
        options = f"{settings} {given.pop('options', '')}"
        defaults = {"application_name": "jobrunner", "tcp_user_timeout": milliseconds, **_KEEPALIVE}
        given = {**defaults, "connect_timeout": _connect_seconds(given, self._patience), **given}
        connection = WatchedConnection.connect(**given, options=options, client_encoding="utf8", autocommit=True)
        connection.patience = self._patience / 2
        asked = {**given, "connect_timeout": max(2, round(self._patience / 2))}
        connection.ask = lambda: self._psycopg.connect(**asked).close()
        return connection


def _connect_seconds(given: Mapping[str, Any], patience: float) -> int:
    """How long one address may take to accept a connection: a name may stand for two, and each has its turn."""
    host = str(given.get("host", ""))
    single = not host or host.startswith("/") or "hostaddr" in given or host.replace(".", "").isdigit()
    return max(2, round(patience if single and "," not in host else patience / 2))


def _driver() -> Any:
    # The command line keeps peewee from importing it (``__main__``).
    if sys.modules.get("psycopg", ...) is None:
        del sys.modules["psycopg"]
    try:
        import psycopg
    except ImportError as error:
        raise StoreUnavailable("a PostgreSQL store needs psycopg", hint="install jobrunner[postgres]") from error
    return psycopg


@lru_cache(maxsize=512)
def _with_marks(sql: str) -> str:
    return re.sub(r" INDEXED BY \w+", "", sql).replace("%", "%%").replace("?", "%s")
