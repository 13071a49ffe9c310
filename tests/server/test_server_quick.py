"""Which calls the engine's own thread begins and ends, and when one is left to a worker."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from turned import Turned

from jobrunner.domain.clock import SystemClock
from jobrunner.server.quick import QuickCalls

PATIENCE = 20


@dataclass
class Attempt:
    """A call with a pipe as its child."""

    answers: bool = True
    pipe: tuple[int, int] = field(default_factory=os.pipe)

    @property
    def fd(self) -> int:
        return self.pipe[0]

    def answer(self) -> None:
        os.write(self.pipe[1], b"!")


@dataclass
class Called:
    """What an executor gives for a run that it has begun."""

    attempt: Attempt
    since: float = 1000.0
    behind: tuple[Any, ...] = ()


class Begins:
    """An executor that begins what it is told to."""

    def __init__(self) -> None:
        self.next: Called | None = None
        self.ended: list[Called] = []
        self.left: list[Called] = []
        self.fenced: list[Called] = []

    def begin(self, _: Any) -> Called | None:
        return self.next

    def end(self, call: Called) -> Called | None:
        if os.read(call.attempt.fd, 1) == b".":
            return call
        (self.ended if call.attempt.answers else self.left).append(call)
        return self.next if call.behind else None

    def leave(self, call: Called, *, fenced: bool = False) -> None:
        self.left.append(call)
        if fenced:
            self.fenced.append(call)


@pytest.fixture
def begins() -> Begins:
    return Begins()


@pytest.fixture
def quick(begins: Begins) -> Iterator[QuickCalls]:
    quick = QuickCalls(begins, Turned())  # type: ignore[arg-type]
    yield quick
    quick.stop()


def test_what_cannot_be_begun_at_once_is_not_taken(quick: QuickCalls, begins: Begins) -> None:
    assert not quick.take(())
    quick.collect()
    assert (begins.ended, begins.left) == ([], [])


def test_what_has_answered_is_ended_once(quick: QuickCalls, begins: Begins) -> None:
    calls = [Called(Attempt()), Called(Attempt())]
    for begins.next in calls:
        assert quick.take(())
    quick.collect()
    assert begins.ended == []
    calls[1].attempt.answer()
    quick.collect()
    quick.collect()
    assert begins.ended == [calls[1]]


def test_an_answer_that_is_no_end_leaves_the_call_to_a_worker(quick: QuickCalls, begins: Begins) -> None:
    call = begins.next = Called(Attempt(answers=False))
    quick.take(())
    call.attempt.answer()
    quick.collect()
    assert begins.left == [call]
    call.attempt.answer()
    quick.collect()
    assert begins.left == [call]


def test_what_goes_on_is_asked_again(quick: QuickCalls, begins: Begins) -> None:
    call = begins.next = Called(Attempt())
    quick.take(())
    os.write(call.attempt.pipe[1], b".")
    quick.collect()
    assert (begins.ended, begins.left) == ([], [])
    call.attempt.answer()
    quick.collect()
    assert begins.ended == [call]


class Between(Begins):
    """An executor in whose midst something else happens."""

    def __init__(self, happens: Callable[[], None]) -> None:
        super().__init__()
        self.happens = happens

    def end(self, call: Called) -> Called | None:
        self.happens()
        return super().end(call)


def test_who_looks_while_one_is_asked_looks_again(quick: QuickCalls) -> None:
    begins = Between(quick._look)
    quick._executor = begins  # type: ignore[assignment]
    begins.next = Called(Attempt())
    quick.take(())
    os.write(begins.next.attempt.pipe[1], b".")
    quick.collect()
    assert quick._some.is_set()  # else nobody would mind what goes on for long


def test_all_are_left_to_workers_while_one_is_asked(quick: QuickCalls) -> None:
    begins = Between(quick.leave_all)
    quick._executor = begins  # type: ignore[assignment]
    begins.next = Called(Attempt())
    quick.take(())
    os.write(begins.next.attempt.pipe[1], b".")
    quick.collect()
    assert begins.left == [begins.next]


def test_what_cannot_be_listened_to_is_a_workers(quick: QuickCalls, begins: Begins) -> None:
    call = begins.next = Called(Attempt())
    os.close(call.attempt.fd)
    assert quick.take(())
    assert begins.left == [call]


def test_what_is_behind_another_is_held_in_its_place(quick: QuickCalls, begins: Begins) -> None:
    pipe = os.pipe()
    first, second = Called(Attempt(pipe=pipe), behind=(None,)), Called(Attempt(pipe=pipe))
    begins.next = first
    assert quick.take(()) == 2
    begins.next = second
    first.attempt.answer()
    quick.collect()
    assert begins.ended == [first]
    second.attempt.answer()
    quick.collect()
    assert begins.ended == [first, second]


def test_what_has_answered_when_it_is_late_is_ended_and_the_one_behind_it_left(
    quick: QuickCalls, begins: Begins
) -> None:
    pipe = os.pipe()
    first, second = Called(Attempt(pipe=pipe), behind=(None,)), Called(Attempt(pipe=pipe))
    begins.next = first
    quick.take(())
    begins.next = second
    first.attempt.answer()
    quick._leave(quick._calls.copy())
    assert (begins.ended, begins.left, begins.fenced) == ([first], [second], [])


def test_a_lost_server_asks_nobody_whether_something_has_begun(quick: QuickCalls, begins: Begins) -> None:
    call = begins.next = Called(Attempt(), behind=(None,))
    quick.take(())
    call.attempt.answer()
    quick.leave_all()
    assert (begins.ended, begins.left, begins.fenced) == ([], [call], [call])


def test_what_has_taken_the_place_of_a_late_call_is_not_left(quick: QuickCalls, begins: Begins) -> None:
    pipe = os.pipe()
    first, second = Called(Attempt(pipe=pipe)), Called(Attempt(pipe=pipe))
    begins.next = first
    quick.take(())
    late = quick._calls.copy()
    first.attempt.answer()
    quick.collect()
    begins.next = second
    quick.take(())
    quick._leave(late)
    assert begins.left == []
    second.attempt.answer()
    quick.collect()
    assert begins.ended == [first, second]


def test_everything_can_be_left_to_workers(quick: QuickCalls, begins: Begins) -> None:
    begins.next = Called(Attempt())
    quick.take(())
    quick.leave_all()
    begins.next.attempt.answer()
    quick.collect()
    assert (begins.left, begins.ended) == ([begins.next], [])


def test_a_call_that_takes_longer_than_a_blink_is_left_to_a_worker(begins: Begins) -> None:
    class Noted(list[Called]):
        done = threading.Event()

        def append(self, call: Called) -> None:
            super().append(call)
            self.done.set()

    begins.left = Noted()
    quick = QuickCalls(begins, SystemClock())  # type: ignore[arg-type]
    quick.start()
    try:
        for _ in range(2):  # the second time it has slept in between
            begins.left.done.clear()
            begins.next = Called(Attempt(), since=SystemClock().monotonic())
            quick.take(())
            assert begins.left.done.wait(PATIENCE)
    finally:
        quick.stop()
    assert len(begins.left) == 2


def test_a_stop_that_comes_while_it_falls_asleep_is_not_missed(begins: Begins) -> None:
    quick = QuickCalls(begins, SystemClock())  # type: ignore[arg-type]

    class Late(threading.Event):
        def clear(self) -> None:
            quick._stop.set()
            self.set()
            super().clear()

    quick._some = Late()
    quick.start()
    quick._some.set()
    quick._thread.join(PATIENCE)
    assert not quick._thread.is_alive()
    quick.stop()
