"""What a trigger is told beyond job and parameters, and what it gives back. Used by the command line, client and admin."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import NamedTuple


class TriggerOptions(NamedTuple):
    """What one trigger overrides of its job's definition; None leaves it as defined.

    At most one of ``at`` (aware) and ``delay`` is given. ``after`` holds ids of runs that must end with success first.
    """

    at: datetime | None = None
    delay: timedelta | None = None
    queue: str | None = None
    priority: int | None = None
    retries: int | None = None
    after: tuple[int, ...] = ()


class Triggered(NamedTuple):
    """The run that a trigger made, or (``existing``) the older one that ``unique`` gave back."""

    id: int
    job: str
    queue: str
    existing: bool


class BatchTriggered(NamedTuple):
    """The batch that ``trigger --each`` made, and how many runs it has."""

    id: int
    total: int
    queue: str
