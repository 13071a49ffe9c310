"""A PostgreSQL that answers nobody, that is frozen in the middle, that is only slow, and what another process holds."""

from __future__ import annotations

import socket
from collections.abc import Callable

import psycopg
import pytest
from samples import put, states
from services import PostgreSQL

from jobrunner.errors import StoreUnavailable
from jobrunner.store import open_store
from jobrunner.store import postgresql as module


def test_somebody_who_takes_the_connection_and_says_nothing() -> None:
    with socket.socket() as deaf:
        deaf.bind(("127.0.0.1", 0))
        deaf.listen()
        url = f"postgresql://ana:s3cret@127.0.0.1:{deaf.getsockname()[1]}/x"
        with pytest.raises(StoreUnavailable) as refused:
            open_store(url, patience=2)
    shown = url.replace(":s3cret", "")
    assert str(refused.value) == (
        f"the store {shown} cannot be used: connection timeout expired; check that it answers at this address"
    )


def test_one_that_is_frozen_in_the_middle(postgresql_server: PostgreSQL, new_schema: Callable[[], str]) -> None:
    db = open_store(new_schema(), patience=2)
    run = put(db)
    postgresql_server.freeze()
    try:
        with pytest.raises(StoreUnavailable) as refused:
            put(db)
        with pytest.raises(StoreUnavailable):
            put(db)
    finally:
        postgresql_server.thaw()
    assert "no answer for 1 s, and connection timeout expired; check that it answers" in str(refused.value)
    assert states(db, run, put(db)) == ["queued", "queued"]
    db.close()


def test_one_that_is_slow_is_asked_and_waited_for(new_schema: Callable[[], str]) -> None:
    db = open_store(new_schema(), patience=0.2)
    asked = list[bool]()
    ask = db.driver.ask
    db.driver.ask = lambda: asked.append(ask() is None)
    assert db.execute("SELECT pg_sleep(0.5)").fetchone() is not None
    assert asked
    assert all(asked)
    db.close()


def test_one_that_says_that_it_has_no_room_is_there(new_schema: Callable[[], str]) -> None:
    db = open_store(new_schema(), patience=0.2)

    def full() -> None:
        raise psycopg.OperationalError("FATAL:  sorry, too many clients already")

    db.driver.ask = full
    assert db.execute("SELECT pg_sleep(0.3)").fetchone() is not None
    db.close()


def test_what_another_process_holds_is_waited_for_as_long_as_one_has_patience(new_schema: Callable[[], str]) -> None:
    url = new_schema()
    db = open_store(url, patience=0.3)
    assert db.execute("SHOW lock_timeout").fetchone() == ("300ms",)
    with psycopg.connect(url) as holder:
        holder.execute("LOCK TABLE runs IN ACCESS EXCLUSIVE MODE")
        with pytest.raises(StoreUnavailable) as refused:
            put(db)
    assert str(refused.value).endswith(
        " cannot be used: canceling statement due to lock timeout; another process holds it; try again"
    )
    assert put(db) > 0
    db.close()


def test_a_process_that_stands_still_in_a_transaction_is_passed_over(
    new_schema: Callable[[], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    url = new_schema()
    other = open_store(url)
    run = put(other)
    monkeypatch.setattr(module, "_ABANDONED_SECONDS", 0.2)
    frozen = open_store(url)
    touch = "UPDATE runs SET priority = ? WHERE id = ?"

    def stand_still() -> None:
        with frozen.transaction():
            frozen.execute(touch, (1, run))
            other.execute(touch, (2, run))  # waits for as long as the frozen one holds it
            frozen.execute(touch, (3, run))

    with pytest.raises(StoreUnavailable):
        stand_still()
    assert other.execute("SELECT priority FROM runs").fetchall() == [(2,)]
    with frozen.transaction():
        frozen.execute(touch, (4, run))
    assert other.execute("SELECT priority FROM runs").fetchall() == [(4,)]
    frozen.close()
    other.close()


def test_a_password_that_is_wrong(postgresql_server: PostgreSQL, postgresql: str) -> None:
    postgresql_server.demand_password("bea", "right")
    url = postgresql.replace("postgres:@", "bea:{}@")
    with pytest.raises(StoreUnavailable) as refused:
        open_store(url.format("wr0ng"))
    said = str(refused.value)
    assert 'password authentication failed for user "bea"; check the user and the password' in said
    assert "wr0ng" not in said
