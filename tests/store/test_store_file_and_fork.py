"""A connection outlives neither the file that it was made to nor a fork of its process."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
from samples import put, states

from jobrunner.errors import StoreUnavailable
from jobrunner.store import Database, open_store
from jobrunner.store.runs import read


def path_of(db: Database) -> Path:
    assert db.path is not None
    return db.path


def test_nothing_is_written_to_what_is_left_of_a_file_that_is_gone(sqlite_db: Database) -> None:
    put(sqlite_db)
    path = path_of(sqlite_db)
    elsewhere = path.with_name("elsewhere")
    path.rename(elsewhere)
    for action in (lambda: put(sqlite_db), lambda: read.ids(sqlite_db, 9)):
        with pytest.raises(StoreUnavailable, match=r"is gone: No such file or directory; put its file back$"):
            action()
    assert not path.exists()
    elsewhere.rename(path)
    assert put(sqlite_db) == 2
    assert states(sqlite_db, 1, 2) == ["queued", "queued"]


def test_a_file_that_has_taken_its_place_is_opened(sqlite_db: Database, sqlite_url: str) -> None:
    put(sqlite_db)
    path = path_of(sqlite_db)
    path.rename(path.with_name("old"))
    other = open_store(sqlite_url, durability="normal")
    put(other, "other")
    assert read.get(sqlite_db, 1).job == "other"
    put(sqlite_db, "mine")
    assert read.get(other, 2).job == "mine"
    with sqlite3.connect(path) as found:
        assert found.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    found.close()
    other.close()


def test_a_file_is_not_replaced_in_the_middle_of_a_transaction(sqlite_db: Database) -> None:
    path = path_of(sqlite_db)
    with sqlite_db.transaction():
        put(sqlite_db)
        path.rename(path.with_name("old"))
        put(sqlite_db)
    path.with_name("old").rename(path)
    assert len(read.ids(sqlite_db, 9)) == 2


def in_child(work: object) -> int:
    """The exit status of a forked child that does this."""
    pid = os.fork()
    if pid == 0:
        status = 1
        try:
            status = work()  # type: ignore[operator]
        finally:
            os._exit(status)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


@pytest.mark.filterwarnings("ignore:.*multi-threaded.*:DeprecationWarning")
def test_parent_and_child_of_a_fork_have_connections_of_their_own(db: Database) -> None:
    put(db)
    before = db._connections.connection()

    def work() -> int:
        with db.transaction():
            second = put(db)
        return 0 if second == 2 and db._connections.connection() is not before else 1

    assert in_child(work) == 0
    assert put(db) == 3
    assert db._connections.connection() is not before
    assert len(read.ids(db, 9)) == 3


@pytest.mark.filterwarnings("ignore:.*multi-threaded.*:DeprecationWarning")
def test_a_fork_breaks_no_transaction_of_the_parent(db: Database) -> None:
    with db.transaction():
        put(db)
        assert in_child(lambda: 0) == 0
        put(db)
    assert len(read.ids(db, 9)) == 2


def test_to_open_a_store_twice_takes_nothing_from_the_first(sqlite_url: str) -> None:
    """Locks of a file belong to the process: one that is lost lets others remove the log that is still written to."""
    first = open_store(sqlite_url)
    put(first)
    open_store(sqlite_url).close()
    code = "import sys; sys.path[:0] = sys.argv[2:]\nfrom samples import *\ndb = open_store(sys.argv[1])\n"
    elsewhere = [
        sys.executable,
        "-c",
        code + "put(db); print(len(read.ids(db, 99))); db.close()",
        sqlite_url,
        *sys.path,
    ]
    for there in (2, 4):
        done = subprocess.run(elsewhere, capture_output=True, text=True, check=True)
        assert int(done.stdout) == there
        put(first)
    first.close()
