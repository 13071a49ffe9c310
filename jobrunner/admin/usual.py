"""How long runs of jobs usually take, measured when it is first asked for and kept for minutes. Asked at every look.

To measure a job takes half a millisecond, or several where its runs are read for the first time: when many are new,
some are left for the next look.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable
from typing import TYPE_CHECKING

from jobrunner.domain.clock import Clock

if TYPE_CHECKING:
    from jobrunner.domain.estimate import Estimate
    from jobrunner.store import Database

_KEPT_SECONDS = 300.0
_SPENT_SECONDS = 0.02


class Usual:
    """What was measured. Thread-safe."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._known: dict[str, tuple[float, Estimate | None]] = {}

    def of(self, db: Database, jobs: Iterable[str]) -> dict[str, Estimate]:
        """How long runs of these jobs take; left out are those without history, and some that are measured later."""
        from jobrunner.domain.estimate import Basis, Estimate
        from jobrunner.store import durations

        now = self._clock.monotonic()
        asked = list(dict.fromkeys(jobs))
        with self._lock:
            old = [job for job in asked if self._known.get(job, (0.0, None))[0] <= now]
        # The unknown ones first, then those that were measured longest ago.
        old.sort(key=lambda job: self._known[job][0] if job in self._known else 0.0)
        for job in old:
            known = durations.measured(db, [job]).get(job)
            estimate = known and Estimate(median=known.median, p95=known.p95, basis=Basis.HISTORY, runs=known.attempts)
            with self._lock:
                self._known[job] = (now + _KEPT_SECONDS, estimate)
            if self._clock.monotonic() - now > _SPENT_SECONDS:
                break
        with self._lock:
            found = {job: self._known[job][1] for job in asked if job in self._known}
        return {job: estimate for job, estimate in found.items() if estimate is not None}
