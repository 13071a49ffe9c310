"""The engine on a real store: claims for idle workers, shared commits, faults of operations and store, wake-ups."""

from __future__ import annotations

import logging
import sqlite3
import threading
from collections.abc import Callable, Iterator, Sequence
from datetime import timedelta
from logging.handlers import QueueHandler
from queue import SimpleQueue

import pytest
from project import until
from worked import CLOCK, PATIENCE, Worked

from jobrunner.domain.job import When
from jobrunner.domain.queue import Pause
from jobrunner.domain.state import Ready, RunState
from jobrunner.errors import StoreUnavailable
from jobrunner.queue.bell import ring
from jobrunner.queue.engine import Operation
from jobrunner.queue.operations import TOGETHER
from jobrunner.queue.serializer import read_message
from jobrunner.store import Database, audit, listeners, open_store, pauses
from jobrunner.store.database import StatementRefused
from jobrunner.store.runs import read, steer

Make = Callable[..., Worked]


def note(text: str) -> Operation:
    """An operation that leaves one entry for each time it was committed."""

    def write(db: Database) -> Sequence[Ready]:
        audit.record(db, at=CLOCK.now(), who="", host="", action="note", target=text, detail="", outcome="")
        return ()

    return write


def noted(db: Database) -> list[str]:
    return [entry.target for entry in audit.find(db, None, 0)][::-1]


class Gate:
    """An operation that holds the engine until it is opened."""

    def __init__(self, worked: Worked) -> None:
        self._reached, self._open = threading.Event(), threading.Event()
        worked.engine.submit(self)
        assert self._reached.wait(PATIENCE)

    def __call__(self, db: Database) -> Sequence[Ready]:
        self._reached.set()
        assert self._open.wait(PATIENCE)
        return ()

    def open(self) -> None:
        self._open.set()


class TestClaims:
    def test_no_more_than_there_are_idle_workers(self, make_engine: Make) -> None:
        worked = make_engine(workers=2)
        ids = [worked.put() for _ in range(5)]
        worked.engine.wake()
        first, second = worked.next(), worked.next()
        assert [first.id, second.id] == ids[:2]
        assert worked.nothing_more
        assert (worked.engine.crew.idle, worked.engine.crew.busy, worked.engine.crew.under_way) == (0, 2, 2)
        worked.finish(first)
        third = worked.next()
        assert third.id == ids[2]
        assert worked.nothing_more
        worked.finish(second)
        worked.finish(third)
        assert {worked.next().id, worked.next().id} == set(ids[3:])
        assert [read.state(worked.db, run_id) for run_id in ids[:3]] == [RunState.SUCCEEDED] * 3

    def test_ends_that_are_more_than_a_transaction_takes_make_no_room_in_it(self, make_engine: Make) -> None:
        workers = TOGETHER + 2
        worked = make_engine(workers=workers)
        runs = [worked.put() for _ in range(2 * workers)]
        taken = [worked.next() for _ in range(workers)]
        gate, counts = Gate(worked), list[int]()

        def count() -> None:
            counts.append(sum(read.state(worked.db, run) is RunState.RUNNING for run in runs))

        for place, run in enumerate(taken):
            worked.finish(run)
            if place == 0:
                worked.engine.submit(lambda _: (), committed=count)
        gate.open()
        worked.settle()
        for _ in range(workers):
            worked.next()
        count()
        assert counts == [workers, workers]

    def test_queues_in_their_order(self, make_engine: Make) -> None:
        worked = make_engine(queues=("high", "low"), workers=3, start=False)
        ids = [worked.put(queue=queue) for queue in ("low", "other", "high")]
        worked.engine.start()
        assert [worked.next().id, worked.next().id] == [ids[2], ids[0]]
        assert worked.nothing_more

    def test_an_end_and_the_next_claim_are_one_transaction(self, make_engine: Make) -> None:
        worked = make_engine(workers=1, start=False)
        worked.put()
        worked.put()
        worked.engine.start()
        first = worked.next()
        worked.settle()
        commits = _commits(worked)
        worked.finish(first)
        worked.next()
        assert commits == ["COMMIT"]

    def test_what_no_worker_has_taken_can_be_given_back(self, make_engine: Make) -> None:
        worked = make_engine(workers=3)
        ids = [worked.put() for _ in range(3)]
        worked.engine.wake()
        taken = worked.next()
        assert taken.id == ids[0]
        until(lambda: worked.engine.crew.busy == 3, "the claims")
        worked.engine.stop_claiming()
        worked.settle()
        assert (worked.engine.crew.busy, worked.engine.crew.under_way) == (3, 1)
        assert sorted(run.id for run in worked.engine.crew.unstarted()) == ids[1:]
        assert worked.engine.crew.claimed(ids[1]) is None
        assert worked.engine.crew.unstarted() == []

    def test_nothing_is_claimed_after_it_was_told_so(self, make_engine: Make) -> None:
        worked = make_engine()
        worked.engine.stop_claiming()
        run_id = worked.put()
        assert worked.nothing_more
        assert worked.engine.crew.idle == 0
        assert read.state(worked.db, run_id) == RunState.QUEUED

    def test_a_paused_queue_is_left_alone_until_it_is_resumed(self, make_engine: Make) -> None:
        worked = make_engine()
        now = CLOCK.now()
        pauses.pause(worked.db, Pause(scope="queue", name="default", who="ana", since=now, until=None, reason=""))
        run_id = worked.put()
        assert worked.nothing_more
        pauses.resume(worked.db, "queue", "default", now)
        worked.engine.wake()
        assert worked.next().id == run_id

    def test_workers_are_let_go_by_empty_messages(self, make_engine: Make) -> None:
        worked = make_engine()
        worked.engine.crew.release(2)
        assert [worked.engine.crew.inbox.get(timeout=PATIENCE) for _ in range(2)] == [b"", b""]


class TestOperations:
    def test_what_comes_together_is_committed_together(self, make_engine: Make) -> None:
        worked = make_engine()
        gate = Gate(worked)
        for number in range(50):
            worked.engine.submit(note(str(number)))
        commits = _commits(worked)
        gate.open()
        worked.settle()
        assert noted(worked.db) == [str(number) for number in range(50)]
        assert len(commits) <= 3

    def test_it_is_said_when_one_is_committed(self, make_engine: Make) -> None:
        worked = make_engine()
        assert worked.write(note("done"))
        assert noted(worked.db) == ["done"]

    @pytest.mark.parametrize("fault", [ValueError("boom"), StatementRefused("refused"), KeyError("x")])
    def test_one_that_raises_takes_no_other_with_it(
        self, make_engine: Make, fault: Exception, caplog: pytest.LogCaptureFixture
    ) -> None:
        worked = make_engine()

        def bad(db: Database) -> Sequence[Ready]:
            note("half done")(db)
            raise fault

        gate = Gate(worked)
        worked.engine.submit(note("before"))
        worked.engine.submit(bad)
        worked.engine.submit(note("after"))
        gate.open()
        assert not worked.write(bad)
        worked.settle()
        assert noted(worked.db) == ["before", "after"]
        assert caplog.text.count("an operation on the store failed and is dropped") == 2

    def test_one_that_the_database_refuses(self, make_engine: Make, caplog: pytest.LogCaptureFixture) -> None:
        worked = make_engine()
        run_id = worked.put()

        def duplicate(db: Database) -> Sequence[Ready]:
            db.execute("INSERT INTO attempts (run_id, number, server_id, started_at) VALUES (?, 0, 0, 0)", (run_id,))
            db.execute("INSERT INTO attempts (run_id, number, server_id, started_at) VALUES (?, 0, 0, 0)", (run_id,))
            return ()

        worked.engine.submit(note("before"))
        assert not worked.write(duplicate)
        assert "UNIQUE constraint failed" in caplog.text
        assert noted(worked.db) == ["before"]

    def test_a_fault_and_a_store_that_is_away_together_do_nothing_twice(self, make_engine: Make) -> None:
        worked = make_engine()
        left = [StoreUnavailable("away"), StoreUnavailable("away")]

        def bad(_: Database) -> Sequence[Ready]:
            raise ValueError("boom")

        def away(db: Database) -> Sequence[Ready]:
            if left:
                raise left.pop()
            return note("third")(db)

        gate = Gate(worked)
        worked.engine.submit(note("first"))
        worked.engine.submit(bad)
        worked.engine.submit(note("second"))
        worked.engine.submit(away)
        gate.open()
        worked.write(note("fourth"))
        assert noted(worked.db) == ["first", "second", "third", "fourth"]

    def test_stop_commits_what_was_submitted(self, make_engine: Make) -> None:
        worked = make_engine()
        gate = Gate(worked)
        for number in range(10):
            worked.engine.submit(note(str(number)))
        stopping = threading.Thread(target=worked.engine.stop)
        stopping.start()
        gate.open()
        stopping.join(PATIENCE)
        assert noted(worked.db) == [str(number) for number in range(10)]
        assert not worked.engine.alive


class TestStoreAway:
    def test_it_goes_on_when_the_store_is_back_and_loses_nothing(
        self, make_engine: Make, sqlite_url: str, heard: Callable[[str], bool]
    ) -> None:
        worked = make_engine(patience=0)
        worked.put()
        worked.engine.wake()
        running = worked.next()
        holder = sqlite3.connect(sqlite_url.removeprefix("sqlite:///"), isolation_level=None)
        holder.execute("BEGIN IMMEDIATE")
        worked.engine.submit(note("while away"))
        worked.finish(running)
        assert heard("database is locked")
        assert worked.engine.alive
        holder.execute("COMMIT")
        holder.close()
        worked.settle()
        assert noted(worked.db) == ["while away"]
        assert read.state(worked.db, running.id) == RunState.SUCCEEDED
        assert worked.engine.crew.busy == 0

    def test_an_announcement_that_fails_undoes_nothing(
        self, make_engine: Make, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        worked = make_engine(queues=("mine",))
        away = threading.Event()

        def wakes(db: Database) -> list[str]:
            away.set()
            raise StoreUnavailable("away")

        monkeypatch.setattr(listeners, "wakes", wakes)
        parent = worked.put(queue="mine")
        child = worked.put(queue="elsewhere", parents=(parent,))
        worked.engine.wake()
        worked.finish(worked.next())
        worked.write(note("later"))
        assert away.wait(PATIENCE)
        assert noted(worked.db) == ["later"]
        assert read.state(worked.db, child) == RunState.QUEUED


@pytest.mark.usefixtures("calm")
class TestWaking:
    def test_a_ring_of_another_process_makes_it_look(self, make_engine: Make) -> None:
        worked = make_engine()
        worked.settle()
        run_id = worked.put()
        ring(listeners.wakes(worked.db))
        assert worked.next().id == run_id

    def test_the_next_due_run_wakes_it(self, make_engine: Make) -> None:
        worked = make_engine()
        run_id = worked.put(delay=0.3)
        worked.engine.wake()
        claimed = worked.next()
        assert claimed.id == run_id
        assert claimed.started_at >= read.get(worked.db, run_id).run_after

    def test_so_does_a_retry_that_it_has_just_recorded(self, make_engine: Make) -> None:
        worked = make_engine()
        run_id = worked.put(max_attempts=2)
        worked.engine.wake()
        worked.finish(worked.next(), RunState.RETRYING, run_after=CLOCK.now() + timedelta(seconds=0.2))
        again = worked.next()
        assert (again.id, again.attempt, again.failures) == (run_id, 2, 1)

    def test_servers_are_told_of_runs_that_they_serve(self, make_engine: Make) -> None:
        mine, theirs = make_engine(queues=("mine",)), make_engine(queues=("theirs",))
        theirs.settle()
        parent = mine.put(queue="mine")
        child = mine.put(queue="theirs", parents=(parent,))
        mine.engine.wake()
        mine.finish(mine.next())
        assert theirs.next().id == child

    def test_a_cancel_reaches_the_attempt(self, make_engine: Make) -> None:
        worked = make_engine()
        worked.put()
        worked.engine.wake()
        claimed = worked.next()
        steer.cancel(worked.db, claimed.id, at_once=True, now=CLOCK.now())
        ring(listeners.wakes(worked.db))
        assert worked.cancels.get(timeout=PATIENCE) == (claimed.id, 1, True)

    def test_idleness_is_told(self, make_engine: Make) -> None:
        worked = make_engine(on_idle=True, workers=1, start=False)
        ids = [worked.put(), worked.put()]
        worked.put(delay=3600)
        worked.engine.start()
        for _ in ids:
            assert worked.idle.empty()
            worked.finish(worked.next())
        worked.idle.get(timeout=PATIENCE)

    def test_it_is_not_idle_while_something_is_claimed_or_queued(self, make_engine: Make) -> None:
        worked = make_engine(on_idle=True, workers=1, start=False)
        worked.put()
        worked.put()
        worked.engine.start()
        worked.next()
        assert worked.nothing_more
        assert worked.idle.empty()


class TestSafetyQuery:
    @pytest.fixture(autouse=True)
    def often(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("jobrunner.queue.engine.SAFETY_SECONDS", 0.02)

    def test_it_finds_what_nobody_told_of(self, make_engine: Make) -> None:
        worked = make_engine()
        worked.settle()
        run_id = worked.put()
        assert worked.next().id == run_id

    def test_it_ends_pauses_whose_time_is_over(self, make_engine: Make) -> None:
        worked = make_engine()
        now = CLOCK.now()
        until = now + timedelta(seconds=0.1)
        pauses.pause(worked.db, Pause(scope="job", name="job", who="ana", since=now, until=until, reason=""))
        run_id = worked.put()
        assert worked.next().id == run_id
        assert pauses.everything(worked.db) == []

    def test_it_expires_what_nobody_may_take(self, make_engine: Make, sqlite_url: str) -> None:
        worked = make_engine(queues=("mine",))
        run_id = worked.put(queue="other", expires=timedelta(seconds=0.05))
        child = worked.put(queue="mine", parents=(run_id,), when=When.FAILURE)
        assert worked.next().id == child
        other = open_store(sqlite_url)
        assert read.state(other, run_id) == RunState.EXPIRED
        other.close()

    def test_an_idle_engine_writes_nothing(self, make_engine: Make) -> None:
        worked = make_engine()
        worked.settle()
        commits = _commits(worked)
        turns = threading.Semaphore(0)
        worked.db._connections.query_hooks.append(lambda event: turns.release())
        for _ in range(50):
            assert turns.acquire(timeout=PATIENCE)
        assert commits == []


class TestNamed:
    def test_only_what_a_broker_delivers_is_claimed(self, make_engine: Make) -> None:
        worked = make_engine(named_only=True)
        first, second = worked.put(), worked.put()
        assert worked.nothing_more
        worked.engine.offer([(second, 0)])
        assert worked.next().id == second
        assert worked.nothing_more
        assert read.state(worked.db, first) == RunState.QUEUED

    def test_what_is_no_longer_queued_is_not(self, make_engine: Make) -> None:
        worked = make_engine(named_only=True)
        run_id = worked.put(run_after=CLOCK.now() - timedelta(seconds=1))
        worked.engine.offer([(99, 0), (run_id, 3), (run_id, 0), (run_id, 0)])
        assert worked.next().id == run_id
        assert worked.nothing_more

    @pytest.mark.usefixtures("calm")
    def test_the_feed_hears_at_once_when_an_offer_was_taken(self, make_engine: Make) -> None:
        worked = make_engine(named_only=True, workers=3)
        assert worked.engine.wait_for_idle(PATIENCE) == 3
        run_id = worked.put()
        gate = Gate(worked)
        worked.engine.offer([(99, 0), (run_id, 0)])
        assert worked.engine.wait_for_idle(0) == 0
        left = list[int]()
        waiting = threading.Thread(target=lambda: left.append(worked.engine.wait_for_idle(3600)))
        waiting.start()
        gate.open()
        waiting.join(PATIENCE)
        assert left == [2]

    def test_a_worker_that_becomes_idle_is_told_of(self, make_engine: Make) -> None:
        worked = make_engine(named_only=True, workers=1)
        worked.engine.offer([(worked.put(), 0)])
        claimed = worked.next()
        assert worked.engine.wait_for_idle(0) == 0
        worked.finish(claimed)
        assert worked.engine.wait_for_idle(PATIENCE) == 1


def test_the_message_names_run_attempt_and_queue(make_engine: Make) -> None:
    worked = make_engine()
    run_id = worked.put()
    worked.engine.wake()
    assert read_message(worked.engine.crew.inbox.get(timeout=PATIENCE)) == (run_id, 1, "default")


def _commits(worked: Worked) -> list[str]:
    found = list[str]()
    worked.db._connections.query_hooks.append(lambda event: event.sql == "COMMIT" and found.append(event.sql))
    return found


@pytest.fixture
def heard() -> Iterator[Callable[[str], bool]]:
    """Waits until the engine has logged some words."""
    lines = SimpleQueue[logging.LogRecord]()
    handler = QueueHandler(lines)
    logger = logging.getLogger("jobrunner.queue.engine")
    logger.addHandler(handler)
    yield lambda words: any(words in lines.get(timeout=PATIENCE).getMessage() for _ in range(100))
    logger.removeHandler(handler)
