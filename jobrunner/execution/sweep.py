"""Finds and ends processes that outlived what started them. Used by guard, launcher, warm children and the server.

Linux tells all of it in /proc; elsewhere only process groups are ended.
"""

from __future__ import annotations

import os
import signal
import sys
import time

MARKER = "JOBRUNNER_PROCESS"
"""The variable that all processes of a server carry: its mark, the number of the launcher, the number of the start."""

HAS_PROC = sys.platform == "linux" and os.path.exists("/proc/self/stat")
_SET_PDEATHSIG = 1
_SET_CHILD_SUBREAPER = 36


class Stat:
    """What /proc says of a process: its state letter, group, session, start in clock ticks since boot, pages in memory,
    and clock ticks of processor time with those of children that it has waited for."""

    __slots__ = ("group", "parent", "resident", "session", "start", "state", "ticks")

    def __init__(self, fields: list[bytes]) -> None:
        self.state = fields[0].decode()
        self.parent = int(fields[1])
        self.group = int(fields[2])
        self.session = int(fields[3])
        self.ticks = sum(map(int, fields[11:15]))
        self.start = int(fields[19])
        self.resident = int(fields[21])


def become_subreaper() -> bool:
    """Makes orphans below this process its own children; False where the system cannot."""
    return _prctl(_SET_CHILD_SUBREAPER, 1)


def die_with_parent() -> None:
    """Has this process killed when the thread that started it ends. Only for children of single-threaded parents."""
    parent = os.getppid()
    if _prctl(_SET_PDEATHSIG, signal.SIGKILL) and os.getppid() != parent:
        os._exit(1)


def children(*, one_thread: bool = False) -> list[int]:
    """The children of this process, those that are dead and not yet waited for included.

    ``one_thread``: it has no other, so that nobody needs to look which there are.
    """
    return children_of(os.getpid(), one_thread=one_thread)


def children_of(pid: int, *, one_thread: bool = False) -> list[int]:
    """The children of any process; none where it is gone."""
    if not HAS_PROC:
        return _children_by_psutil(pid)
    found: list[int] = []
    try:
        for thread in (pid,) if one_thread else os.listdir(f"/proc/{pid}/task"):
            found += map(int, read(f"/proc/{pid}/task/{thread}/children").split())
    except FileNotFoundError:
        return found if not os.path.exists(f"/proc/{pid}/stat") else _children_by_stat(pid)
    except OSError:
        pass
    return found


def descendants_of(pid: int) -> list[int]:
    """Everything below a process, without itself."""
    found: list[int] = []
    ahead = children_of(pid)
    while ahead:
        found += ahead
        ahead = [below for child in ahead for below in children_of(child)]
    return found


def stat_of(pid: int) -> Stat | None:
    """None where the process is gone, and where the system has no /proc."""
    try:
        text = read(f"/proc/{pid}/stat")
    except OSError:
        return None
    return Stat(text[text.rindex(b")") + 2 :].split())


def is_dead(pid: int) -> bool:
    """Whether no process has this pid, or one that has ended and is not waited for yet."""
    if HAS_PROC:
        stat = stat_of(pid)
        return stat is None or stat.state in "ZX"
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        pass
    return False


def marker_of(pid: int) -> str | None:
    """The marker in the environment that a process was started with; None without one, or where it may not be read."""
    try:
        environ = b"\0" + read(f"/proc/{pid}/environ")
    except OSError:
        return None
    at = environ.find(b"\0" + MARKER.encode() + b"=")
    return None if at < 0 else environ[at + 2 + len(MARKER) :].split(b"\0", 1)[0].decode(errors="replace")


def kill_with_group(pid: int) -> None:
    """SIGKILL to a child of ours and to the group it is in, unless that is our own.

    The group cannot be somebody else's by now, since nobody but us can wait for the child.
    """
    stat = stat_of(pid)
    group = stat.group if stat else 0
    try:
        if group > 1 and group != os.getpgrp():
            os.killpg(group, signal.SIGKILL)
        os.kill(pid, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):
        pass


def end_children(patience: float = 10.0) -> int:
    """Kills everything below this process, generation by generation, and gives back how many were alive.

    What cannot be killed (another user's, or stuck in the kernel) is left alone after ``patience`` seconds.
    """
    ended: set[int] = set()
    give_up = time.monotonic() + patience
    while reap_all():
        for pid in children():
            stat = stat_of(pid)
            if stat is None or stat.state != "Z":
                ended.add(pid)
                kill_with_group(pid)
        if time.monotonic() > give_up:
            break
        time.sleep(0.0005)
    return len(ended)


def reap_all() -> bool:
    """Takes leave of dead children; False when this process has no child left, dead or alive."""
    try:
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
    except ChildProcessError:
        return False
    return True


def _children_by_stat(pid: int) -> list[int]:
    """For kernels without /proc/PID/task/TID/children."""
    stats = ((other, stat_of(other)) for other in map(int, filter(str.isdecimal, os.listdir("/proc"))))
    return [other for other, stat in stats if stat and stat.parent == pid]


def _children_by_psutil(pid: int) -> list[int]:
    import psutil

    try:
        return [child.pid for child in psutil.Process(pid).children()]
    except psutil.Error:
        return []


def read(path: str) -> bytes:
    """A file of /proc whole.

    Raises:
        OSError: the process is gone, or another user's.
    """
    fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        parts = []
        while part := os.read(fd, 65536):
            parts.append(part)
        return b"".join(parts)
    finally:
        os.close(fd)


def _prctl(option: int, value: int) -> bool:
    if sys.platform != "linux":
        return False
    import ctypes

    try:
        return bool(ctypes.CDLL(None).prctl(option, value, 0, 0, 0) == 0)
    except (OSError, AttributeError):
        return False
