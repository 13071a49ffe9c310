"""A backfill as a value: the fire times of a past window, which of them have a run, and the batch of the others."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from jobrunner.domain.state import RunState

MOST_FIRES = 10_000
"""Fire times that one backfill may ask for."""


class Answered(NamedTuple):
    """A fire time that has a run."""

    at: datetime
    run: int
    state: RunState


class Backfill(NamedTuple):
    """``since <= fire time < until`` of a job. ``missing`` are those without a run, ``answered`` the others.

    ``batch`` has the runs of the missing ones; it is None where nothing was created.
    """

    job: str
    since: datetime
    until: datetime
    missing: tuple[datetime, ...]
    answered: tuple[Answered, ...]
    queue: str
    batch: int | None = None

    @property
    def fires(self) -> int:
        """How many fire times the window has."""
        return len(self.missing) + len(self.answered)
