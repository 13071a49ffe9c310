"""What an engine does itself, without workers: it begins runs, and writes ends that come together in one commit."""

from __future__ import annotations

import os
import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from functools import partial

import pytest
from worked import PATIENCE, Worked

from jobrunner.domain.ahead import MOST_AHEAD
from jobrunner.domain.run import Claimed
from jobrunner.domain.state import Ready, RunState
from jobrunner.store import Database
from jobrunner.store.runs import read

Make = Callable[..., Worked]


class Hand:
    """A hand that takes as many at once as it is told to, and ends the runs in ``ended``, one each time it is asked."""

    def __init__(self) -> None:
        self.takes = 1
        self.known: dict[str, float] = {}
        self.taken: list[Claimed] = []
        self.under_way = 0
        self.ended = deque[Callable[[], None]]()
        self.some = threading.Semaphore(0)
        self._bell = os.eventfd(0, os.EFD_CLOEXEC | os.EFD_SEMAPHORE)

    def fileno(self) -> int:
        return self._bell

    def seconds(self, job: str) -> float | None:
        return self.known.get(job)

    def usual(self, job: str) -> float | None:
        return self.known.get(job, 0.0001 if job == "once" else None)

    def take(self, runs: Sequence[Claimed]) -> int:
        taken = runs[: self.takes]
        self.taken += taken
        if taken:
            self.under_way += 1
            self.some.release(len(taken))
        return len(taken)

    def collect(self) -> int:
        os.eventfd_read(self._bell)
        self.ended.popleft()()
        self.under_way -= 1
        return self.under_way

    def end(self, *ends: Callable[[], None]) -> None:
        """These end now, all at once."""
        self.ended.extend(ends)
        os.eventfd_write(self._bell, len(ends))

    def close(self) -> None:
        os.close(self._bell)


@pytest.fixture
def hand() -> Iterator[Hand]:
    hand = Hand()
    yield hand
    hand.close()


def employed(make_engine: Make, hand: Hand, **changes: object) -> Worked:
    worked = make_engine(start=False, **changes)
    worked.engine.employ(hand)
    return worked


def test_what_the_hand_takes_no_worker_sees_and_its_end_frees_the_place(make_engine: Make, hand: Hand) -> None:
    worked = employed(make_engine, hand, workers=1)
    first, second = worked.put(), worked.put()
    worked.engine.start()
    assert hand.some.acquire(timeout=PATIENCE)
    assert worked.nothing_more
    assert worked.engine.crew.under_way == 1
    hand.end(lambda: worked.finish(hand.taken[0]))
    assert hand.some.acquire(timeout=PATIENCE)
    assert [run.id for run in hand.taken] == [first, second]
    assert read.state(worked.db, first) is RunState.SUCCEEDED


def test_what_the_hand_refuses_is_a_workers(make_engine: Make, hand: Hand) -> None:
    hand.takes = 0
    worked = employed(make_engine, hand)
    run = worked.put()
    worked.engine.start()
    assert worked.next().id == run


def test_what_the_hand_cannot_end_is_delegated(make_engine: Make, hand: Hand) -> None:
    worked = employed(make_engine, hand)
    run = worked.put()
    worked.engine.start()
    assert hand.some.acquire(timeout=PATIENCE)
    worked.engine.crew.delegate(hand.taken[0])
    assert f'"run": {run}'.encode() in worked.engine.crew.inbox.get(timeout=PATIENCE)
    assert worked.engine.crew.claimed(run) is None  # it is under way, and not to be begun again
    worked.finish(hand.taken[0])
    assert worked.engine.stop()  # before its hand is gone


@pytest.mark.parametrize(("seconds", "together"), [(1.0, True), (0.0, False)])
def test_where_a_commit_takes_long_ends_wait_for_each_other(
    make_engine: Make, hand: Hand, monkeypatch: pytest.MonkeyPatch, seconds: float, together: bool
) -> None:
    monkeypatch.setattr("jobrunner.queue.engine._LONGEST_PATIENCE", float(PATIENCE))
    worked = employed(make_engine, hand)
    worked.put()
    worked.put()
    worked.engine.start()
    for _ in range(2):
        assert hand.some.acquire(timeout=PATIENCE)
    committed, seen = threading.Semaphore(0), list[str]()

    def end(run: Claimed) -> Callable[[], None]:
        def tell(what: str) -> None:
            seen.append(what)
            committed.release()

        def submit() -> None:
            tell("submitted")
            worked.engine.submit(lambda _: (), committed=lambda: tell("committed"))
            worked.finish(run)

        return submit

    worked.engine._commit_takes = seconds
    hand.end(*map(end, hand.taken))
    for _ in range(4):
        assert committed.acquire(timeout=PATIENCE)
    assert (seen[:2] == ["submitted", "submitted"]) is together
    assert sorted(seen) == ["committed"] * 2 + ["submitted"] * 2


def test_who_ends_in_the_middle_of_a_transaction_gets_what_was_claimed_ahead(make_engine: Make, hand: Hand) -> None:
    hand.known["job"] = 0.0001
    worked = employed(make_engine, hand, workers=1)
    runs = [worked.put() for _ in range(3)]
    worked.engine.start()
    assert hand.some.acquire(timeout=PATIENCE)
    worked.settle()
    assert worked.engine.crew.waiting == 2
    begun = Future[list[int]]()

    def write(_: Database) -> Sequence[Ready]:
        hand.end(lambda: worked.finish(hand.taken[0]))
        return ()

    worked.engine.submit(write, committed=lambda: begun.set_result([run.id for run in hand.taken]))
    assert begun.result(PATIENCE) == runs[:2]
    for number in (1, 2):
        assert hand.some.acquire(timeout=PATIENCE)
        hand.end(partial(worked.finish, hand.taken[number]))
    worked.settle()


def test_who_ends_in_the_middle_of_a_transaction_makes_no_room_in_it(make_engine: Make, hand: Hand) -> None:
    hand.known["job"] = 0.00001
    worked = employed(make_engine, hand, workers=1)
    runs = [worked.put() for _ in range(MOST_AHEAD + 3)]
    worked.engine.start()
    assert hand.some.acquire(timeout=PATIENCE)
    worked.settle()
    before = Future[int]()

    def write(_: Database) -> Sequence[Ready]:
        hand.end(lambda: worked.finish(hand.taken[0]))
        return ()

    def running() -> int:
        return sum(read.state(worked.db, run) is RunState.RUNNING for run in runs)

    assert running() == 1 + MOST_AHEAD
    worked.engine.submit(write, committed=lambda: before.set_result(running()))
    assert before.result(PATIENCE) == 1 + MOST_AHEAD
    for number in range(1, len(runs)):
        assert hand.some.acquire(timeout=PATIENCE)
        hand.end(partial(worked.finish, hand.taken[number]))
    worked.settle()
