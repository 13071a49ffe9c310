"""Removing what is kept no longer, in a thread of its own that reads; the engine removes, a little at a time.

Called by the server. One server of a store does it at a time, once an hour: a mark in the store says when it was last
done, or gone on with. After each part so long is paused that a busy store hardly feels it.
"""

from __future__ import annotations

import logging
import threading
from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta

from jobrunner.domain.clock import Clock
from jobrunner.domain.retention import Retention
from jobrunner.domain.state import Ready
from jobrunner.errors import StoreUnavailable
from jobrunner.queue.engine import Engine
from jobrunner.store import retention
from jobrunner.store.database import Database
from jobrunner.store.retention import BATCHES, Due

log = logging.getLogger("jobrunner.server")

_EVERY = timedelta(hours=1)
_GONE_ON = timedelta(minutes=2)
"""How old the mark of a walk gets at most, so that its rules may be changed without two servers walking."""

_LOOK_SECONDS = 60.0
_PAUSES = 15
"""How many times as long as a part took is paused after it."""


class RetentionThread:
    """Removes by the rules in force. ``apply`` and ``stop`` are for any thread."""

    def __init__(self, db: Database, engine: Engine, rules: Retention, clock: Clock) -> None:
        self._db = db
        self._engine = engine
        self._rules = rules
        self._clock = clock
        self._changed = False
        self._mark: datetime | None = None
        self._lock = threading.Lock()
        self._stopped = False
        self._wake = threading.Event()
        self._thread = threading.Thread(target=self._run, name="retention", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def apply(self, rules: Retention) -> None:
        """From now on these rules count, also for a walk that is under way; changed ones are walked by at once."""
        with self._lock:
            told = (rules.ages, rules.most) != (self._rules.ages, self._rules.most)
            self._rules, self._changed = rules, self._changed or told
        if told:
            self._wake.set()

    def stop(self) -> None:
        """Nothing is handed to the engine any more; does not wait for the thread."""
        with self._lock:
            self._stopped = True
        self._wake.set()

    def _run(self) -> None:
        while not self._stopped:
            try:
                if self._may_walk():
                    self._walk()
            except StoreUnavailable as error:
                log.debug("%s", error)  # the engine says so
            except Exception:
                log.exception("fault in the retention")
            self._wait(_LOOK_SECONDS)
        self._db.close()

    def _may_walk(self) -> bool:
        with self._lock:
            changed, self._changed = self._changed, False
        now = self._clock.now()
        # The mark is written without the engine: it is tiny, and the answer is waited for.
        if retention.take(self._db, now, _GONE_ON if changed else _EVERY):
            self._mark = now
            return True
        with self._lock:
            self._changed = self._changed or changed
        return False

    def _walk(self) -> None:
        began, removed = self._clock.monotonic(), Counter[str]()
        try:
            asked = began
            for part in retention.due(self._db, lambda: self._rules, self._clock.now):
                if self._stopped or not self._goes_on():
                    return
                if part.counts:
                    removed += self._remove(part)
                self._wait((self._clock.monotonic() - asked) * _PAUSES)
                asked = self._clock.monotonic()
        finally:
            if removed:
                seconds = round(self._clock.monotonic() - began, 1)
                log.info("removed what is kept no longer", extra={**words(removed), "seconds": seconds})

    def _goes_on(self) -> bool:
        now = self._clock.now()
        if self._mark is None or now - self._mark >= _GONE_ON / 4:
            if self._mark is None or not retention.go_on(self._db, self._mark, now):
                return False
            self._mark = now
        return True

    def _remove(self, part: Due) -> Counter[str]:
        removed = Counter[str]()
        done = threading.Event()

        def remove(db: Database) -> Sequence[Ready]:
            nonlocal removed
            removed = part.remove(db)
            return ()

        def given_up(db: Database) -> Sequence[Ready]:
            nonlocal removed
            removed = Counter()
            done.set()
            return ()

        with self._lock:
            if self._stopped:
                return removed
            self._engine.submit(remove, committed=done.set, instead=given_up)
        while not done.wait(1.0) and not self._stopped:
            pass
        return removed if done.is_set() else Counter()

    def _wait(self, seconds: float) -> None:
        """Not at all when it is told to stop; between two walks also no longer when the rules have changed."""
        if not self._stopped:
            self._wake.wait(seconds)
            if not self._stopped:
                self._wake.clear()


def words(removed: Counter[str]) -> dict[str, int]:
    """What was removed, by the names that a line of the log, or JSON, has for it."""
    runs = {state: count for state, count in sorted(removed.items()) if state != BATCHES}
    return {"runs": sum(runs.values()), **runs, BATCHES: removed[BATCHES]}
