"""The server's side of guard and launcher: asks for processes and signals, and hears what became of them.

Processes are named by a number of ours, never by their pid, so that no signal can reach a stranger.
"""

from __future__ import annotations

import itertools
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from typing import Any

from jobrunner.domain.clock import SystemClock
from jobrunner.execution import cgroup, wire
from jobrunner.execution.leftovers import HELPER, end_marked
from jobrunner.execution.moves import Moves
from jobrunner.execution.sweep import MARKER
from jobrunner.execution.watch import Exceeded

_NOT_INHERITED = ("NOTIFY_SOCKET", "WATCHDOG_PID", "WATCHDOG_USEC", "LISTEN_FDS", "LISTEN_PID", "LISTEN_FDNAMES")
_OF_A_RUN = frozenset(
    (
        "JOBRUNNER_RUN_ID",
        "JOBRUNNER_JOB",
        "JOBRUNNER_ATTEMPT",
        "JOBRUNNER_MAX_ATTEMPTS",
        "JOBRUNNER_TRIGGER",
        "JOBRUNNER_FIRE_TIME",
        "JOBRUNNER_SERVER",
        "JOBRUNNER_BATCH_ID",
        "JOBRUNNER_PARENT_RESULTS",
        "JOBRUNNER_RESULT_FILE",
    )
)
_CLOSE_PATIENCE = 15.0


class LauncherLost(Exception):
    """The launcher was killed, and with it everything that it had started; ``token`` tells which one it was."""

    def __init__(self, token: str) -> None:
        super().__init__("the launcher was killed")
        self.token = token


class Process:
    """One process that was asked for. ``fd`` is readable when ``read`` has something to learn.

    ``pid`` is None until it was started; ``failure`` says why it was not. ``status`` is set when it has ended, as
    the system gives it, together with ``left``, ``peak_memory`` (bytes), ``cpu`` and ``took`` (seconds).
    ``exceeded`` is the limit because of which the launcher has ended it.
    """

    __slots__ = (
        "_buffer", "_launcher", "cpu", "exceeded", "failure", "fd", "id", "left", "peak_memory", "pid", "status",
        "token", "took",
    )  # fmt: skip

    def __init__(self, launcher: Launcher, number: int, token: str, fd: int) -> None:
        self._launcher = launcher
        self.token = token
        self._buffer = b""
        self.id = number
        self.fd = fd
        self.pid: int | None = None
        self.failure: str | None = None
        self.status: int | None = None
        self.left = 0
        self.peak_memory: int | None = None
        self.cpu: float | None = None
        self.took: float | None = None
        self.exceeded: Exceeded | None = None

    @property
    def ended(self) -> bool:
        """Whether there is nothing more to learn."""
        return self.status is not None or self.failure is not None

    @property
    def exit(self) -> tuple[int | None, int | None]:
        """The exit status and the signal that ended it; one of them is None."""
        assert self.status is not None
        code = os.waitstatus_to_exitcode(self.status)
        return (code, None) if code >= 0 else (None, -code)

    def read(self) -> None:
        """Takes what the launcher has said.

        Raises:
            LauncherLost: it will never say anything again.
        """
        data = os.read(self.fd, 65536)
        if not data and not self.ended:
            raise LauncherLost(self.token)
        self._buffer += data
        while b"\n" in self._buffer:
            line, self._buffer = self._buffer.split(b"\n", 1)
            self._learn(line.decode(errors="replace"))

    def signal(self, number: int) -> None:
        """To its group, or to all that is left of it; nothing happens when it has ended."""
        self._launcher.signal(self.id, number)

    def close(self) -> None:
        """Forgets it; it goes on if it has not ended."""
        os.close(self.fd)

    def _learn(self, line: str) -> None:
        what, _, rest = line.partition(" ")
        if what == "started":
            self.pid = int(rest)
        elif what == "failed":
            self.failure = rest
        elif what == "exceeded":
            limit, most, measured, processes = rest.split()
            self.exceeded = Exceeded(limit, float(most), float(measured), int(processes))
        else:
            status, left, memory, cpu, took = rest.split()
            self.left = int(left)
            self.peak_memory = int(memory)
            self.cpu = float(cpu)
            self.took = float(took)
            self.status = int(status)


class Launcher:
    """One guard with one launcher. Thread-safe. A lost one is replaced by the next ``launch``.

    Everything it ever started carries ``mark``, which only the store is told. ``place`` says whether attempts have
    cgroups, and why not.
    """

    def __init__(self, *, cgroups: bool) -> None:
        self.mark = os.urandom(12).hex()
        self.place = cgroup.find(self.mark) if cgroups else cgroup.Place(None, why="not wanted")
        self._moves = Moves(cgroup.way_home() if self.place.folder is not None else None, SystemClock())
        self._serials = itertools.count(1)
        self._numbers = itertools.count(1)
        self._lock = threading.Lock()
        self._closed = False
        self._broken = False
        self._socket: socket.socket
        self._guard: subprocess.Popen[bytes]
        self.token = ""
        self._begin()

    @classmethod
    def start(cls, *, cgroups: bool = True) -> Launcher:
        """Starts guard and launcher; best before the server has threads. Does not wait until they are ready.

        Without ``cgroups`` none is used, though it could be.
        """
        return cls(cgroups=cgroups)

    @property
    def lost(self) -> bool:
        """Whether guard or launcher are gone without having been told."""
        return not self._closed and (self._broken or self._guard.poll() is not None)

    def expect(self) -> None:
        """Processes are about to be asked for, ``moves.AHEAD_SECONDS`` from now: they are then started quicker."""
        self._moves.expect()

    def launch(self, request: dict[str, Any], fds: Sequence[int]) -> Process:
        """Asks for a process as ``start.start`` describes it. ``fds`` become 1, 2 … and stay open here.

        Raises:
            LauncherLost: the launcher went away while being asked.
            OSError: no more descriptors.
        """
        return self._launch(self._ask, request, fds)

    def launch_at_once(self, request: dict[str, Any], fds: Sequence[int]) -> Process | None:
        """As ``launch``, of a request of a few KiB; None, and nothing asked, where another thread is asking, or there
        is no launcher."""
        if not self._lock.acquire(blocking=False):
            return None
        try:
            return None if self._closed or self._broken else self._launch(self._say, request, fds)
        except LauncherLost:
            return None
        finally:
            self._lock.release()

    def signal(self, number: int, what: int) -> None:
        """To the process of that number, if it has not ended."""
        with self._lock:
            self._send({"id": number, "signal": what}, ())

    def recover(self, lost: LauncherLost) -> None:
        """Waits until nothing is left of the launcher that was lost, and starts another unless that has been done."""
        with self._lock:
            if lost.token == self.token and not self._closed:
                self._replace()

    def close(self) -> None:
        """Ends everything that was started, at once, and waits for it."""
        with self._lock:
            if self._closed:
                return
            self._closed = True
            self._part()
            self._moves.close()
            cgroup.close(self.place)

    def _launch(self, ask: Callable[..., tuple[int, str]], request: dict[str, Any], fds: Sequence[int]) -> Process:
        reader, writer = os.pipe()
        try:
            number, token = ask(request, (writer, *fds))
        except BaseException:
            os.close(reader)
            raise
        finally:
            os.close(writer)
        return Process(self, number, token, reader)

    def _ask(self, request: dict[str, Any], fds: Sequence[int]) -> tuple[int, str]:
        with self._lock:
            if self._closed:
                raise LauncherLost(self.token)
            if self.lost:
                self._replace()
            return self._say(request, fds)

    def _say(self, request: dict[str, Any], fds: Sequence[int]) -> tuple[int, str]:
        number = next(self._numbers)
        if not self._send(request | {"id": number, "fds": len(fds), "moves": self._moves.started()}, fds):
            raise LauncherLost(self.token)
        return number, self.token

    def _send(self, message: dict[str, Any], fds: Sequence[int]) -> bool:
        try:
            wire.send(self._socket, message, fds)
        except OSError:
            self._broken = True
            return False
        return True

    def _begin(self) -> None:
        self.token = f"{self.mark}.{next(self._serials)}"
        self._broken = False
        self._socket, theirs = socket.socketpair()
        with theirs:
            self._guard = subprocess.Popen(
                [sys.executable, "-P", "-m", "jobrunner.execution.guard", *self._words(theirs)],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                pass_fds=(theirs.fileno(),),
                env=_environment() | {MARKER: f"{self.token}.{HELPER}"},
                start_new_session=True,
            )

    def _words(self, socket: socket.socket) -> list[str]:
        return [str(socket.fileno()), self.place.folder or "", " ".join(self.place.limits)]

    def _replace(self) -> None:
        self._part()
        self._begin()

    def _part(self) -> None:
        try:
            # close() alone gives no end of file while another thread is in a call on the socket.
            self._socket.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self._socket.close()
        try:
            self._guard.wait(_CLOSE_PATIENCE)
        except subprocess.TimeoutExpired:
            self._guard.kill()
            self._guard.wait()
        if self._guard.returncode != 0:
            end_marked(self.token)
            cgroup.leave(self.place, self.token, os.getpid())


def _environment() -> dict[str, str]:
    """The server's, without what service managers say to it alone and what an outer run says to its own."""
    return {
        name: value
        for name, value in os.environ.items()
        if name not in _NOT_INHERITED and name not in _OF_A_RUN and not name.startswith("JOBRUNNER_PARAM_")
    }


SIGTERM, SIGKILL = int(signal.SIGTERM), int(signal.SIGKILL)
