"""Which runs a list is to hold. Built by the command line and the dashboard, read by admin and the store."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from jobrunner.domain.state import RunState


@dataclass(frozen=True, slots=True, kw_only=True)
class RunFilter:
    """All conditions hold at once; of several values of one, any.

    ``jobs`` and ``states`` empty: all. ``since`` (aware): created at or after it. ``limit`` 0: all of them.
    ``dead``: dead letters only. ``batch``: members of this batch only.
    """

    jobs: tuple[str, ...] = ()
    states: tuple[RunState, ...] = ()
    since: datetime | None = None
    limit: int = 50
    dead: bool = False
    batch: int | None = None
