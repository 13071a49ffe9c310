"""What an engine claims beyond its idle workers, and what becomes of that."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from test_queue_hand import Hand, employed
from worked import PATIENCE, Worked

from jobrunner.domain.run import Claimed
from jobrunner.domain.state import RunState
from jobrunner.store.runs import read

Make = Callable[..., Worked]


@pytest.fixture
def hand() -> Iterator[Hand]:
    hand = Hand()
    hand.known["short"] = 0.0001
    yield hand
    hand.close()


@pytest.fixture
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is ahead is never found to be stuck."""
    monkeypatch.setattr("jobrunner.queue.ahead._STUCK_SECONDS", 3600.0)


def begun(worked: Worked, hand: Hand, count: int) -> list[Claimed]:
    """Waits until the hand has been given so many runs."""
    for _ in range(count):
        assert hand.some.acquire(timeout=PATIENCE)
    return hand.taken


def end(worked: Worked, hand: Hand, *runs: Claimed) -> None:
    hand.end(*(lambda run=run: worked.finish(run) for run in runs))


def all_ended(worked: Worked) -> None:
    worked.engine.crew.wait(lambda: worked.engine.crew.busy == 0, PATIENCE)
    assert worked.engine.crew.busy == 0
    worked.settle()


def claimed(worked: Worked, runs: list[int]) -> list[int]:
    return [run for run in runs if read.state(worked.db, run) is not RunState.QUEUED]


@pytest.mark.usefixtures("patient")
def test_runs_of_a_job_that_is_known_to_be_short_are_claimed_ahead_and_begun_as_workers_come(
    make_engine: Make, hand: Hand
) -> None:
    worked = employed(make_engine, hand, workers=2)
    runs = [worked.put("short") for _ in range(9)]
    worked.engine.start()
    first = list(begun(worked, hand, 2))
    end(worked, hand, first[0])
    begun(worked, hand, 1)
    worked.settle()
    assert claimed(worked, runs) == runs
    assert [run.id for run in hand.taken] == runs[:3]
    assert (worked.engine.crew.busy, worked.engine.crew.under_way, worked.engine.crew.idle) == (2, 2, 0)
    for n in range(1, 9):
        if n > 2:
            begun(worked, hand, 1)
        end(worked, hand, hand.taken[n])
    all_ended(worked)
    assert [run.id for run in hand.taken] == runs
    assert {read.state(worked.db, run) for run in runs} == {RunState.SUCCEEDED}


@pytest.mark.usefixtures("patient")
def test_a_run_started_when_somebody_was_free_for_it(make_engine: Make, hand: Hand) -> None:
    worked = employed(make_engine, hand, workers=1)
    runs = [worked.put("short") for _ in range(3)]
    worked.engine.start()
    begun(worked, hand, 1)
    end(worked, hand, hand.taken[0])
    begun(worked, hand, 1)
    worked.settle()
    claimed_at = read.get(worked.db, runs[2]).started_at
    ended = worked.engine._clock.now()
    end(worked, hand, hand.taken[1])
    begun(worked, hand, 1)
    end(worked, hand, hand.taken[2])
    all_ended(worked)
    assert claimed_at is not None
    assert claimed_at <= ended <= hand.taken[2].started_at


def test_no_other_job_is_claimed_ahead_nor_overtaken(make_engine: Make, hand: Hand) -> None:
    worked = employed(make_engine, hand, workers=1)
    runs = [worked.put(job) for job in ("short", "short", "other", "short")]
    worked.engine.start()
    begun(worked, hand, 1)
    end(worked, hand, hand.taken[0])
    begun(worked, hand, 1)
    worked.settle()
    assert claimed(worked, runs) == runs[:2]


def test_what_nobody_comes_for_is_queued_again_as_if_it_had_not_been_claimed(make_engine: Make, hand: Hand) -> None:
    worked = employed(make_engine, hand, workers=1)
    runs = [worked.put("short") for _ in range(4)]
    worked.engine.start()
    begun(worked, hand, 1)
    end(worked, hand, hand.taken[0])
    begun(worked, hand, 1)  # and that one goes on for long
    other = make_engine(url=f"sqlite:///{worked.db.path}")
    assert [other.next().id for _ in range(2)] == runs[2:]
    shown = read.get(worked.db, runs[2])
    assert [(attempt.number, attempt.server) for attempt in shown.attempts] == [(1, "server1")]
    assert (worked.engine.crew.busy, worked.engine.crew.under_way) == (1, 1)
    end(worked, hand, hand.taken[1])
    all_ended(worked)
    assert worked.engine.crew.idle == 1


@pytest.mark.usefixtures("patient")
def test_at_the_end_it_is_given_back(make_engine: Make, hand: Hand) -> None:
    worked = employed(make_engine, hand, workers=1)
    runs = [worked.put("short") for _ in range(4)]
    worked.engine.start()
    begun(worked, hand, 1)
    end(worked, hand, hand.taken[0])
    begun(worked, hand, 1)
    worked.settle()
    worked.engine.stop_claiming()
    end(worked, hand, hand.taken[1])
    all_ended(worked)
    assert len(hand.taken) == 2
    assert worked.engine.crew.under_way == 0
    assert [run.id for run in worked.engine.crew.unstarted()] == runs[2:]


@pytest.fixture
def together(hand: Hand) -> Hand:
    hand.takes = 3
    return hand


def turns(worked: Worked, *runs: Claimed) -> None:
    for run in runs:
        worked.engine.crew.turn(run.id)


@pytest.mark.usefixtures("patient")
def test_several_short_runs_are_handed_over_at_once_and_one_worker_is_at_one_of_them(
    make_engine: Make, together: Hand
) -> None:
    worked = employed(make_engine, together, workers=1)
    runs = [worked.put("short") for _ in range(7)]
    worked.engine.start()
    begun(worked, together, 1)
    end(worked, together, together.taken[0])
    taken = begun(worked, together, 3)
    worked.settle()
    crew = worked.engine.crew
    assert [run.id for run in taken] == runs[:4]
    assert (crew.busy, crew.idle, crew.waiting, crew.under_way) == (1, 0, 5, 3)
    for n in (1, 2):
        turns(worked, taken[n + 1])
        end(worked, together, taken[n])
    crew.wait(lambda: crew.under_way == 1, PATIENCE)
    assert (crew.busy, crew.idle) == (1, 0)
    end(worked, together, taken[3])
    assert [run.id for run in begun(worked, together, 3)[4:]] == runs[4:]
    turns(worked, *taken[5:])
    end(worked, together, *taken[4:])
    all_ended(worked)
    assert {read.state(worked.db, run) for run in runs} == {RunState.SUCCEEDED}


def test_runs_that_share_a_child_take_up_a_worker_each(make_engine: Make, together: Hand) -> None:
    worked = employed(make_engine, together, workers=4)
    runs = [worked.put("once") for _ in range(3)]
    worked.engine.start()
    taken = list(begun(worked, together, 3))
    crew = worked.engine.crew
    assert (together.under_way, crew.busy, crew.idle, crew.waiting, crew.under_way) == (1, 3, 1, 0, 3)
    runs += [worked.put("once") for _ in range(3)]
    worked.engine.wake()
    begun(worked, together, 1)
    worked.settle()
    assert claimed(worked, runs) == runs[:4]
    turns(worked, taken[1])
    end(worked, together, taken[0])
    begun(worked, together, 1)
    worked.settle()
    assert claimed(worked, runs) == runs[:5]
    assert (crew.busy, crew.idle) == (4, 0)


def test_one_that_has_a_worker_and_was_not_begun_in_its_child_is_given_to_another(
    make_engine: Make, together: Hand
) -> None:
    worked = employed(make_engine, together, workers=4)
    runs = [worked.put("once") for _ in range(3)]
    worked.engine.start()
    taken = list(begun(worked, together, 3))
    worked.engine.crew.give_back(taken[1:])
    assert worked.engine.crew.idle == 1  # also before they are given to another: no run is claimed for its worker
    worked.engine.wake()
    assert [run.id for run in begun(worked, together, 2)[3:]] == runs[1:]
    assert (together.under_way, worked.engine.crew.busy) == (2, 3)
    turns(worked, taken[2])
    end(worked, together, *taken)
    all_ended(worked)
    assert {read.state(worked.db, run) for run in runs} == {RunState.SUCCEEDED}


@pytest.mark.usefixtures("patient")
def test_what_was_not_begun_is_handed_to_the_next_before_all_others(make_engine: Make, together: Hand) -> None:
    worked = employed(make_engine, together, workers=1)
    runs = [worked.put("short") for _ in range(7)]
    worked.engine.start()
    begun(worked, together, 1)
    end(worked, together, together.taken[0])
    taken = list(begun(worked, together, 3))
    worked.engine.crew.give_back(taken[2:])
    worked.engine.wake()
    worked.settle()
    assert (worked.engine.crew.busy, worked.engine.crew.under_way) == (1, 1)
    end(worked, together, taken[1])
    assert [run.id for run in begun(worked, together, 3)[4:]] == [*runs[2:5]]
    worked.engine.stop_claiming()
    turns(worked, *together.taken[5:])
    end(worked, together, *together.taken[4:])
    all_ended(worked)
    assert [run.id for run in worked.engine.crew.unstarted()] == runs[5:]


def test_what_was_not_begun_and_nobody_comes_for_is_queued_again(make_engine: Make, together: Hand) -> None:
    worked = employed(make_engine, together, workers=1)
    runs = [worked.put("short") for _ in range(4)]
    worked.engine.start()
    begun(worked, together, 1)
    end(worked, together, together.taken[0])
    taken = list(begun(worked, together, 3))
    worked.engine.crew.give_back(taken[2:])
    worked.engine.wake()
    other = make_engine(url=f"sqlite:///{worked.db.path}")
    assert [other.next().id for _ in range(2)] == runs[2:]
    end(worked, together, taken[1])
    all_ended(worked)
