"""The store as a PostgreSQL database. Loaded by ``store`` for such a store only, and psycopg with it."""

from __future__ import annotations

import re
import sys
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import peewee

from jobrunner.errors import StoreUnavailable
from jobrunner.store.database import Database

_PATIENCE = {
    "connect_timeout": 5,
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 15_000,
}
"""How long a server may take to accept a connection (seconds), and how soon one is noticed whose host is gone."""


def connect(url: str, *, durability: str) -> Database:
    """Opens the database at ``url``, any connection URI of libpq.

    Raises:
        StoreUnavailable: psycopg is not installed, or the database cannot be reached.
    """
    database = Database(_Connections(url, durability), dialect="postgresql", url=without_password(url), path=None)
    database.execute("SELECT 1").fetchone()
    return database


def without_password(url: str) -> str:
    """The URL, fit to be shown."""
    url = re.sub(r"([?&]password=)[^&]*", r"\1***", url)
    return re.sub(r"^(\w+://[^:/?@]*):[^?]*@", r"\1@", url)


class _Connections(peewee.Database):
    """Peewee's connection per thread, made by psycopg.

    Peewee's own class for PostgreSQL imports its driver wherever one is installed, also where the store is SQLite.
    """

    def __init__(self, url: str, durability: str) -> None:
        self._psycopg = _driver()
        self._commit = "on" if durability == "full" else "off"
        super().__init__(url.replace("postgres://", "postgresql://", 1))

    def execute_sql(self, sql: str, params: Sequence[Any] | None = None) -> Any:
        return super().execute_sql(_with_marks(sql), params)  # type: ignore[no-untyped-call]

    def is_connection_usable(self) -> bool:
        return not self.is_closed() and not self.connection().closed  # type: ignore[no-untyped-call]

    def _connect(self) -> Any:
        try:
            given = self._psycopg.conninfo.conninfo_to_dict(self.database)
        except self._psycopg.ProgrammingError as error:
            raise peewee.OperationalError(*error.args) from error
        options = f"-c synchronous_commit={self._commit} {given.pop('options', '')}"
        return self._psycopg.connect(
            **{**_PATIENCE, "application_name": "jobrunner", **given},
            options=options,
            client_encoding="utf8",
            autocommit=True,
        )


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
