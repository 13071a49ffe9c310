"""How a run is to be created, beyond its job and parameters. Built by command line and client, read by admin."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class TriggerOptions:
    """What one trigger overrides of its job's definition; None leaves it as defined.

    At most one of ``at`` (aware) and ``delay`` is given. ``after`` holds ids of runs that must have succeeded first.
    """

    at: datetime | None = None
    delay: timedelta | None = None
    queue: str | None = None
    priority: int | None = None
    retries: int | None = None
    after: tuple[int, ...] = ()
