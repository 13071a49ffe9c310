"""What one run in a warm child has used, with the processes that it has started and that have ended."""

from __future__ import annotations

import os
import resource
import time
from typing import NamedTuple


class Reading(NamedTuple):
    """When it was taken, seconds of processor time, the most memory of this process and of any other below it (KiB)."""

    at: float
    cpu: float
    own: int
    below: int


class Meter:
    """Of the process that makes it."""

    __slots__ = ("_peak_reset", "largest")

    def __init__(self) -> None:
        self.largest = 0
        try:
            self._peak_reset: int | None = os.open("/proc/self/clear_refs", os.O_WRONLY | os.O_CLOEXEC)
        except OSError:
            self._peak_reset = None

    def begin(self) -> Reading:
        """A run begins: the system measures this process's peak anew, where it can (Linux)."""
        if self._peak_reset is not None:
            self.largest = max(self.largest, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
            try:
                os.write(self._peak_reset, b"5")
            except OSError:
                self._peak_reset = None
        return _read()

    def end(self, begun: Reading) -> tuple[float, float, int, int]:
        """Seconds that the run took, and of processor time; its peak memory in KiB, 0 where that is not known; and that
        of the child's life.

        A peak that could not be measured anew tells of this run only where this run has raised it.
        """
        now = _read()
        self.largest = max(self.largest, now.own)
        own = now.own if self._peak_reset is not None or now.own > begun.own else 0
        below = now.below if now.below > begun.below else 0
        return now.at - begun.at, now.cpu - begun.cpu, max(own, below), self.largest


def _read() -> Reading:
    own, below = resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = own.ru_utime + own.ru_stime + below.ru_utime + below.ru_stime
    return Reading(time.monotonic(), cpu, own.ru_maxrss, below.ru_maxrss)
