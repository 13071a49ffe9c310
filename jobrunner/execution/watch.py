"""Follows one tree of processes from time to time: how much it needed at most, and whether it keeps to its limits.

The launcher has one for each attempt that it started; a server has one for each call in a warm child.
"""

from __future__ import annotations

import time
from collections.abc import Collection, Mapping
from typing import NamedTuple

from jobrunner.execution.measure import Usage, usage_of

OF_TREE = ("memory_max", "cpu_time", "processes")
"""The limits that are held by looking. ``open_files`` is of each process, and the system's matter."""

_SOON, _SELDOM = 0.02, 0.1
_FIRST, _LAST = 0.1, 10.0
_GROWING = 1 / 16
_SHARE = 8


class Exceeded(NamedTuple):
    """A limit of ``OF_TREE`` that was not kept: what it is, what was measured (bytes, seconds, number), in how many
    processes; 0 where that is not known."""

    limit: str
    most: float
    measured: float
    processes: int

    def __str__(self) -> str:
        from jobrunner.domain.size import format_size

        where = f" in {self.processes} process{'es' if self.processes > 1 else ''}" if self.processes else ""
        match self.limit:
            case "memory_max":
                return f"memory_max {format_size(self.most)} exceeded: {format_size(self.measured)}{where}"
            case "cpu_time":
                return f"cpu_time {self.most:g} s exceeded: {self.measured:.1f} s{where}"
            case _:
                return f"processes {self.most:g} exceeded: {self.processes or 'one more was refused'}"


class Watch:
    """``due`` is when to look again (monotonic clock), ``peak`` and ``cpu`` the most memory (bytes)
    and processor time (seconds) that was seen.

    Where there are limits it looks ten times a second, more often while the tree grows; else less and less often.
    """

    __slots__ = ("_begun", "_last", "cpu", "due", "limits", "pause", "peak")

    def __init__(self, limits: Mapping[str, float], now: float) -> None:
        self.limits = {name: limits[name] for name in OF_TREE if name in limits}
        self._begun = now
        self._last = Usage()
        self.pause = _SOON if self.limits else _FIRST
        self.due = now + self.pause
        self.peak = 0
        self.cpu = 0.0

    def look(
        self, pids: Collection[int], now: float, spent: float = 0.0, exact: float | None = None
    ) -> Exceeded | None:
        """Measures these processes. ``spent`` is the processor time of those who have ended and were nobody's children;
        ``exact`` is that of all, where the system knows it."""
        began = time.monotonic()
        usage = usage_of(pids, min(self.peak, self.limits.get("memory_max", self.peak)))
        usage = usage._replace(cpu=usage.cpu + spent if exact is None else exact)
        self.peak = max(self.peak, usage.memory)
        self.cpu = max(self.cpu, usage.cpu)
        self.pause = self._next_pause(usage, now)
        # A tree so large that looking is work in itself is looked at less often.
        self.due = now + max(self.pause, 10 * (time.monotonic() - began))
        self._last = usage
        return self._exceeded(usage)

    def _next_pause(self, usage: Usage, now: float) -> float:
        if not self.limits:
            return min(max(_FIRST, (now - self._begun) / _SHARE), _LAST)
        growing = (
            usage.memory - self._last.memory > self.limits.get("memory_max", usage.memory) * _GROWING
            or usage.processes - self._last.processes > self.limits.get("processes", usage.processes) * _GROWING
        )
        return _SOON if growing else min(self.pause * 2, _SELDOM)

    def _exceeded(self, usage: Usage) -> Exceeded | None:
        measured = (usage.memory, usage.cpu, usage.processes)
        for name, value in zip(OF_TREE, measured, strict=True):
            if name in self.limits and value > self.limits[name]:
                return Exceeded(name, self.limits[name], value, usage.processes)
        return None
