"""What one who watches remembers from one look to the next, so that only what is new is asked again."""

from __future__ import annotations

from datetime import timedelta

from jobrunner.admin.usual import Usual
from jobrunner.domain.clock import Clock
from jobrunner.store.runs.under_way import Since

_DAY = timedelta(days=1)


class Memory:
    """Made when it is first needed, kept by the context."""

    def __init__(self, clock: Clock) -> None:
        self.usual = Usual(clock)
        self.day = Since(_DAY)
