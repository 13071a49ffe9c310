"""What a server has to write, in its order: kept until the store has taken it. Called by the engine."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable, Sequence
from typing import NamedTuple

from jobrunner.domain.state import Ready
from jobrunner.errors import StoreUnavailable
from jobrunner.store.database import Database, StatementRefused

log = logging.getLogger(__name__)

Operation = Callable[[Database], Sequence[Ready]]
"""Part of a transaction; gives the runs that it made ready. It may run again when the store was away."""


class Submitted(NamedTuple):
    """An operation, who hears that it was committed, and what is done in its place when it fails by itself.

    ``batch``: the one that it may end.
    """

    operation: Operation
    committed: Callable[[], None] | None = None
    instead: Operation | None = None
    batch: int | None = None


class Operations:
    """``add`` is for any thread, the rest for the one that writes. What is taken stays so until it is committed."""

    def __init__(self) -> None:
        self._new = deque[Submitted]()
        self._taken = list[Submitted]()

    def __len__(self) -> int:
        return len(self._taken) + len(self._new)

    @property
    def fresh(self) -> bool:
        """Whether something has come since ``take``."""
        return bool(self._new)

    def add(self, submitted: Submitted) -> None:
        self._new.append(submitted)

    def take(self) -> bool:
        """Takes what there is; says whether something is taken now."""
        while self._new:
            self._taken.append(self._new.popleft())
        # Two servers that end members of the same batches lock these in the same order, or would wait for each other.
        self._taken.sort(key=lambda submitted: submitted.batch or 0)
        return bool(self._taken)

    def write(self, db: Database) -> list[Ready]:
        """Does what is taken, in the transaction of the caller, who says ``committed`` after it."""
        return [ready for submitted in self._taken for ready in submitted.operation(db)]

    def committed(self) -> None:
        """All that was taken is in the store."""
        taken, self._taken = self._taken, []
        for submitted in taken:
            if submitted.committed is not None:
                submitted.committed()

    def write_singly(self, db: Database) -> list[Ready]:
        """Each in a transaction of its own: one that fails must not take those of others with it.

        Raises:
            StoreUnavailable: the store is away, or one had to give way to another server; what is not written stays
                taken.
        """
        ready = list[Ready]()
        while self._taken:
            operation, committed, instead, batch = self._taken[0]
            try:
                with db.transaction():
                    made = operation(db)
            except Exception as error:
                if away(error):
                    raise
                del self._taken[0]
                log.error("an operation on the store failed and is dropped", exc_info=error)
                if instead is not None:
                    self.add(Submitted(instead, batch=batch))
                continue
            del self._taken[0]
            ready += made
            if committed is not None:
                committed()
        return ready


def away(error: Exception) -> bool:
    """Whether the store is at fault, and not the statement."""
    return isinstance(error, StoreUnavailable) and not isinstance(error, StatementRefused)
