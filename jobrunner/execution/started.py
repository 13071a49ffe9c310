"""A process that the server has asked for, and what the launcher knows of it and of what it has started itself."""

from __future__ import annotations

import math
import os
import resource
import time
from collections.abc import Callable

from jobrunner.execution.cgroup import Group
from jobrunner.execution.watch import Exceeded, Watch

MAXRSS_UNIT = 1 if os.uname().sysname == "Darwin" else 1024


class Started:
    """Not a value: it lives along with its process. ``status`` is the pipe on which the server hears of it."""

    __slots__ = (
        "asked", "began", "ended", "exceeded", "gentle", "give_up", "group", "id", "left", "others_cpu", "others_peak",
        "pid", "said", "status", "termed", "ticks", "warm", "watch",
    )  # fmt: skip

    def __init__(
        self, number: int, pid: int, status: int, *, warm: bool, ticks: int, group: Group | None, watch: Watch | None
    ) -> None:
        self.id = number
        self.pid = pid
        self.status = status
        self.warm = warm
        self.ticks = ticks  # when it was started, in clock ticks since boot
        self.began = time.monotonic()
        self.group = group
        self.watch = watch
        self.ended: tuple[int, resource.struct_rusage] | None = None
        self.asked = 0  # when SIGTERM was first sent, in clock ticks since boot
        self.gentle = False  # SIGTERM was sent: what is left has its time until SIGKILL is asked for
        self.give_up = math.inf
        self.left: set[int] = set()
        self.termed: set[int] = set()
        self.exceeded = False
        self.said = False  # the server knows that it was started
        self.others_cpu = 0.0  # of orphans that have ended
        self.others_peak = 0

    def add(self, usage: resource.struct_rusage) -> None:
        """Counts an orphan of it that has ended."""
        self.others_cpu += usage.ru_utime + usage.ru_stime
        self.others_peak = max(self.others_peak, usage.ru_maxrss * MAXRSS_UNIT)

    def say(self) -> None:
        """Tells the server that it was started."""
        if not self.said:
            self.said = True
            report(self.status, f"started {self.pid}")

    def exceed(self, found: Exceeded) -> None:
        """Tells the server, once, that a limit was not kept."""
        if not self.exceeded:
            self.exceeded = True
            self.say()
            report(self.status, f"exceeded {found.limit} {found.most:.6f} {found.measured:.6f} {found.processes}")

    def report_end(self, release: Callable[[Group], None]) -> None:
        """Tells the server how it ended and what all of it together has used, and closes the pipe. ``release`` is
        given its cgroup before that."""
        assert self.ended is not None
        status, usage = self.ended
        memory = max(usage.ru_maxrss * MAXRSS_UNIT, self.others_peak, self.watch.peak if self.watch else 0)
        cpu = max(usage.ru_utime + usage.ru_stime + self.others_cpu, self.watch.cpu if self.watch else 0.0)
        if self.group is not None:
            memory = self.group.peak_memory() or memory
            if self.left:  # who was killed below another one that was killed is in nobody's sum
                cpu = max(cpu, self.group.processor_time() or 0.0)
            refused = self.group.refused()
            if refused is not None and self.watch is not None and refused in self.watch.limits:
                self.exceed(Exceeded(refused, self.watch.limits[refused], memory if refused == "memory_max" else 0, 0))
            release(self.group)
        lines = [] if self.said else [f"started {self.pid}"]
        took = time.monotonic() - self.began
        report(self.status, *lines, f"exited {status} {len(self.left)} {memory} {cpu:.6f} {took:.6f}")
        os.close(self.status)


def report(status: int, *lines: str) -> None:
    """Lines to the server, which may be gone."""
    said = (line.replace("\n", " ").encode(errors="backslashreplace")[:2000] + b"\n" for line in lines)
    try:
        os.write(status, b"".join(said))
    except OSError:
        pass
