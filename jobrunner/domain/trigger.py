"""What a trigger is told beyond job and parameters, and what it gives back. Used by cli, client and admin."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import NamedTuple

from jobrunner.errors import NotFound, UsageError

LOWEST_PRIORITY, HIGHEST_PRIORITY = -100, 100
_MOST_RETRIES = 1_000_000
LONGEST_DELAY = timedelta(days=36_525)
_LARGEST_ID = 2**63 - 1


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

    def check(self) -> None:
        """Says what a program may have got wrong; a command line has read its words already.

        Raises:
            UsageError: a number or a time that is none, or is out of its bounds.
            NotFound: what cannot be the id of a run.
        """
        if self.at is not None and self.delay is not None:
            raise UsageError("a time and a delay exclude each other", hint="give one of them")
        if self.delay is not None and not timedelta(0) <= self.delay <= LONGEST_DELAY:
            raise UsageError(f"the delay {self.delay} is out of bounds", hint="from nothing to a hundred years")
        _check_number("priority", self.priority, LOWEST_PRIORITY, HIGHEST_PRIORITY)
        _check_number("retries", self.retries, 0, _MOST_RETRIES)
        for run_id in self.after:
            check_run_id(run_id)


def check_run_id(run_id: int) -> None:
    """Raises NotFound for a number that no store can hold, and so no run has."""
    if not 0 < run_id <= _LARGEST_ID:
        raise NotFound(f"no run {run_id}", hint="`jobrunner runs` lists them")


def _check_number(name: str, value: object, least: int, most: int) -> None:
    if value is None:
        return
    if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
        raise UsageError(f"{name} must be a whole number from {least} to {most}: {value!r:.40}")


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
