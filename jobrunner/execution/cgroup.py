"""A cgroup (version 2) for each attempt, where we may make one: nothing leaves it, and one write kills all in it.

The server finds the place when it starts (``find``), the launcher makes the groups, the guard removes them. Where it
cannot be used, sessions, parentage and marks do the same work; ``Place.words`` says which it is, and why.
"""

from __future__ import annotations

import errno
import os
import time
from collections.abc import Callable
from functools import cache
from typing import NamedTuple, cast

from jobrunner.execution import sweep

_LEAF = "jobrunner-server"
_WANTED = ("memory", "pids")
_PATIENCE = 5.0
_STAT_BYTES = 4096
_CLONE3, _CLONE_INTO_CGROUP, _SIGCHLD = 435, 0x200000000, 17


class CannotJoin(Exception):
    """The system starts no process in a cgroup, though it lets us make one."""


class Place(NamedTuple):
    """Where the groups of one server's attempts are: ``folder``, or None and ``why`` there are none.

    ``limits`` are the controllers by which the system itself holds the limits of an attempt, of memory and pids.
    """

    folder: str | None
    limits: tuple[str, ...] = ()
    why: str = ""

    @property
    def words(self) -> str:
        """For people: what keeps the processes of an attempt together."""
        if self.folder is None:
            return f"no cgroups: {self.why}"
        held = f", which holds the limits of {' and '.join(self.limits)}" if self.limits else ""
        return f"a cgroup for each attempt{held}, below {os.path.dirname(self.folder)}"


def find(mark: str) -> Place:
    """Makes the group of a server below the one that this process is in. Called by the server before it has children.

    Controllers are asked for only where nobody else is in our group: this process then moves to a leaf beside the
    attempts, since a group with processes of its own may not hand controllers down.
    """
    own = own_group()
    if own is None:
        return Place(None, why="there is no cgroup2 file system here")
    base = os.path.dirname(own) if os.path.basename(own) == _LEAF else own
    folder = os.path.join(base, name_for(mark))
    try:
        os.mkdir(folder, 0o755)
    except OSError as error:
        return Place(None, why=f"{base} cannot be written ({os.strerror(error.errno or 0).lower()})")
    if not os.path.exists(os.path.join(folder, "cgroup.kill")):
        os.rmdir(folder)
        return Place(None, why="the system knows no cgroup.kill (Linux 5.14)")
    return Place(folder, _hand_down(own, base, folder))


def leave(place: Place, token: str, server: int) -> None:
    """Ends what is left in the groups that one launcher has made, and removes them; with the place itself, where the
    process ``server``, whose it is, is dead. Called at the end of launcher and guard, and by the server."""
    serial = token.rpartition(".")[2]
    for folder in _below(place.folder):
        if os.path.basename(folder).startswith(f"{serial}."):
            _end(folder)
    if sweep.is_dead(server):
        close(place)


def close(place: Place) -> None:
    """Removes the group of a server, and ends what is left in it."""
    if place.folder is not None:
        _end(place.folder)


def end(folder: str, mark: str) -> int:
    """Ends all in the group of a dead server, and removes it; gives how many there were. What is not named after its
    mark is not touched: the path comes from a store."""
    return _end(folder) if os.path.basename(folder) == name_for(mark) else 0


def _end(folder: str) -> int:
    if not os.path.exists(os.path.join(folder, "cgroup.kill")):
        return 0
    found = len(_all_processes(folder))
    give_up = time.monotonic() + _PATIENCE
    _write(folder, "cgroup.kill", "1")
    while "populated 1" in _read(folder, "cgroup.events") and time.monotonic() < give_up:
        time.sleep(0.002)
    _remove(folder)
    return found


class Group:
    """The group of one attempt, or of several that come one after another."""

    __slots__ = ("_controllers", "_events", "_home", "_processes", "_spent", "_stat", "path")

    def __init__(self, place: Place, name: str, limits: dict[str, float], home: int | None = None) -> None:
        """Makes it, with the limits that the system holds by itself.

        ``home`` is the way back to our own group, where ``inside`` shall be used instead of ``fork``.

        Raises:
            OSError: it cannot be made.
        """
        assert place.folder is not None
        self.path = f"{place.folder}/{name}"
        self._controllers = place.limits
        self._processes = self._events = self._stat = -1
        self._spent = 0.0
        os.mkdir(self.path, 0o755)
        # Who goes in to start somebody there counts against the limits meanwhile.
        self._home = None if place.limits and limits else home
        if "memory" in place.limits and "memory_max" in limits:
            _write(self.path, "memory.max", str(int(limits["memory_max"])))
            _write(self.path, "memory.swap.max", "0")
            _write(self.path, "memory.oom.group", "1")
        if "pids" in place.limits and "processes" in limits:
            _write(self.path, "pids.max", str(int(limits["processes"])))

    @property
    def name(self) -> str:
        return os.path.basename(self.path)

    @property
    def lets_in(self) -> bool:
        """Whether ``inside`` is to be used."""
        return self._home is not None

    def inside(self, start: Callable[[], int]) -> int:
        """What ``start`` gives, which is called with this process, of a single thread, in the group.

        As one of many it costs next to nothing. Who has not moved for some hundredths of a second, nor anybody else,
        waits as long for all processors: then ``fork`` is better, which costs a millisecond each time.

        Raises:
            CannotJoin: the system refuses.
            SystemExit: this process cannot leave it again, and would be ended with it.
        """
        assert self._home is not None
        if self._processes < 0 and not self._open():
            raise CannotJoin("it cannot be entered")
        if not _written(self._processes, "0"):
            raise CannotJoin("it cannot be entered")
        try:
            return start()
        finally:
            if not _written(self._home, "0"):
                raise SystemExit("the launcher cannot go back to its own cgroup")

    def use_again(self) -> bool:
        """Begins the account of another attempt. False, and nothing done, where something is left in it, or the system
        has counted in it what cannot be told apart."""
        if self._processes < 0 or self._controllers:
            return False
        try:
            if b"populated 0" not in os.pread(self._events, _STAT_BYTES, 0):  # nor in groups below it
                return False
            spent = _seconds(_numbers(os.pread(self._stat, _STAT_BYTES, 0).decode()).get("usage_usec"))
        except OSError:
            return False
        self._spent = spent or 0.0
        return True

    def fork(self) -> int:
        """As ``os.fork``, with the child in the group from its first instruction. For processes of a single thread.

        Raises:
            CannotJoin: the system refuses.
        """
        place = os.open(self.path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            pid = _clone_into(place)
        except OSError as error:
            if error.errno in (errno.EAGAIN, errno.ENOMEM):
                raise
            raise CannotJoin(os.strerror(error.errno or 0)) from None
        if pid:
            os.close(place)
        return pid

    def kill(self) -> None:
        """SIGKILL to all in it, at once."""
        _write(self.path, "cgroup.kill", "1")

    def processes(self) -> set[int]:
        """All that are in it now."""
        return set(map(int, _all_processes(self.path)))

    def processor_time(self) -> float | None:
        """Seconds of all that was in it for this attempt."""
        seconds = _seconds(_numbers(_read(self.path, "cpu.stat")).get("usage_usec"))
        return None if seconds is None else seconds - self._spent

    def peak_memory(self) -> int | None:
        """Bytes, with the system's caches of its files; None where the system does not count them."""
        text = _read(self.path, "memory.peak").strip() if "memory" in self._controllers else ""
        return int(text) if text.isdecimal() else None

    def refused(self) -> str | None:
        """Which limit the system has held by force: ``memory_max`` or ``processes``."""
        if "memory" in self._controllers and _numbers(_read(self.path, "memory.events")).get("oom_kill"):
            return "memory_max"
        if "pids" in self._controllers and _numbers(_read(self.path, "pids.events")).get("max"):
            return "processes"
        return None

    def remove(self) -> bool:
        """False where something is left in it still."""
        if not _remove(self.path):
            return False
        for fd in (self._processes, self._events, self._stat):
            if fd >= 0:
                os.close(fd)
        self._processes = self._events = self._stat = -1
        return True

    def _open(self) -> bool:
        try:
            self._processes = os.open(f"{self.path}/cgroup.procs", os.O_WRONLY | os.O_CLOEXEC)
            self._events = os.open(f"{self.path}/cgroup.events", os.O_RDONLY | os.O_CLOEXEC)
            self._stat = os.open(f"{self.path}/cpu.stat", os.O_RDONLY | os.O_CLOEXEC)
        except OSError:
            return False
        return True


def way_home() -> int | None:
    """A descriptor by which this process comes back to the group that it is in now; None where it cannot."""
    own = own_group()
    try:
        return None if own is None else os.open(os.path.join(own, "cgroup.procs"), os.O_WRONLY | os.O_CLOEXEC)
    except OSError:
        return None


def own_group() -> str | None:
    """The folder of the cgroup that this process is in; None where it sees none."""
    path = _group_path(os.getpid())
    if path is None or path.startswith("/.."):
        return None
    for line in _read("/proc/self", "mountinfo").splitlines():
        fields, _, kind = line.partition(" - ")
        if kind.startswith("cgroup2 "):
            root, mount = (_unescaped(field) for field in fields.split()[3:5])
            below = os.path.relpath(path, root)
            if not below.startswith(".."):
                return os.path.normpath(os.path.join(mount, below))
    return None


def name_for(mark: str) -> str:
    """What a server calls its cgroup and its temporary folders, for all to see: with a part of its mark only."""
    return f"jobrunner-{mark[:8]}"


def name_of(pid: int, place: Place) -> str | None:
    """The name of the group of this place that a process is in."""
    if place.folder is None:
        return None
    path = _group_path(pid)
    _, found, tail = (path or "").partition(f"/{os.path.basename(place.folder)}/")
    return tail.split("/", 1)[0] if found else None


def _clone_into(place: int) -> int:
    import ctypes

    # flags, pidfd, child_tid, parent_tid, exit_signal, stack, stack_size, tls, set_tid, set_tid_size, cgroup
    how = (ctypes.c_uint64 * 11)(_CLONE_INTO_CGROUP, 0, 0, 0, _SIGCHLD, 0, 0, 0, 0, 0, place)
    pid = _syscall()(ctypes.c_long(_CLONE3), how, ctypes.c_size_t(ctypes.sizeof(how)))
    if pid < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return int(pid)


@cache
def _syscall() -> Callable[..., int]:
    import ctypes

    # PyDLL keeps the interpreter's lock, so that the child of a clone has it, too.
    function = ctypes.PyDLL(None, use_errno=True).syscall
    function.restype = ctypes.c_long
    return cast("Callable[..., int]", function)


def _group_path(pid: int) -> str | None:
    for line in _read(f"/proc/{pid}", "cgroup").splitlines():
        if line.startswith("0::"):
            return line[3:]
    return None


def _hand_down(own: str, base: str, folder: str) -> tuple[str, ...]:
    """The controllers that are in force for attempts now."""
    there = _read(base, "cgroup.controllers").split()
    wanted = [name for name in _WANTED if name in there]
    if not wanted:
        return ()
    enabled = _read(base, "cgroup.subtree_control").split()
    if not set(wanted) <= set(enabled):
        if own != base or _read(base, "cgroup.procs").split() != [str(os.getpid())]:
            return ()
        leaf = os.path.join(base, _LEAF)
        if not os.path.isdir(leaf):
            _make(leaf)
        if not _write(leaf, "cgroup.procs", "0"):
            return ()
    on = " ".join(f"+{name}" for name in wanted)
    if not (set(wanted) <= set(enabled) or _write(base, "cgroup.subtree_control", on)):
        return ()
    return tuple(wanted) if _write(folder, "cgroup.subtree_control", on) else ()


def _make(folder: str) -> None:
    try:
        os.mkdir(folder, 0o755)
    except OSError:
        pass


def _remove(folder: str) -> bool:
    """With the groups below it, which are rare, and costly to look for."""
    if _rmdir(folder):
        return True
    for place, _, _ in os.walk(folder, topdown=False):
        _rmdir(place)
    return not os.path.isdir(folder)


def _rmdir(folder: str) -> bool:
    try:
        os.rmdir(folder)
    except FileNotFoundError:
        return True
    except OSError:
        return False
    return True


def _below(folder: str | None) -> list[str]:
    try:
        return [entry.path for entry in os.scandir(folder) if entry.is_dir()] if folder is not None else []
    except OSError:
        return []


def _all_processes(folder: str) -> list[str]:
    return [pid for place, _, _ in os.walk(folder) for pid in _read(place, "cgroup.procs").split()]


def _numbers(text: str) -> dict[str, int]:
    pairs = (line.split() for line in text.splitlines())
    return {pair[0]: int(pair[1]) for pair in pairs if len(pair) == 2 and pair[1].isdecimal()}


def _seconds(micros: int | None) -> float | None:
    return None if micros is None else micros / 1_000_000


def _unescaped(field: str) -> str:
    return field.replace("\\040", " ").replace("\\011", "\t").replace("\\012", "\n").replace("\\134", "\\")


def _read(folder: str, name: str) -> str:
    """Empty where there is no such file."""
    try:
        with open(os.path.join(folder, name), encoding="ascii", errors="replace") as file:
            return file.read()
    except OSError:
        return ""


def _write(folder: str, name: str, text: str) -> bool:
    try:
        fd = os.open(os.path.join(folder, name), os.O_WRONLY | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        return _written(fd, text)
    finally:
        os.close(fd)


def _written(fd: int, text: str) -> bool:
    try:
        return os.write(fd, text.encode()) > 0
    except OSError:
        return False
