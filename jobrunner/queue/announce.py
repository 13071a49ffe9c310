"""Telling servers that there is something to do, from whichever process made it so. Called by admin and the engine."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from jobrunner.domain.state import Ready
from jobrunner.queue.bell import ring
from jobrunner.store import listeners
from jobrunner.store.database import Database


class Broker(Protocol):
    """What is told of runs that a worker may take."""

    def announce(self, ready: Sequence[Ready]) -> None: ...


class Announcer:
    """Says that runs are queued, or that something else has changed, after the transaction that made it so.

    ``broker`` is None where the store itself is the broker. ``own`` is the address of the caller's own bell, which is
    not rung.
    """

    def __init__(self, db: Database, broker: Broker | None, *, own: str | None = None) -> None:
        self._db = db
        self._broker = broker
        self._own = own

    def ready(self, runs: Sequence[Ready]) -> None:
        """Tells of runs that a worker may take.

        Raises:
            BrokerUnavailable: the broker could not be told; a server hands the runs over again by itself.
        """
        if not runs:
            return
        if self._broker is None:
            self.changed()
        else:
            self._broker.announce(runs)

    def changed(self) -> None:
        """Wakes the other servers, so that they see a cancel, a pause or a due time at once."""
        if self._db.path is None:
            listeners.notify(self._db, self._own or "")
        else:
            ring(address for address in listeners.wakes(self._db) if address != self._own)
