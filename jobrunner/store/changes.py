"""Noticing that something in the store has changed, without asking what. Called by whoever waits or follows."""

from __future__ import annotations

import time

from jobrunner.store.database import Database

_SHORTEST, _LONGEST = 0.003, 0.05
_ELSEWHERE = 0.05


class Changes:
    """Waits for commits of other processes. Belongs to one thread."""

    def __init__(self, db: Database) -> None:
        self._db = db
        self._pause = _SHORTEST
        self._version = self._now()

    def wait(self, seconds: float) -> None:
        """Returns soon after the next commit of another connection, and after ``seconds`` at the latest.

        SQLite tells by a counter that costs microseconds to read; elsewhere this only sleeps a little.
        """
        if self._db.dialect != "sqlite":
            time.sleep(min(seconds, _ELSEWHERE))
            return
        waited = 0.0
        while waited < seconds:
            version = self._now()
            if version != self._version:
                self._version, self._pause = version, _SHORTEST
                return
            time.sleep(min(self._pause, seconds - waited))
            waited += self._pause
            self._pause = min(self._pause * 1.3, _LONGEST)

    def _now(self) -> int:
        if self._db.dialect != "sqlite":
            return 0
        return int(self._db.execute("PRAGMA data_version").fetchone()[0])
