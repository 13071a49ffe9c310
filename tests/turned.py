"""A clock that a test turns."""

from __future__ import annotations

from datetime import datetime, timedelta

from samples import NOW


class Turned:
    """A clock that stands still until it is turned; both of its readings, unless it is stepped."""

    def __init__(self, now: datetime = NOW) -> None:
        self._now = now
        self._monotonic = 1000.0

    def now(self) -> datetime:
        return self._now

    def monotonic(self) -> float:
        return self._monotonic

    def turn(self, seconds: float) -> None:
        """Time passes."""
        self._now += timedelta(seconds=seconds)
        self._monotonic += seconds

    def step(self, seconds: float) -> None:
        """Somebody sets the clock, or the machine was suspended."""
        self._now += timedelta(seconds=seconds)
