"""An engine between its store, its workers and its end: nothing runs twice, for nobody, or unrecorded."""

from __future__ import annotations

import logging
import sqlite3
import threading
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pytest
from samples import end

from jobrunner.domain.clock import SystemClock
from jobrunner.domain.server import ServerState
from jobrunner.domain.state import Ready, RunState
from jobrunner.errors import BrokerUnavailable, StoreUnavailable
from jobrunner.store import Database, servers
from jobrunner.store.database import Collision
from jobrunner.store.runs import read

PATIENCE = 20
CLOCK = SystemClock()

Make = Callable[..., Any]


@pytest.fixture
def held(sqlite_url: str) -> Iterator[sqlite3.Connection]:
    """Another process that may hold the store."""
    holder = sqlite3.connect(sqlite_url.removeprefix("sqlite:///"), isolation_level=None)
    yield holder
    holder.close()


def test_a_claim_whose_commit_was_not_answered_runs_all_the_same(
    make_engine: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    worked = make_engine(start=False)
    run = worked.put()
    execute, left = worked.db.execute, ["COMMIT"]

    def lose_the_answer(sql: str, params: Sequence[Any] = ()) -> Any:
        found = execute(sql, params)
        if sql in left and read.state(worked.db, run) == RunState.RUNNING:
            left.remove(sql)
            raise StoreUnavailable("the connection is lost")
        return found

    monkeypatch.setattr(worked.db, "execute", lose_the_answer)
    worked.engine.start()
    claimed = worked.next()
    assert (claimed.id, claimed.attempt, left) == (run, 1, [])
    assert worked.nothing_more
    worked.finish(claimed)
    worked.settle()
    assert read.state(worked.db, run) == RunState.SUCCEEDED
    assert worked.engine.crew.busy == 0


def test_a_claim_that_was_rolled_back_is_none(make_engine: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    worked = make_engine(start=False)
    run = worked.put()
    execute, left = worked.db.execute, ["COMMIT"]

    def fail(sql: str, params: Sequence[Any] = ()) -> Any:
        if sql in left and read.state(worked.db, run) == RunState.RUNNING:
            left.remove(sql)
            raise StoreUnavailable("the disk is full")
        return execute(sql, params)

    monkeypatch.setattr(worked.db, "execute", fail)
    worked.engine.start()
    claimed = worked.next()
    assert (claimed.id, claimed.attempt) == (run, 1)
    assert worked.nothing_more
    assert worked.engine.crew.busy == 1


def test_what_is_under_way_is_not_begun_again_when_the_store_is_set_back(
    make_engine: Make, caplog: pytest.LogCaptureFixture
) -> None:
    worked = make_engine(workers=2)
    run = worked.put()
    claimed = worked.next()

    def set_back(db: Database) -> list[Ready]:
        db.execute("UPDATE runs SET state = 'queued', attempt = 0, server_id = NULL, started_at = NULL")
        return []

    assert worked.write(set_back)
    assert worked.nothing_more
    assert "the store was set back: 1 of the runs under way here were queued; they go on" in caplog.text
    assert (worked.engine.crew.outstanding, read.state(worked.db, run)) == (1, RunState.RUNNING)
    worked.finish(claimed)
    worked.settle()
    assert read.state(worked.db, run) == RunState.SUCCEEDED
    assert worked.engine.crew.outstanding == 0


def test_who_is_freed_late_takes_nothing_from_the_next_attempt(make_engine: Make) -> None:
    worked = make_engine(workers=2)
    worked.put()
    first = worked.next()

    def interrupted(db: Database) -> Sequence[Ready]:
        finished = end(db, first, worked.server_id, RunState.QUEUED, at=CLOCK.now())
        return finished.ready if finished is not None else ()

    assert worked.write(interrupted)
    second = worked.next()
    worked.engine.crew.free(first.id, first.attempt)
    assert (second.attempt, worked.engine.crew.outstanding) == (2, 1)
    worked.engine.crew.free(second.id, second.attempt)
    assert worked.engine.crew.outstanding == 0


def test_a_server_that_was_declared_lost_claims_nothing_and_hears_of_it(make_engine: Make) -> None:
    lost = threading.Event()
    worked = make_engine(on_lost=lost.set)
    worked.settle()
    assert servers.set_state(worked.db, worked.server_id, ServerState.LOST, CLOCK.now())
    run = worked.put()
    assert worked.nothing_more
    assert lost.wait(PATIENCE)
    assert read.state(worked.db, run) == RunState.QUEUED


def test_no_worker_gets_a_run_after_claiming_has_stopped(make_engine: Make) -> None:
    worked = make_engine(workers=1)
    run = worked.put()
    worked.engine.wake()
    worked.engine.crew.inbox.get(timeout=PATIENCE)
    worked.engine.stop_claiming()
    assert worked.engine.crew.claimed(run) is None
    assert worked.engine.crew.under_way == 0
    assert [claimed.id for claimed in worked.engine.crew.unstarted()] == [run]


def test_no_worker_holds_two_runs_in_the_store(make_engine: Make) -> None:
    worked = make_engine(workers=1)
    worked.put()
    worked.put()
    worked.engine.wake()
    first = worked.next()

    def late(db: Database) -> Sequence[Ready]:
        worked.finish(first)  # while a transaction is under way that does not hold this end
        return ()

    worked.engine.submit(late)
    running = list[int]()
    worked.engine.submit(lambda db: running.append(len(servers.running_runs(db, worked.server_id))) or ())
    worked.next()
    worked.settle()
    assert running == [1]
    assert len(servers.running_runs(worked.db, worked.server_id)) == 1


def test_an_end_that_cannot_be_recorded_is_recorded_otherwise(make_engine: Make) -> None:
    worked = make_engine()
    done = threading.Event()

    def bad(db: Database) -> Sequence[Ready]:
        raise OverflowError("Python int too large")

    def instead(db: Database) -> Sequence[Ready]:
        done.set()
        return ()

    worked.engine.submit(bad, instead=instead)
    assert done.wait(PATIENCE)


def test_who_submits_hears_of_the_commit_and_not_before(make_engine: Make, held: sqlite3.Connection) -> None:
    worked = make_engine(patience=0)
    worked.settle()
    held.execute("BEGIN IMMEDIATE")
    heard = threading.Event()
    tried = threading.Semaphore(0)
    worked.db._connections.query_hooks.append(lambda event: event.sql == "BEGIN IMMEDIATE" and tried.release())
    worked.engine.submit(lambda db: (), committed=heard.set)
    for _ in range(2):
        assert tried.acquire(timeout=PATIENCE)
    assert not heard.is_set()
    held.execute("COMMIT")
    assert heard.wait(PATIENCE)


def test_it_ends_with_the_store_away_and_says_how_much_is_not_written(
    make_engine: Make, held: sqlite3.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("jobrunner.queue.engine.STOP_SECONDS", 0.3)
    worked = make_engine(patience=0)
    worked.settle()
    held.execute("BEGIN IMMEDIATE")
    for _ in range(3):
        worked.engine.submit(lambda db: ())
    assert worked.engine.stop(PATIENCE)
    assert worked.engine.unwritten == 3
    held.execute("COMMIT")


def test_a_store_that_is_away_is_said_once_and_so_is_its_return(
    make_engine: Make, held: sqlite3.Connection, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    worked = make_engine(patience=0)
    worked.settle()
    held.execute("BEGIN IMMEDIATE")
    tried = threading.Semaphore(0)
    worked.db._connections.query_hooks.append(lambda event: event.sql == "BEGIN IMMEDIATE" and tried.release())
    worked.engine.submit(lambda db: ())
    for _ in range(4):
        assert tried.acquire(timeout=PATIENCE)
    held.execute("COMMIT")
    worked.settle()
    worked.settle()
    said = [record.getMessage() for record in caplog.records if record.name == "jobrunner.queue.engine"]
    assert len(said) == 2
    assert "locked" in said[0]
    assert said[1] == "the store is back"


class Deaf:
    """A broker that cannot be reached."""

    def __init__(self) -> None:
        self.asked = 0

    def announce(self, ready: Sequence[Ready]) -> None:
        self.asked += 1
        raise BrokerUnavailable("away")


def test_a_broker_that_is_away_is_not_asked_at_every_commit(make_engine: Make) -> None:
    broker = Deaf()
    worked = make_engine(broker=broker)

    def ready(db: Database) -> Sequence[Ready]:
        return [Ready(1, 0, "default", 0, CLOCK.now())]

    for _ in range(5):
        worked.write(ready)
    assert broker.asked == 1


def test_offers_that_come_when_claiming_has_stopped_are_dropped(make_engine: Make) -> None:
    worked = make_engine(named_only=True)
    run = worked.put()
    worked.engine.stop_claiming()
    worked.engine.offer([(run, 0)])
    assert worked.nothing_more
    assert read.state(worked.db, run) == RunState.QUEUED
    assert not worked.engine._offered


def test_what_gives_way_to_another_transaction_is_tried_again_and_nobody_is_bothered(
    make_engine: Make, caplog: pytest.LogCaptureFixture
) -> None:
    worked = make_engine()
    left = [Collision("deadlock") for _ in range(4)]
    noted = list[str]()

    def collides(_: Database) -> Sequence[Ready]:
        if left:
            raise left.pop()
        noted.append("done")
        return ()

    assert worked.write(collides)
    assert (left, noted) == ([], ["done"])
    assert [record for record in caplog.records if record.levelname in ("WARNING", "ERROR")] == []
