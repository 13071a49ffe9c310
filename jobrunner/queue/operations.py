"""What a server has to write, in its order: kept until the store has taken it. Called by the engine."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable, Sequence
from itertools import groupby
from typing import NamedTuple

from jobrunner.domain.state import Ready
from jobrunner.errors import StoreUnavailable
from jobrunner.store.database import Database, StatementRefused
from jobrunner.store.runs.finish import Ending, finish_all

log = logging.getLogger(__name__)

TOGETHER = 64
"""So many share a transaction, and no more: what they have made ready is begun while the next are written."""

Operation = Callable[[Database], Sequence[Ready]]
"""Part of a transaction; gives the runs that it made ready. It may run again when the store was away.

A class of operations may have a static method ``write_together``: those that come together are then written by it, with
fewer statements.
"""


class End:
    """The operation that records how an attempt has ended. ``before``: what is written ahead of it in the same
    transaction. One whose run this server no longer holds changes nothing."""

    __slots__ = ("before", "ending")

    def __init__(self, ending: Ending, before: Operation | None = None) -> None:
        self.ending = ending
        self.before = before

    def __call__(self, db: Database) -> Sequence[Ready]:
        return self.write_together(db, (self,))

    @staticmethod
    def write_together(db: Database, ends: Sequence[End]) -> Sequence[Ready]:
        """Records them in the transaction of the caller."""
        for end in ends:
            if end.before is not None:
                end.before(db)
        states, ready = finish_all(db, [end.ending for end in ends])
        if len(states) < len(ends):
            for end in ends:
                if end.ending.run_id not in states:
                    extra = {"run": end.ending.run_id}
                    log.warning("the run was no longer this server's; nothing is recorded", extra=extra)
        return ready


class Submitted(NamedTuple):
    """An operation, who hears that it was committed, and what is done in its place when it fails by itself.

    ``batch``: the one that it may end. ``ends``: whether it records the end of an attempt.
    """

    operation: Operation
    committed: Callable[[], None] | None = None
    instead: Operation | None = None
    batch: int | None = None
    ends: bool = False


class Operations:
    """``add`` is for any thread, the rest for the one that writes. What is taken stays so until it is committed.

    ``ends_taken``: how many of those that were ever taken record the end of an attempt.
    """

    def __init__(self) -> None:
        self._new = deque[Submitted]()
        self._taken = list[Submitted]()
        self.ends_taken = 0

    def __len__(self) -> int:
        return len(self._taken) + len(self._new)

    @property
    def fresh(self) -> bool:
        """Whether something has come since ``take``."""
        return bool(self._new)

    def add(self, submitted: Submitted) -> None:
        self._new.append(submitted)

    def take(self) -> bool:
        """Takes what there is, as much as shall share a transaction; says whether something is taken now."""
        while self._new and len(self._taken) < TOGETHER:
            submitted = self._new.popleft()
            self._taken.append(submitted)
            self.ends_taken += submitted.ends
        # Two servers that end members of the same batches lock these in the same order, or would wait for each other.
        self._taken.sort(key=lambda submitted: submitted.batch or 0)
        return bool(self._taken)

    def write(self, db: Database) -> list[Ready]:
        """Does what is taken, in the transaction of the caller, who says ``committed`` after it."""
        made = list[Ready]()
        for together, some in groupby(self._taken, key=_together):
            if together is not None:
                made += together(db, [submitted.operation for submitted in some])
                continue
            for submitted in some:
                made += submitted.operation(db)
        return made

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
            operation, committed, instead, batch, _ = self._taken[0]
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


def _together(submitted: Submitted) -> Callable[[Database, Sequence[Operation]], Sequence[Ready]] | None:
    return getattr(type(submitted.operation), "write_together", None)


def away(error: Exception) -> bool:
    """Whether the store is at fault, and not the statement."""
    return isinstance(error, StoreUnavailable) and not isinstance(error, StatementRefused)
