"""Fixtures that several rooms share: a store of each kind, and the servers that they need."""

from __future__ import annotations

import gc
import os
import shutil
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from services import PostgreSQL

from jobrunner.store import Database, open_store

_NUMBERED = ("runs", "batches", "servers", "audit", "past_pauses")
_TABLES = (*_NUMBERED, "run_parents", "attempts", "output", "pauses", "schedules", "decisions", "definitions")
_TABLES += ("calendars", "versions", "files", "removed")
_EMPTY = "; ".join(
    ["DELETE FROM properties WHERE name = 'retention'"]
    + [f"DELETE FROM {table}" for table in _TABLES]
    + [f"SELECT setval('{name}_id_seq', 1, false)" for name in _NUMBERED]
)


def pytest_configure() -> None:
    """Gives tests Ctrl-C back: a shell takes it from what it starts with ``&``, and their processes inherit that."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_xdist_auto_num_workers() -> int:
    """Processes that test side by side: more than there are cores, since more than half of the time is waited for."""
    return max((os.cpu_count() or 1) * 3 // 2, 2)


def pytest_collection_finish() -> None:
    """What was collected stays to the end: to look for garbage in it time and again takes a sixth of the time."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(100_000, 20, 100)


@pytest.fixture(scope="session")
def postgresql_server() -> Iterator[PostgreSQL]:
    """A PostgreSQL server of this test process."""
    server = PostgreSQL()
    yield server
    server.close()


@pytest.fixture(scope="session")
def postgresql(postgresql_server: PostgreSQL) -> str:
    """The URL of a PostgreSQL server of this test process; a store in it needs a schema of its own."""
    return postgresql_server.url


@pytest.fixture(scope="session")
def new_schema(postgresql_server: PostgreSQL) -> Callable[[], str]:
    """Makes an empty schema; gives the URL of a store in it."""
    return postgresql_server.new_store


@pytest.fixture(params=["sqlite", "postgresql"])
def new_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of a store that does not exist yet, on either database."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'jobrunner.db'}"
    return str(request.getfixturevalue("new_schema")())


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty store in a file, to be copied: quicker than making one."""
    path = tmp_path_factory.mktemp("template") / "jobrunner.db"
    open_store(f"sqlite:///{path}").close()
    return path


@pytest.fixture(scope="session")
def postgresql_store(new_schema: Callable[[], str]) -> Iterator[Callable[[], str]]:
    """Empties a store that the tests of this process use one after another; gives its URL."""
    import psycopg

    url = new_schema()
    open_store(url).close()
    with psycopg.connect(url) as connection:

        def emptied() -> str:
            connection.execute(_EMPTY)
            connection.commit()
            return url

        yield emptied


@pytest.fixture
def sqlite_url(sqlite_template: Path, tmp_path: Path) -> str:
    """The URL of a new, empty SQLite store."""
    shutil.copy(sqlite_template, tmp_path / "jobrunner.db")
    return f"sqlite:///{tmp_path / 'jobrunner.db'}"


@pytest.fixture(params=["sqlite", "postgresql"])
def store_url(request: pytest.FixtureRequest) -> str:
    """The URL of an empty store, on either database."""
    if request.param == "sqlite":
        return str(request.getfixturevalue("sqlite_url"))
    return str(request.getfixturevalue("postgresql_store")())


@pytest.fixture
def db(store_url: str) -> Iterator[Database]:
    """An empty store, on SQLite and on PostgreSQL."""
    database = open_store(store_url, durability="normal")
    yield database
    database.close()


@pytest.fixture
def sqlite_db(sqlite_url: str) -> Iterator[Database]:
    """An empty store on SQLite."""
    database = open_store(sqlite_url, durability="normal")
    yield database
    database.close()
