"""That something in the store has changed, for a thread that does nothing else but look. Called by admin.

SQLite counts the commits of others, which costs microseconds to read. A PostgreSQL store says what servers are told,
and of the rest shows that transactions have begun and ended.
"""

from __future__ import annotations

import os
import select
import time

from jobrunner.errors import StoreUnavailable
from jobrunner.store.database import Database

_LOOK_SECONDS = {"sqlite": 0.25, "postgresql": 1.0}
_COUNTER = {"sqlite": "PRAGMA data_version", "postgresql": "SELECT CAST(txid_current_snapshot() AS TEXT)"}


class ChangeSignal:
    """Waits for commits of others. ``wait`` belongs to one thread; ``poke`` may be called from any."""

    def __init__(self, db: Database) -> None:
        self._db = db
        self._poked, self._poke = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        self._seen: object = None
        self._listening: object = None

    def poke(self) -> None:
        """Ends the wait that is under way, or the next one, at once."""
        try:
            os.write(self._poke, b"!")
        except OSError:
            pass  # it is full of pokes, or closed

    def wait(self, seconds: float) -> bool:
        """Whether somebody has committed something since the last time; False after ``seconds``, or when poked.

        The first time, and after the store was away, it says so at once.

        Raises:
            StoreUnavailable: the store is away; to be called again.
        """
        deadline = time.monotonic() + seconds
        try:
            while not self._changed():
                left = deadline - time.monotonic()
                if left <= 0 or self._pause(min(left, _LOOK_SECONDS[self._db.dialect])):
                    return False
            return True
        except StoreUnavailable:
            self._seen = self._listening = None
            raise

    def close(self) -> None:
        """Gives back what it holds; not while another thread pokes."""
        os.close(self._poked)
        os.close(self._poke)

    def _changed(self) -> bool:
        now = self._db.execute(_COUNTER[self._db.dialect]).fetchone()[0]
        before, self._seen = self._seen, now
        return bool(now != before)

    def _pause(self, seconds: float) -> bool:
        """Waits a little; whether it was poked."""
        ready, _, _ = select.select([self._poked, *self._notified()], [], [], seconds)
        if self._poked in ready:
            os.read(self._poked, 4096)
            return True
        if ready:
            self._take()
        return False

    def _notified(self) -> list[int]:
        if self._db.dialect != "postgresql":
            return []
        from jobrunner.store.notifications import Notifications

        if not isinstance(self._listening, Notifications):
            self._listening = Notifications(self._db)
        return [self._listening.fileno()]

    def _take(self) -> None:
        from jobrunner.store.notifications import Notifications

        assert isinstance(self._listening, Notifications)
        self._listening.take()
