"""How a run is to be created, beyond its job and parameters. Built by command line and client, read by admin."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from jobrunner.domain.batch import Batch
    from jobrunner.domain.run import Run


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Triggered:
    """What ``trigger`` gives back: the run, whether ``unique`` gave an older one, and remarks for stderr."""

    run: Run
    existing: bool = False
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchTriggered:
    """What ``trigger --each`` gives back: the batch and remarks for stderr."""

    batch: Batch
    warnings: tuple[str, ...] = ()
