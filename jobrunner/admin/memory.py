"""What one who watches remembers from one look to the next, so that only what is new is asked again."""

from __future__ import annotations

from jobrunner.admin.statistics import LastDay
from jobrunner.admin.usual import Usual
from jobrunner.domain.clock import Clock
from jobrunner.domain.day import DAY
from jobrunner.store.runs.under_way import Since


class Memory:
    """Made when it is first needed, kept by the context."""

    def __init__(self, clock: Clock) -> None:
        self.usual = Usual(clock)
        self.failed_since = Since(DAY)
        self.day = LastDay()
