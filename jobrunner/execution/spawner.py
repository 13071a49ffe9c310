"""The launcher's own process: one thread that starts everything for the server, waits for it, and sweeps behind it.

Run by the guard. It ends, with everything it ever started, when the server's socket closes or the guard is gone.
"""

from __future__ import annotations

import math
import os
import resource
import select
import signal
import socket
import sys
import time
from typing import Any

from jobrunner.execution import sweep
from jobrunner.execution.start import CannotStart, start
from jobrunner.execution.wire import Inbox

_TICKS = os.sysconf("SC_CLK_TCK")
_PATIENCE = 5.0
_PEEK_MS = 10


class _Main:
    """A process that was asked for, and what is known of its end. Not a value: it lives along with its process."""

    __slots__ = ("asked", "ended", "gentle", "give_up", "id", "left", "pid", "started", "status", "termed", "warm")

    def __init__(self, number: int, pid: int, status: int, warm: bool, started: int) -> None:
        self.id = number
        self.pid = pid
        self.status = status
        self.warm = warm
        self.started = started
        self.ended: tuple[int, resource.struct_rusage] | None = None
        self.asked = 0  # when SIGTERM was first sent, in clock ticks since boot
        self.gentle = False  # SIGTERM was sent: what is left has its time until SIGKILL is asked for
        self.give_up = math.inf
        self.left: set[int] = set()
        self.termed: set[int] = set()


class Spawner:
    """``serve`` returns when there is nobody left to serve."""

    def __init__(self, server: socket.socket, guard: int, token: str) -> None:
        self._server = server
        self._guard = guard
        self._token = token
        self._environment = dict(os.environ)
        self._inbox = Inbox()
        self._by_id: dict[int, _Main] = {}
        self._by_pid: dict[int, _Main] = {}
        self._ending: list[_Main] = []
        self._strangers: dict[int, tuple[int | None, int]] = {}
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
            ready = {fd for fd, _ in poll.poll(_PEEK_MS if self._ending else None)}
            if self._guard in ready or (self._server.fileno() in ready and not self._receive()):
                break
            if self._woken in ready:
                _drain(self._woken)
                self._reap()
            if self._ending:
                self._settle()
        self._end_everything()

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
        try:
            pid = start(request, fds, self._environment | marker)
        except CannotStart as fault:
            _report(status, f"failed {fault}")
            os.close(status)
        except Exception as fault:
            _report(status, f"failed cannot start {request['argv'][0]}: {fault}")
            os.close(status)
        else:
            main = _Main(number, pid, status, bool(request.get("warm")), now)
            self._by_id[number] = self._by_pid[pid] = main
            _report(status, f"started {pid}")
        finally:
            for fd in fds:
                os.close(fd)

    def _signal(self, number: int, what: int) -> None:
        main = self._by_id.get(number)
        if main is None:
            return
        main.gentle = what != signal.SIGKILL
        main.asked = main.asked or _boot_ticks()
        if main.ended is not None:
            return
        # Nobody else waits for the main process, so its group's number cannot have passed on.
        try:
            os.killpg(main.pid, what)
            os.killpg(main.pid, signal.SIGCONT)
        except (ProcessLookupError, PermissionError):
            pass

    def _reap(self) -> None:
        while True:
            try:
                pid, status, usage = os.wait4(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                return
            main = self._by_pid.pop(pid, None)
            if main is None:
                self._strangers.pop(pid, None)
            else:
                main.ended = (status, usage)
                self._ending.append(main)

    def _settle(self) -> None:
        """Ends what is left of attempts whose main process has ended, and reports those of which nothing is left."""
        strangers = self._find_strangers()
        now = time.monotonic()
        for main in tuple(self._ending):
            left = [pid for pid in strangers if self._belongs(pid, main)]
            if left and now < main.give_up:
                if main.gentle:
                    self._tell(main, left)
                else:
                    self._kill(main, left, now)
                continue
            self._ending.remove(main)
            del self._by_id[main.id]
            self._report_end(main)

    def _find_strangers(self) -> list[int]:
        """Live children that were not asked for: orphans, who become children of this process."""
        found = []
        for pid in sweep.children():
            if pid in self._by_pid:
                continue
            stat = sweep.stat_of(pid)
            if stat is None or stat.state == "Z":
                continue
            if pid not in self._strangers:
                self._strangers[pid] = (self._owner(pid, stat.session), stat.start)
            found.append(pid)
        return found

    def _owner(self, pid: int, session: int) -> int | None:
        for main in self._by_id.values():
            if main.pid == session:
                return main.id
        token, _, number = (sweep.marker_of(pid) or "").partition(".")
        return int(number) if token == self._token and number.isdecimal() else None

    def _belongs(self, pid: int, main: _Main) -> bool:
        """A process that hid its session and its environment belongs to the only attempt that can have started it,
        which may be known only when others have ended."""
        owner, started = self._strangers[pid]
        if owner in self._by_id:
            return owner == main.id
        # A warm child keeps its own orphans while it lives.
        return not any(
            other is not main and other.started <= started + 1 and (other.ended is not None or not other.warm)
            for other in self._by_id.values()
        )

    def _tell(self, main: _Main, left: list[int]) -> None:
        for pid in left:
            main.left.add(pid)
            stat = sweep.stat_of(pid)
            if pid in main.termed or stat is None:
                continue
            # The group has been told, and twice would mean "at once" to many. But who was just being started then may
            # have missed it: between fork and exec a signal still goes to the parent's handler.
            if stat.group == main.pid and stat.start < main.asked - _TICKS:
                continue
            main.termed.add(pid)
            for what in (signal.SIGTERM, signal.SIGCONT):
                try:
                    os.kill(pid, what)
                except (ProcessLookupError, PermissionError):
                    pass

    def _kill(self, main: _Main, left: list[int], now: float) -> None:
        if main.give_up == math.inf:
            main.give_up = now + _PATIENCE
        for pid in left:
            main.left.update((pid, *sweep.descendants_of(pid)))
        for pid in left:
            sweep.kill_with_group(pid)

    def _report_end(self, main: _Main) -> None:
        assert main.ended is not None
        status, usage = main.ended
        cpu = usage.ru_utime + usage.ru_stime
        _report(main.status, f"exited {status} {len(main.left)} {usage.ru_maxrss} {cpu:.6f}")
        os.close(main.status)

    def _end_everything(self) -> None:
        for main in self._by_pid.values():
            try:
                os.killpg(main.pid, signal.SIGKILL)
            except (ProcessLookupError, PermissionError):
                pass
        sweep.end_children()


def run(server: int, guard: int, token: str) -> None:
    """The whole life of a launcher; ``server`` and ``guard`` are descriptors."""
    sweep.become_subreaper()
    Spawner(socket.socket(fileno=server), guard, token).serve()


def _report(status: int, line: str) -> None:
    try:
        os.write(status, line.replace("\n", " ").encode(errors="backslashreplace")[:4000] + b"\n")
    except OSError:
        pass  # nobody listens any more


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
