"""What a tree of processes uses now: memory, processor time, number. Read from /proc (Linux) by launcher and server."""

from __future__ import annotations

import os
from collections.abc import Collection
from typing import NamedTuple

from jobrunner.execution import sweep

_PAGE = os.sysconf("SC_PAGE_SIZE")
_TICK = 1 / os.sysconf("SC_CLK_TCK")


class Usage(NamedTuple):
    """``memory`` in bytes, ``cpu`` in seconds with that of children who have ended, and how many live."""

    memory: int = 0
    cpu: float = 0.0
    processes: int = 0


def usage_of(pids: Collection[int], floor: float = 0) -> Usage:
    """The sum over some processes.

    Memory is resident memory, in which pages that several of them share are counted once only where it would
    otherwise be above ``floor``: to count them exactly costs the system a walk through all of it.
    """
    stats = [stat for pid in pids if (stat := sweep.stat_of(pid)) is not None and stat.state not in "ZX"]
    memory = sum(stat.resident for stat in stats) * _PAGE
    if len(stats) > 1 and memory > floor:
        memory = min(memory, sum(map(_share, pids)))
    return Usage(memory, sum(stat.ticks for stat in stats) * _TICK, len(stats))


def _share(pid: int) -> int:
    """The memory of a process, what it shares divided by those who share it; all of it where we may not know."""
    try:
        text = sweep.read(f"/proc/{pid}/smaps_rollup")
    except OSError:
        stat = sweep.stat_of(pid)
        return stat.resident * _PAGE if stat is not None else 0
    for line in text.splitlines():
        if line.startswith(b"Pss:"):
            return int(line.split()[1]) * 1024
    return 0
