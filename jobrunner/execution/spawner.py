"""The launcher's own process: one thread that starts everything for the server, waits for it, and sweeps behind it.

Run by the guard. It ends, with everything it ever started, when the server's socket closes or the guard is gone.
"""

from __future__ import annotations

import math
import os
import select
import signal
import socket
import sys
import time
from typing import Any

from jobrunner.execution import cgroup, sweep
from jobrunner.execution.cgroup import Group, Place
from jobrunner.execution.groups import Groups
from jobrunner.execution.start import CannotStart, start
from jobrunner.execution.started import Started, report
from jobrunner.execution.strangers import Strangers
from jobrunner.execution.watch import OF_TREE, Watch
from jobrunner.execution.wire import Inbox

_TICKS = os.sysconf("SC_CLK_TCK")
_PATIENCE = 5.0
_PEEK = 0.01
_AT_ONCE = 0.003


class Spawner:
    """``serve`` returns when there is nobody left to serve."""

    def __init__(self, server: socket.socket, guard: int, token: str, place: Place) -> None:
        self._server = server
        self._guard = guard
        self._token = token
        self._environment = dict(os.environ)
        self._inbox = Inbox()
        self._by_id: dict[int, Started] = {}
        self._by_pid: dict[int, Started] = {}
        self._ending: list[Started] = []
        self._unsaid: list[Started] = []
        self._say_at = 0.0
        self._strangers = Strangers(token, place, self._by_id, self._by_pid)
        self._groups = Groups(place, token.rpartition(".")[2])
        self._woken, waker = os.pipe()
        for fd in (self._woken, waker):
            os.set_blocking(fd, False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.set_wakeup_fd(waker, warn_on_full_buffer=False)

    def serve(self) -> None:
        """Takes requests and reports ends until the server or the guard is gone; then ends everything."""
        poll = select.poll()
        for fd in (self._server.fileno(), self._guard, self._woken):
            poll.register(fd, select.POLLIN)
        while True:
            ready = {fd for fd, _ in poll.poll(self._pause())}
            if self._guard in ready or (self._server.fileno() in ready and not self._receive()):
                break
            if self._woken in ready:
                _drain(self._woken)
                self._reap()
            self._look()
            if self._ending:
                self._settle()
            if self._unsaid and time.monotonic() >= self._say_at:
                self._say()
        self._end_everything()

    def _pause(self) -> int | None:
        """Milliseconds until something is due here, None where nothing is."""
        due = [started.watch.due for started in self._by_pid.values() if started.watch is not None]
        due += [self._say_at] if self._unsaid else []
        if not (due or self._ending):
            return None
        pause = min(due) - time.monotonic() if due else _PEEK
        return max(0, int(1000 * (min(pause, _PEEK) if self._ending else pause)) + 1)

    def _receive(self) -> bool:
        if not self._inbox.read_with_fds(self._server):
            return False
        while (request := self._inbox.next()) is not None:
            if "signal" in request:
                self._signal(request["id"], request["signal"])
            else:
                self._start(request, self._inbox.take_fds(request["fds"]))
        return True

    def _start(self, request: dict[str, Any], fds: list[int]) -> None:
        status, fds = fds[0], fds[1:]
        number = request["id"]
        marker = {sweep.MARKER: f"{self._token}.{number}"}
        now = _boot_ticks()
        group = self._groups.take(number, request.get("limits") or {}, moves=request["moves"])
        try:
            pid = self._start_in(group, request, fds, self._environment | marker)
        except CannotStart as fault:
            report(status, f"failed {fault}")
            os.close(status)
        except Exception as fault:
            report(status, f"failed cannot start {request['argv'][0]}: {fault}")
            os.close(status)
        else:
            started = self._enter(request, pid, status, now, group)
            self._say_soon(started)
            group = started.group
        finally:
            for fd in fds:
                os.close(fd)
            if group is not None and number not in self._by_id:
                self._groups.release(group)

    def _say_soon(self, started: Started) -> None:
        """What ends at once is told with its end: the server then has one word to hear instead of two."""
        if started.warm:
            started.say()
            return
        if not self._unsaid:
            self._say_at = time.monotonic() + _AT_ONCE
        self._unsaid.append(started)

    def _say(self) -> None:
        for started in self._unsaid:
            if started.id in self._by_id:
                started.say()
        self._unsaid.clear()

    def _start_in(self, group: Group | None, request: dict[str, Any], fds: list[int], env: dict[str, str]) -> int:
        try:
            return start(request, fds, env, group)
        except cgroup.CannotJoin:
            self._groups.give_up()
            return start(request, fds, env, None)

    def _enter(self, request: dict[str, Any], pid: int, status: int, ticks: int, group: Group | None) -> Started:
        limits, warm = request.get("limits") or {}, bool(request.get("warm"))
        # A warm child without limits is watched by who knows when a run of it begins: the server.
        watched = sweep.HAS_PROC and (not warm or any(name in limits for name in OF_TREE))
        watch = Watch(limits, time.monotonic()) if watched else None
        group = group if self._groups.in_use else None
        started = Started(request["id"], pid, status, warm=warm, ticks=ticks, group=group, watch=watch)
        self._by_id[started.id] = self._by_pid[pid] = started
        return started

    def _signal(self, number: int, what: int) -> None:
        started = self._by_id.get(number)
        if started is None:
            return
        started.gentle = what != signal.SIGKILL
        started.asked = started.asked or _boot_ticks()
        if what == signal.SIGKILL and started.group is not None:
            # Those in its process group end with it; the others would have been found one after another.
            stats = {pid: sweep.stat_of(pid) for pid in started.group.processes()}
            started.left.update(pid for pid, stat in stats.items() if stat and stat.group != started.pid)
            started.group.kill()
        if started.ended is not None:
            return
        # Nobody else waits for the main process, so its group's number cannot have passed on.
        try:
            os.killpg(started.pid, what)
            os.killpg(started.pid, signal.SIGCONT)
        except (ProcessLookupError, PermissionError):
            pass

    def _reap(self) -> None:
        while True:
            try:
                dead = os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
            except ChildProcessError:
                return
            if dead is None:
                return
            owner = None if dead.si_pid in self._by_pid else self._strangers.bury(dead.si_pid)
            pid, status, usage = os.wait4(dead.si_pid, 0)
            if owner is not None:
                owner.add(usage)
            started = self._by_pid.pop(pid, None)
            if started is not None:
                started.ended = (status, usage)
                self._ending.append(started)

    def _look(self) -> None:
        """Measures what is due, and ends what has exceeded a limit."""
        now = time.monotonic()
        due = [each for each in self._by_pid.values() if each.watch is not None and each.watch.due <= now]
        if not due:
            return
        strangers = self._strangers.find()
        for started in due:
            assert started.watch is not None
            roots = [started.pid, *(pid for pid in strangers if self._strangers.belongs(pid, started))]
            pids = {each for root in roots for each in (root, *sweep.descendants_of(root))}
            exact = started.group.processor_time() if started.group is not None else None
            exceeded = started.watch.look(pids, now, started.others_cpu, exact)
            if exceeded is not None:
                started.exceed(exceeded)
                started.left.update(pids - {started.pid})
            if exceeded is not None or (started.group is not None and started.group.refused()):
                self._signal(started.id, signal.SIGKILL)

    def _settle(self) -> None:
        """Ends what is left of attempts whose main process has ended, and reports those of which nothing is left."""
        strangers = self._strangers.find()
        now = time.monotonic()
        for started in tuple(self._ending):
            left = [pid for pid in strangers if self._strangers.belongs(pid, started)]
            if left and now < started.give_up:
                if started.gentle:
                    self._tell(started, left)
                else:
                    self._kill(started, left, now)
                continue
            self._reap()  # dead orphans count, too
            self._ending.remove(started)
            del self._by_id[started.id]
            started.report_end(self._groups.release)

    def _tell(self, started: Started, left: list[int]) -> None:
        for pid in left:
            started.left.add(pid)
            stat = sweep.stat_of(pid)
            if pid in started.termed or stat is None:
                continue
            # The group has been told, and twice would mean "at once" to many. But who was just being started then may
            # have missed it: between fork and exec a signal still goes to the parent's handler.
            if stat.group == started.pid and stat.start < started.asked - _TICKS:
                continue
            started.termed.add(pid)
            for what in (signal.SIGTERM, signal.SIGCONT):
                try:
                    os.kill(pid, what)
                except (ProcessLookupError, PermissionError):
                    pass

    def _kill(self, started: Started, left: list[int], now: float) -> None:
        if started.give_up == math.inf:
            started.give_up = now + _PATIENCE
        for pid in left:
            started.left.update((pid, *sweep.descendants_of(pid)))
        for pid in left:
            sweep.kill_with_group(pid)
        if started.group is not None:
            started.group.kill()

    def _end_everything(self) -> None:
        for started in self._by_pid.values():
            try:
                os.killpg(started.pid, signal.SIGKILL)
            except (ProcessLookupError, PermissionError):
                pass
        sweep.end_children()


def run(server: int, guard: int, token: str, place: Place) -> None:
    """The whole life of a launcher; ``server`` and ``guard`` are descriptors."""
    sweep.become_subreaper()
    Spawner(socket.socket(fileno=server), guard, token, place).serve()


def _drain(fd: int) -> None:
    try:
        while len(os.read(fd, 4096)) == 4096:
            pass
    except BlockingIOError:
        pass


def _boot_ticks() -> int:
    if sys.platform != "linux":
        return 0
    return int(time.clock_gettime(time.CLOCK_BOOTTIME) * _TICKS)
