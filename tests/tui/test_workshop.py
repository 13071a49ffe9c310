"""The thread of an editor: what was typed last is looked at, what was asked for is done in order."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from queue import Queue

import pytest
from project import Project

from jobrunner import wiring
from jobrunner.errors import JobrunnerError, Refused
from jobrunner.tui.workshop import Tools, Workshop


class Bench:
    """A workshop whose answers are brought into a queue."""

    def __init__(self, where: Project) -> None:
        self.brought = Queue[Callable[[], None]]()
        self.faults = Queue[BaseException]()
        self.told = list[object]()
        self.workshop = Workshop(
            lambda: wiring.open_editor(str(where.file)), bring=self.brought.put, unexpected=self.faults.put
        )

    def look(self, value: object) -> None:
        self.workshop.look(lambda _: value, self.told.append, self.told.append)

    def do(self, work: Callable[[Tools], object]) -> None:
        self.workshop.do(work, self.told.append, self.told.append)

    def answer(self) -> object:
        """What comes next, once it has come."""
        self.brought.get(timeout=60)()
        return self.told[-1]


@pytest.fixture
def bench(where: Project) -> Iterator[Bench]:
    found = Bench(where)
    yield found
    found.workshop.close()


def test_of_what_is_typed_quickly_the_last_is_looked_at(bench: Bench) -> None:
    for number in range(100):
        bench.look(number)
    bench.workshop.start()
    assert bench.answer() == 99
    bench.look("more")
    assert bench.answer() == "more"
    assert bench.told == [99, "more"]


def test_what_is_asked_for_is_done_first_and_in_order(bench: Bench) -> None:
    bench.look("seen")
    for number in range(3):
        bench.do(lambda _, number=number: number)
    bench.workshop.start()
    assert [bench.answer() for _ in range(4)] == [0, 1, 2, "seen"]


def test_what_is_refused_is_told_and_it_goes_on(bench: Bench) -> None:
    def refuse(_: Tools) -> object:
        raise Refused("not so")

    bench.do(refuse)
    bench.do(lambda tools: tools.drafting.open("backup").line)
    bench.workshop.start()
    error = bench.answer()
    assert isinstance(error, JobrunnerError)
    assert error.message == "not so"
    assert bench.answer() == 5


def test_a_fault_of_ours_is_told(bench: Bench) -> None:
    def fail(_: Tools) -> object:
        raise ZeroDivisionError

    bench.do(fail)
    bench.workshop.start()
    assert isinstance(bench.faults.get(timeout=60), ZeroDivisionError)


def test_closed_it_does_what_was_asked_for_and_ends(bench: Bench) -> None:
    done = threading.Event()
    bench.do(lambda _: done.set())
    bench.look("never")
    bench.workshop.close()
    bench.workshop.start()
    assert done.wait(60)
    bench.workshop._thread.join(60)
    assert bench.brought.qsize() == 1
