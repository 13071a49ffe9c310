"""Signals one after another, none lost, none twice in a row for nothing."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator

import pytest

from jobrunner.server.signals import Signals

TERM, INT, HUP = signal.SIGTERM, signal.SIGINT, signal.SIGHUP


@pytest.fixture
def signals() -> Iterator[Signals]:
    kept = {number: signal.getsignal(number) for number in (TERM, INT, HUP)}
    made = Signals()
    made.listen()
    yield made
    for number, handler in kept.items():
        signal.signal(number, handler)


def test_each_is_a_word_of_its_own(signals: Signals) -> None:
    for number in (TERM, TERM, INT):
        signal.raise_signal(number)
    assert [signals.wait(0) for _ in range(4)] == [TERM, TERM, INT, None]


def test_a_hundred_hangups_are_one(signals: Signals) -> None:
    for _ in range(100):
        signal.raise_signal(HUP)
    signal.raise_signal(TERM)
    assert [signals.wait(0) for _ in range(3)] == [HUP, TERM, None]
    signal.raise_signal(HUP)
    assert signals.wait(0) is HUP


def test_another_thread_ends_the_wait(signals: Signals) -> None:
    timer = threading.Timer(0.05, signals.wake)
    timer.start()
    assert signals.wait(60) is None
    timer.join()


def test_a_signal_beside_a_wake_is_heard(signals: Signals) -> None:
    signals.wake()
    signal.raise_signal(TERM)
    signals.wake()
    assert signals.wait(60) is TERM
