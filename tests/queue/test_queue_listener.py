"""Listeners on a real PostgreSQL: who hears what, from other connections and hosts, and after a cut."""

from __future__ import annotations

import select
from collections.abc import Callable, Iterator
from typing import Any

import psycopg
import pytest
from samples import NOW

from jobrunner.domain.state import Ready
from jobrunner.queue.announce import Announcer
from jobrunner.queue.listener import Listener
from jobrunner.store import Database, open_store

PATIENCE = 20_000
READY = [Ready(7, 0, "default", 0, NOW)]

CUT = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE query LIKE 'LISTEN%'"
LISTENING = "SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'LISTEN%'"


def heard(listener: Listener) -> bool:
    """Waits for it to be rung, and takes that."""
    poller = select.poll()
    poller.register(listener.fileno(), select.POLLIN)
    found = bool(poller.poll(PATIENCE))
    listener.clear()
    return found


def quiet(*listeners: Listener) -> bool:
    """Whether none has been rung."""
    poller = select.poll()
    for listener in listeners:
        poller.register(listener.fileno(), select.POLLIN)
    return not poller.poll(0)


@pytest.fixture
def opened(new_schema: Callable[[], str]) -> Iterator[Callable[[], Database]]:
    """Opens a new store on PostgreSQL."""
    made = list[Database]()

    def make() -> Database:
        made.append(open_store(new_schema()))
        return made[-1]

    yield make
    for db in made:
        db.close()


@pytest.fixture
def listen() -> Iterator[Callable[[Database], Listener]]:
    """Makes a listener that listens."""
    made = list[Listener]()

    def make(db: Database) -> Listener:
        made.append(Listener(db))
        assert heard(made[-1])  # once it listens it rings: something may have been said before
        return made[-1]

    yield make
    for listener in made:
        listener.close()


def test_all_servers_of_the_store_but_the_caller_hear(
    opened: Callable[[], Database], listen: Callable[[Database], Listener]
) -> None:
    mine, other = opened(), opened()
    first, second, stranger = listen(mine), listen(mine), listen(other)
    for _ in range(10):
        Announcer(mine, None, own=first.address).ready(READY)
        assert heard(second)
    assert quiet(first, stranger)
    Announcer(mine, None).changed()
    assert heard(first)
    assert heard(second)
    assert quiet(stranger)
    Announcer(other, None).changed()
    assert heard(stranger)
    assert quiet(first, second, stranger)


def test_an_engine_is_woken_by_another_process(
    make_engine: Callable[..., Any], new_schema: Callable[[], str], calm: None
) -> None:
    worked = make_engine(url=new_schema())
    worked.settle()
    run = worked.put()
    Announcer(worked.db, None).changed()
    assert worked.next().id == run


def test_what_is_said_in_a_transaction_is_heard_when_it_is_committed(
    opened: Callable[[], Database], listen: Callable[[Database], Listener]
) -> None:
    db = opened()
    listener = listen(db)
    with db.transaction():
        Announcer(db, None).changed()
        assert quiet(listener)
    assert heard(listener)


def test_a_listener_that_is_cut_off_listens_again(
    opened: Callable[[], Database], listen: Callable[[Database], Listener], postgresql: str
) -> None:
    db = opened()
    listener = listen(db)
    with psycopg.connect(postgresql, autocommit=True) as other:
        assert other.execute(CUT).fetchone() == (1,)
        assert heard(listener)  # it has come back, and rings for what it may have missed
        assert other.execute(LISTENING).fetchone() == (1,)
        Announcer(db, None).changed()
        assert heard(listener)


def test_nothing_listens_any_more_when_it_is_closed(
    opened: Callable[[], Database], listen: Callable[[Database], Listener], postgresql: str
) -> None:
    listener = listen(opened())
    listener.close()
    assert not listener._thread.is_alive()
    with psycopg.connect(postgresql, autocommit=True) as other:
        while other.execute(LISTENING).fetchone() != (0,):
            pass
