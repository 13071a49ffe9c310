"""Telling servers that there is something to do, from whichever process made it so. Called by admin and the engine."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Protocol

from jobrunner.domain.clock import Clock, SystemClock
from jobrunner.domain.state import Ready
from jobrunner.queue.bell import ring
from jobrunner.store import listeners
from jobrunner.store.database import Database

_REMEMBERED_SECONDS = 0.05
"""How long who is to be woken is not asked again: a server that starts meanwhile looks by itself."""


class Broker(Protocol):
    """What is told of runs that a worker may take."""

    def announce(self, ready: Sequence[Ready]) -> None: ...


class Announcer:
    """Says that runs are queued, or that something else has changed, after the transaction that made it so.

    ``broker`` is None where the store itself is the broker. ``own`` is the address of the caller's own bell, which is
    not rung.
    """

    def __init__(
        self, db: Database, broker: Broker | None, *, own: str | None = None, clock: Clock | None = None
    ) -> None:
        self._db = db
        self._broker = broker
        self._own = own
        self._clock = clock or SystemClock()
        self._known: tuple[float, Sequence[str]] = (-math.inf, ())

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
            ring(self._others())

    def _others(self) -> Sequence[str]:
        asked, found = self._known
        now = self._clock.monotonic()
        if now - asked >= _REMEMBERED_SECONDS:
            found = [address for address in listeners.wakes(self._db) if address != self._own]
            self._known = (now, found)
        return found
