"""An engine that commits when a test says so, and a clock that a test turns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from samples import NOW

from jobrunner.store import Database


@dataclass
class Pending:
    """An engine that commits when it is told to."""

    db: Database
    waiting: list[tuple[Any, Any]] = field(default_factory=list)
    freed: int = 0

    def submit(self, operation: Any, *, ends: tuple[int, int] | None = None, committed: Any = None, **_: Any) -> None:
        self.waiting.append((operation, committed))
        self.freed += ends is not None

    def submit_all(self, operations: Sequence[Any]) -> None:
        self.waiting += [(operation, None) for operation in operations]

    def commit(self) -> None:
        waiting, self.waiting = self.waiting, []
        with self.db.transaction():
            for operation, _ in waiting:
                operation(self.db)
        for _, committed in waiting:
            if committed is not None:
                committed()


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
