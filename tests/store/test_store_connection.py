"""Opening a store and losing it: private files, one line for every fault, and connections that come back."""

from __future__ import annotations

import os
import shutil
import sqlite3
import stat
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from samples import NOW, new, put, serve, states

from jobrunner.domain.filter import RunFilter
from jobrunner.errors import NotFound, StoreUnavailable, UsageError
from jobrunner.store import Database, open_store
from jobrunner.store.changes import Changes
from jobrunner.store.database import StatementRefused
from jobrunner.store.postgresql import without_password
from jobrunner.store.runs import add, read, steer


def refusal(url: str) -> str:
    with pytest.raises(StoreUnavailable) as refused:
        open_store(url)
    text = str(refused.value)
    assert "\n" not in text
    return text


class TestFiles:
    def test_all_of_a_store_is_private(self, tmp_path: Path) -> None:
        before = os.umask(0)
        try:
            db = open_store(f"sqlite:///{tmp_path}/new store%3F.db")
            put(db)
            files = {path.name: stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir()}
        finally:
            os.umask(before)
        db.close()
        assert files == dict.fromkeys(("new store?.db", "new store?.db-wal", "new store?.db-shm"), 0o600)

    def test_a_folder_that_is_missing(self, tmp_path: Path) -> None:
        url = f"sqlite:///{tmp_path}/none/jobrunner.db"
        assert refusal(url) == (
            f"the store {url} cannot be opened: No such file or directory;"
            " check that its folder exists and that you may write there"
        )
        assert not (tmp_path / "none").exists()

    def test_a_folder_instead_of_a_file(self, tmp_path: Path) -> None:
        assert "cannot be opened: Is a directory" in refusal(f"sqlite:///{tmp_path}")

    def test_a_file_that_is_something_else(self, tmp_path: Path) -> None:
        path = tmp_path / "notes.txt"
        path.write_text("Dear diary, " * 1000)
        assert refusal(f"sqlite:///{path}") == (
            f"the store sqlite:///{path} cannot be used: file is not a database;"
            " the file is something else, or damaged; name another in [jobrunner] store"
        )
        assert path.read_text().startswith("Dear diary")

    def test_a_damaged_file(self, sqlite_url: str) -> None:
        db = open_store(sqlite_url)
        add.add_batch(db, new(params=f'"{"x" * 200}"'), "many", [("{}", None)] * 2000, [])
        db.close()
        path = Path(sqlite_url.removeprefix("sqlite:///"))
        content = bytearray(path.read_bytes())
        content[8192:-4096] = b"\xa5" * (len(content) - 12288)
        path.write_bytes(content)
        assert _first_fault(sqlite_url) == (
            f"the store {sqlite_url} cannot be used: database disk image is malformed;"
            " restore it from a copy; the file is damaged"
        )

    def test_a_file_that_may_only_be_read(self, readable: Path) -> None:
        user = os.geteuid()
        os.seteuid(user or 65534)
        try:
            said = refusal(f"sqlite:///{readable}")
        finally:
            os.seteuid(user)
        assert said == (
            f"the store sqlite:///{readable} cannot be opened: Permission denied;"
            " check that its folder exists and that you may write there"
        )

    def test_one_that_another_process_holds(self, sqlite_url: str) -> None:
        db = open_store(sqlite_url, patience=0)
        holder = sqlite3.connect(sqlite_url.removeprefix("sqlite:///"), isolation_level=None)
        holder.execute("BEGIN EXCLUSIVE")
        with pytest.raises(StoreUnavailable) as refused:
            put(db)
        assert str(refused.value) == (
            f"the store {sqlite_url} cannot be used: database is locked; another process holds it; try again"
        )
        assert read.ids(db, 5) == []
        holder.execute("COMMIT")
        holder.close()
        assert put(db) == 1
        db.close()

    def test_a_transaction_waits_for_the_one_before(self, sqlite_url: str) -> None:
        db = open_store(sqlite_url)
        holder = sqlite3.connect(sqlite_url.removeprefix("sqlite:///"), isolation_level=None, check_same_thread=False)
        holder.execute("BEGIN IMMEDIATE")
        release = threading.Timer(0.2, lambda: holder.execute("COMMIT"))
        release.start()
        assert put(db) == 1
        release.join()
        holder.close()
        db.close()

    @pytest.mark.parametrize(("durability", "synchronous"), [("full", 2), ("normal", 1)])
    def test_durability(self, sqlite_url: str, durability: str, synchronous: int) -> None:
        db = open_store(sqlite_url, durability=durability)
        assert db.execute("PRAGMA synchronous").fetchone() == (synchronous,)
        assert db.execute("PRAGMA journal_mode").fetchone() == ("wal",)
        db.close()


class TestAddresses:
    @pytest.mark.parametrize("url", ["mysql://localhost/x", "jobrunner.db", "", "sqlite:/x"])
    def test_what_is_no_store(self, url: str) -> None:
        with pytest.raises(UsageError) as refused:
            open_store(url)
        assert str(refused.value) == f'not a store: {url!r}; write "sqlite:///FILE" or "postgresql://…"'

    @pytest.mark.parametrize(
        ("url", "shown"),
        [
            ("postgresql://ana:s3cret@db/shop", "postgresql://ana@db/shop"),
            ("postgresql://ana:s3:@x/y@db/shop", "postgresql://ana@db/shop"),
            ("postgresql://ana@db:5432/shop", "postgresql://ana@db:5432/shop"),
            ("postgresql:///shop?host=/run/pg&password=s3cret", "postgresql:///shop?host=/run/pg&password=***"),
            ("postgresql://db/shop?password=s3cret&user=ana", "postgresql://db/shop?password=***&user=ana"),
        ],
    )
    def test_passwords_are_not_shown(self, url: str, shown: str) -> None:
        assert without_password(url) == shown

    def test_a_server_that_is_not_there(self, tmp_path: Path) -> None:
        said = refusal(f"postgresql://ana:s3cret@/shop?host={tmp_path}")
        assert said.startswith(f"the store postgresql://ana@/shop?host={tmp_path} cannot be used: connection ")
        assert "s3cret" not in said

    def test_a_database_that_is_not_there(self, postgresql: str) -> None:
        assert 'database "none" does not exist' in refusal(postgresql.replace("/postgres?", "/none?"))

    def test_an_address_that_cannot_be_read(self) -> None:
        assert refusal("postgresql://localhost/x?nonsense=1") == (
            'the store postgresql://localhost/x?nonsense=1 cannot be used: invalid URI query parameter: "nonsense"'
        )

    @pytest.mark.parametrize(("durability", "commit"), [("full", "on"), ("normal", "off")])
    def test_durability(self, postgresql_store: object, store_url: str, durability: str, commit: str) -> None:
        if store_url.startswith("sqlite"):
            return
        db = open_store(store_url, durability=durability)
        assert db.execute("SHOW synchronous_commit").fetchone() == (commit,)
        db.close()


class TestTransactions:
    def test_all_or_nothing(self, db: Database) -> None:
        def act() -> None:
            with db.transaction():
                put(db)
                with db.transaction():
                    put(db)
                raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            act()
        assert read.ids(db, 5) == []
        assert put(db) > 0

    def test_a_statement_that_is_refused_is_told_from_a_store_that_is_away(self, db: Database) -> None:
        run_id = put(db)
        with pytest.raises(StatementRefused, match="refuses a statement"):
            db.execute("INSERT INTO runs (id) VALUES (?)", (run_id,))
        assert states(db, run_id) == ["queued"]

    def test_an_error_inside_undoes_what_was_done_before(self, db: Database) -> None:
        def act() -> None:
            with db.transaction():
                put(db)
                steer.cancel(db, 99, at_once=False, now=NOW)

        with pytest.raises(NotFound):
            act()
        assert read.ids(db, 5) == []

    def test_a_snapshot_does_not_see_what_is_committed_meanwhile(self, db: Database, store_url: str) -> None:
        other = open_store(store_url)
        with db.snapshot():
            assert read.ids(db, 5) == []
            _in_thread(lambda: put(other), other)
            assert read.ids(db, 5) == []
            with db.snapshot():
                assert read.find(db, RunFilter()) == []
        assert len(read.ids(db, 5)) == 1
        other.close()

    def test_each_thread_has_a_connection_of_its_own(self, db: Database) -> None:
        with db.transaction():
            put(db)
            seen = list[int]()
            _in_thread(lambda: seen.extend(read.ids(db, 5)), db)
            assert seen == []


class TestLostConnections:
    def test_one_that_died_unused_is_replaced_when_a_transaction_begins(self, store_url: str) -> None:
        if store_url.startswith("sqlite"):
            return
        db = open_store(store_url)
        _end_connections(store_url)
        run_id = put(db)
        _end_connections(store_url)
        assert read.get(db, run_id).id == run_id
        db.close()

    def test_one_that_dies_in_the_middle_is_an_error_and_the_next_works(self, store_url: str) -> None:
        if store_url.startswith("sqlite"):
            return
        db = open_store(store_url)

        def act() -> None:
            with db.transaction():
                put(db)
                _end_connections(store_url)
                put(db)

        with pytest.raises(StoreUnavailable, match="cannot be used: "):
            act()
        assert read.ids(db, 5) == []
        _end_connections(store_url)
        with pytest.raises(StoreUnavailable):
            read.ids(db, 5)
        assert put(db) > 0
        db.close()


class TestChanges:
    def test_a_commit_of_another_connection_is_noticed(self, store_url: str, db: Database) -> None:
        changes = Changes(db)
        committed = threading.Event()

        def commit() -> None:
            other = open_store(store_url)
            serve(other)
            other.close()
            committed.set()

        thread = threading.Thread(target=commit)
        thread.start()
        for _ in range(1000):
            changes.wait(60 if db.dialect == "sqlite" else 0.01)
            if db.execute("SELECT count(*) FROM servers").fetchone() == (1,):
                break
        thread.join()
        assert committed.is_set()

    def test_it_does_not_wait_for_ever(self, db: Database) -> None:
        Changes(db).wait(0.01)


def test_psycopg_is_loaded_for_a_postgresql_store_only(
    sqlite_url: str, postgresql_store: object, store_url: str
) -> None:
    code = (
        "import sys; sys.modules.setdefault('psycopg', None); from jobrunner.store import open_store;"
        " open_store(sys.argv[1]).close(); print(bool(sys.modules.get('psycopg')))"
    )
    command = [sys.executable, "-c", code, store_url]
    said = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout
    assert said.strip() == str(store_url.startswith("postgresql"))


@pytest.fixture
def readable() -> Iterator[Path]:
    """A store in a folder that everybody may enter, which only its owner may write."""
    folder = Path(tempfile.mkdtemp(prefix="jobrunner-readable-"))
    path = folder / "jobrunner.db"
    open_store(f"sqlite:///{path}").close()
    path.chmod(0o444)
    folder.chmod(0o555)
    yield path
    folder.chmod(0o755)
    shutil.rmtree(folder)


def _first_fault(url: str) -> str:
    db = None
    try:
        db = open_store(url)
        read.find(db, RunFilter(limit=0))
        read.find(db, RunFilter(jobs=("job",), limit=0))
        db.execute("SELECT sum(length(params)) FROM runs").fetchall()
    except StoreUnavailable as error:
        return str(error)
    finally:
        if db is not None:
            db.close()
    raise AssertionError("no fault")


def _in_thread(work: object, db: Database) -> None:
    def act() -> None:
        assert callable(work)
        work()
        db.close()

    thread = threading.Thread(target=act)
    thread.start()
    thread.join()


def _end_connections(url: str) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE application_name = 'jobrunner' AND pid <> pg_backend_pid()"
        )
