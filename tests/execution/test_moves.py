"""Moves between cgroups cost nothing where some are expected or many came in a row, and are not made elsewhere."""

from __future__ import annotations

import os
import select
from collections.abc import Iterator

import pytest
from project import until
from turned import Turned

from jobrunner.execution.moves import Moves

PATIENCE = 20
"""Seconds until something that has to happen has not."""


class Home:
    """A way home that a test sees being gone."""

    def __init__(self) -> None:
        self.seen, self.way = os.pipe()

    def gone(self) -> bool:
        """Waits until it is gone, or will not be any more."""
        assert select.select((self.seen,), (), (), PATIENCE)[0], "nobody has moved"
        return os.read(self.seen, 1) == b"0"


@pytest.fixture
def home() -> Iterator[Home]:
    made = Home()
    yield made
    os.close(made.seen)


def ready(moves: Moves) -> None:
    """What was written is known a moment later."""
    until(moves.started, "moves that cost nothing")


def test_a_start_now_and_then_is_no_move(home: Home) -> None:
    clock = Turned()
    moves = Moves(home.way, clock)
    for _ in range(30):
        assert not moves.started()
        clock.turn(0.02)
    moves.close()
    assert not home.gone()


def test_those_that_are_expected_are(home: Home) -> None:
    clock = Turned()
    moves = Moves(home.way, clock)
    moves.expect()
    assert home.gone()
    ready(moves)
    clock.turn(0.009)
    assert moves.started()
    clock.turn(0.009)
    assert moves.started()
    moves.close()


def test_so_are_many_in_a_row_until_none_come(home: Home) -> None:
    clock = Turned()
    moves = Moves(home.way, clock)
    assert [moves.started() for _ in range(9)] == [False] * 9
    moves.started()
    assert home.gone()
    ready(moves)
    clock.turn(1)
    assert not moves.started()
    moves.close()


def test_without_groups_nothing_is_done() -> None:
    moves = Moves(None, Turned())
    moves.expect()
    assert not any(moves.started() for _ in range(20))
    moves.close()


def test_who_may_not_move_goes_on_without(home: Home) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    moves = Moves(writer, Turned())
    moves.expect()
    assert not any(moves.started() for _ in range(20))
    moves.close()
