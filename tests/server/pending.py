"""An engine that commits when a test says so."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

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
