"""The schema from nothing, again, by several at once, and of a newer version; what tells one store from another."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from samples import NOW, at_once, later, put, run_to, serve

from jobrunner.domain.retention import Retention
from jobrunner.domain.state import FINAL
from jobrunner.errors import StoreUnavailable
from jobrunner.store import Database, open_store, retention
from jobrunner.store.migrations import MIGRATIONS, migrate, store_id
from jobrunner.store.runs import read


def test_a_store_is_made_from_nothing_and_opened_again(new_url: str) -> None:
    first = open_store(new_url)
    assert put(first) == 1
    known = store_id(first)
    first.close()
    again = open_store(new_url)
    assert (store_id(again), read.ids(again, 5)) == (known, [1])
    again.close()


def test_what_is_up_to_date_is_left_alone(db: Database) -> None:
    before = db.execute("SELECT version FROM schema_version").fetchall()
    migrate(db)
    assert db.execute("SELECT version FROM schema_version").fetchall() == before == [(len(MIGRATIONS),)]


def test_stores_have_names_of_their_own(new_url: str, tmp_path: Path) -> None:
    one, other = open_store(new_url), open_store(f"sqlite:///{tmp_path / 'other.db'}")
    assert re.fullmatch("[0-9a-f]{16}", store_id(one))
    assert store_id(one) != store_id(other)
    one.close()
    other.close()


def test_processes_that_open_a_new_store_at_once_make_it_once(new_url: str) -> None:
    program = (
        "import sys; from jobrunner.store import open_store; print('ready', flush=True); sys.stdin.readline();"
        " from jobrunner.store.migrations import store_id; print(store_id(open_store(sys.argv[1])))"
    )
    command = [sys.executable, "-W", "ignore", "-c", program, new_url]
    both = [
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        for _ in range(2)
    ]
    for process in both:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    for process in both:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    said = {process.communicate(timeout=60)[0] for process in both}
    db = open_store(new_url)
    assert said == {f"{store_id(db)}\n"}
    assert db.execute("SELECT count(*) FROM schema_version").fetchone() == (1,)
    db.close()


def test_new_files_are_opened_by_many_at_once(tmp_path: Path) -> None:
    for number in range(8):
        url = f"sqlite:///{tmp_path}/{number}.db"
        assert sorted(at_once(url, 4, lambda db, _: put(db))) == [1, 2, 3, 4]


def test_a_newer_store_is_refused_and_left_as_it_was(new_url: str) -> None:
    db = open_store(new_url)
    db.execute("UPDATE schema_version SET version = version + 1")
    db.close()
    with pytest.raises(StoreUnavailable, match=r"^the store was written by a newer jobrunner; update this one$"):
        open_store(new_url)


def test_a_step_that_fails_leaves_nothing_behind(new_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    broken = (*MIGRATIONS, ("CREATE TABLE extra (id {int})", "CREATE TABLE runs (id {int})"))
    monkeypatch.setattr("jobrunner.store.migrations.MIGRATIONS", broken)
    with pytest.raises(StoreUnavailable, match="already exists"):
        open_store(new_url)
    monkeypatch.undo()
    db = open_store(new_url)
    assert put(db) == 1
    assert db.execute("SELECT version FROM schema_version").fetchone() == (len(MIGRATIONS),)
    db.close()


def test_a_later_step_is_added_to_a_store_that_is_there(new_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    db = open_store(new_url)
    put(db)
    db.close()
    more = (*MIGRATIONS, ("CREATE TABLE extra (id {id}, size {int}, data {blob})",))
    monkeypatch.setattr("jobrunner.store.migrations.MIGRATIONS", more)
    db = open_store(new_url)
    db.execute("INSERT INTO extra (size, data) VALUES (?, ?)", (2**40, b"\0"))
    assert db.execute("SELECT size, data FROM extra").fetchall() == [(2**40, b"\0")]
    assert read.ids(db, 9) == [1]
    db.close()


def test_a_store_from_before_runs_were_removed_gets_what_that_needs(
    new_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    step = next(number for number, each in enumerate(MIGRATIONS) if "TABLE removed" in each[0])
    monkeypatch.setattr("jobrunner.store.migrations.MIGRATIONS", MIGRATIONS[:step])
    db = open_store(new_url)
    run_to(db, put(db, fire_time=NOW), serve(db))
    db.close()
    monkeypatch.undo()
    db = open_store(new_url)
    ages = dict.fromkeys(FINAL, timedelta(days=1))
    rules = Retention(ages=ages, most={}, jobs=(), unique_for=timedelta())
    with db.transaction():
        for part in retention.due(db, lambda: rules, lambda: later(2 * 86_400)):
            part.remove(db)
    assert read.ids(db, 9) == []
    assert retention.removed_until(db, "job") is not None
    db.close()


def test_another_schema_of_the_same_database_is_not_meant(new_schema: Callable[[], str]) -> None:
    one, other = open_store(new_schema()), open_store(new_schema())
    put(one)
    assert read.ids(other, 5) == []
    one.close()
    other.close()
