"""What a process and all that it started use: processor time and memory."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import psutil

MIB = 1024 * 1024


class Family:
    """The processes that are there when it is made; one that goes counts for nothing."""

    def __init__(self, pid: int) -> None:
        first = psutil.Process(pid)
        self._before = {one: _of(_seconds, one) for one in (first, *first.children(recursive=True))}

    def processor(self) -> float:
        """Seconds of a processor since it was made, to the nanosecond where the kernel counts so."""
        return sum(max(_of(_seconds, one) - before, 0.0) for one, before in self._before.items())

    def memory(self) -> float:
        """MiB; what is shared is divided among those that share it."""
        return sum(_of(lambda one: one.memory_full_info().pss, one) for one in self._before) / MIB


def _of(figure: Callable[[psutil.Process], float], process: psutil.Process) -> float:
    try:
        return figure(process)
    except (psutil.NoSuchProcess, FileNotFoundError, ProcessLookupError):
        return 0.0


def _seconds(process: psutil.Process) -> float:
    threads = list(Path(f"/proc/{process.pid}/task").glob("*/schedstat"))
    if not threads:
        times = process.cpu_times()
        return times.user + times.system
    return sum(int(thread.read_text().split()[0]) for thread in threads) / 1e9
