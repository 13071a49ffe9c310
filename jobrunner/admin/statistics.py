"""Statistics of the last day, kept from one look to the next."""

from __future__ import annotations

import threading
from datetime import datetime

from jobrunner.domain.clock import from_micros
from jobrunner.domain.day import DAY, MOST, Day, Recent
from jobrunner.store.database import Database
from jobrunner.store.runs import recent
from jobrunner.store.runs.pages import extent
from jobrunner.store.runs.under_way import Since


class LastDay:
    """What has been read of the runs of the last day. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._since = Since(DAY)
        self._recent: Recent | None = None
        self._newest = 0
        self._from: datetime | None = None

    def look(self, db: Database, now: datetime, buckets: int) -> Day:
        """Reads what is new, and what has ended since the last look."""
        with self._lock, db.snapshot():
            _, newest = extent(db)
            if self._recent is None or newest < self._newest:
                self._begin(db, now, newest)
            else:
                self._go_on(db, newest)
            assert self._recent is not None
            self._newest = newest
            return self._recent.look(now, max(now - DAY, self._from or now - DAY), buckets)

    def _begin(self, db: Database, now: datetime, newest: int) -> None:
        first = self._since.first(db, now)
        cut = max(first, newest - MOST + 1)
        at = recent.created_at(db, cut) if cut > first else None
        self._from = from_micros(at) if at is not None else None
        self._recent = Recent()
        self._recent.begin(recent.succeeded(db, cut - 1, newest), recent.others(db, cut - 1, newest))
        self._recent.unended |= recent.unended(db)

    def _go_on(self, db: Database, newest: int) -> None:
        known = self._recent
        assert known is not None
        unended = recent.unended(db)
        known.reopened(unended)
        known.add(recent.some(db, known.unended - unended))
        known.unended &= unended
        known.add(recent.rows(db, self._newest, newest))
