"""A warm child: a process that executes Python callables and HTTP requests for the server, one after another.

Started by the launcher as ``python -m jobrunner.execution.child FD FOLDER``: FD is its socket to the server, FOLDER
comes first on ``sys.path``. It ends when the server closes the socket.
"""

from __future__ import annotations

import _signal  # type: ignore[import-not-found]
import fcntl
import os
import signal
import socket
import sys
import termios
import threading
import time
from types import FrameType
from typing import Any, TextIO

from jobrunner.errors import JobCancelled
from jobrunner.execution import sweep
from jobrunner.execution.current import CurrentRun, set_current
from jobrunner.execution.failure import describe_failure
from jobrunner.execution.jsonvalue import result_text
from jobrunner.execution.meter import Meter
from jobrunner.execution.sources import Sources
from jobrunner.execution.surroundings import CannotEnter, Surroundings
from jobrunner.execution.target import call, run_coroutine
from jobrunner.execution.ticker import Ticker
from jobrunner.execution.wire import Inbox, frame, pack

_FAREWELL_SECONDS = 5
_NOTHING = bytes(4)
_LEAST_PIPE = 4096
_JSON = {False: b"false", True: b"true"}
_TERM, _INT = int(signal.SIGTERM), int(signal.SIGINT)
_set_handler = _signal.signal
"""Without the names that ``signal.signal`` looks up for what was there before: a sixth of an empty run."""


class Child:
    """Serves one server. A run is *armed* while a signal may break into it: outside of that, signals wait."""

    def __init__(self, channel: socket.socket, folder: str) -> None:
        self._channel = channel
        self._inbox = Inbox()
        self._speaking = threading.Lock()
        self._ticker = Ticker(self._say)
        self._sources = Sources(folder)
        self._surroundings = Surroundings()
        self._meter = Meter()
        self._goes_on = False
        self._mark = b""
        self._divided = b""
        self._room = _room()
        self._armed = False
        self._signalled = False
        self._cancel: Any = None
        self._streams = _own_streams()
        self._pid = os.getpid()

    def serve(self) -> None:
        """Until the server closes the socket."""
        self._listen_to_signals()
        while True:
            while (request := self._inbox.next()) is None:
                if not self._inbox.read(self._channel):
                    return
            if self._signalled or self._sources.changed():
                self._say({"stale": True})
                continue
            behind = request.get("behind")
            if behind is None:
                self._say_bytes(self._execute(request))
            else:
                self._mark = request["mark"].encode()
                self._work_off([request, *behind], request["until"])

    def _work_off(self, requests: list[dict[str, Any]], until: float) -> None:
        """One after another, as long as each end says that it goes on: else the server knows that no other was begun.

        That is what it goes by when it hears of no end until then: so what has been said is out before the time is
        looked at.
        """
        for request in requests[:-1]:
            self._say_bytes(self._execute(request, until))
            if not self._goes_on:
                return
            if self._signalled or self._sources.changed():
                self._say({"stale": True})
                return
            if time.monotonic() >= until:
                self._say({"late": True})
                return
        self._say_bytes(self._execute(requests[-1]))

    def _execute(self, request: dict[str, Any], until: float = 0.0) -> bytes:
        """The answer; it says that the child goes on where it is to do so until then, and may."""
        self._goes_on = False
        try:
            self._surroundings.enter(request)
        except CannotEnter as fault:
            return pack({"unstarted": str(fault), "reusable": True, "left": 0})
        before = self._meter.begin()
        try:
            end = self._attempt(request)
        except JobCancelled as late:  # the signal came while the end was being written down
            end = self._failure(late)
        if os.getpid() != self._pid:
            os._exit(1)  # a fork that the job forgot to end must not answer in our name
        self._ticker.flush()
        left = sweep.end_children() if sweep.reap_all() else 0
        took, cpu, memory, peak = self._meter.end(before)
        reusable = self._clean_up() and left == 0 and not self._signalled and threading.active_count() == 1
        self._goes_on = reusable and time.monotonic() < until and self._divide()
        goes_on = b'true,"divided":[%s]' % self._divided if self._goes_on else b"false"
        return frame(
            b'{"left":%d,"reusable":%s,"goes_on":%s,"took":%.6f,"cpu":%.6f,"peak":%d,"memory":%d,%s}'
            % (left, _JSON[reusable], goes_on, took, cpu, peak, memory, end)
        )

    def _divide(self) -> bool:
        """Writes a mark behind what the run has printed and nobody has read, since the next one may print, too; False,
        and nothing done, where that is so much that who writes could have to wait."""
        self._divided = b""
        out, err = _unread(1), _unread(2)
        if out == err == _NOTHING:
            return True
        unread = {1: int.from_bytes(out, sys.byteorder), 2: int.from_bytes(err, sys.byteorder)}
        if max(unread.values()) > self._room:
            return False
        marked = [fd for fd, count in unread.items() if count]
        for fd in marked:
            os.write(fd, self._mark)
        self._divided = b",".join(b"%d" % fd for fd in marked)
        return True

    def _attempt(self, request: dict[str, Any]) -> bytes:
        """The end of the run as a member of a JSON object."""
        set_current(CurrentRun(request["run"], self._ticker.report))
        try:
            self._armed = True
            if self._signalled:
                raise JobCancelled
            value = call(request)
            if hasattr(value, "__await__"):
                value = run_coroutine(value, self._on_coroutine)
            end = b'"result":' + result_text(value)
            self._armed = False
            return end
        except BaseException as error:
            self._armed = False
            return self._failure(error)
        finally:
            set_current(None)
            self._cancel = None
            self._sources.note()

    def _failure(self, error: BaseException) -> bytes:
        sys.stdout, sys.stderr = self._streams
        return b'"failure":' + pack(describe_failure(error))[4:]

    def _on_coroutine(self, cancel: Any) -> None:
        self._cancel = cancel
        if self._signalled:
            cancel()

    def _clean_up(self) -> bool:
        """Makes ready for the next run; False where something was broken that cannot be mended."""
        sys.stdout, sys.stderr = self._streams
        self._listen_to_signals()
        signal.setitimer(signal.ITIMER_REAL, 0)
        try:
            for stream in self._streams:
                stream.flush()
            return self._surroundings.leave()
        except (OSError, ValueError):
            return False

    def _listen_to_signals(self) -> None:
        _set_handler(_TERM, self._on_term)
        _set_handler(_INT, self._on_int)

    def _on_term(self, _number: int, _frame: FrameType | None) -> None:
        self._signalled = True
        if self._cancel is not None:
            try:
                self._cancel()
            except RuntimeError:
                pass  # its event loop has just ended
        elif self._armed:
            self._armed = False
            raise JobCancelled

    def _on_int(self, _number: int, _frame: FrameType | None) -> None:
        if self._armed:
            raise KeyboardInterrupt

    def _say(self, message: dict[str, Any]) -> None:
        self._say_bytes(pack(message))

    def _say_bytes(self, data: bytes) -> None:
        """Whole messages only: no signal breaks into one."""
        if threading.current_thread() is not threading.main_thread():
            with self._speaking:
                self._channel.sendall(data)
            return
        armed, self._armed = self._armed, False
        with self._speaking:
            self._channel.sendall(data)
        self._armed = armed
        if armed and self._signalled and self._cancel is None:
            self._armed = False
            raise JobCancelled


def main(fd: int, folder: str) -> None:
    """The whole life of a warm child."""
    os.set_inheritable(fd, False)
    sweep.become_subreaper()
    sweep.die_with_parent()
    os.register_at_fork(after_in_child=_be_ordinary)
    sys.argv = ["jobrunner"]
    if folder:
        sys.path.insert(0, folder)
    try:
        Child(socket.socket(fileno=fd), folder).serve()
    except (BrokenPipeError, ConnectionResetError):
        pass
    finally:
        # What the jobs' libraries do at exit has its time, and no more.
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
        signal.alarm(_FAREWELL_SECONDS)


def _unread(fd: int) -> bytes:
    """How many bytes a pipe holds, as a number of C; all bits set where that cannot be told."""
    try:
        return fcntl.ioctl(fd, termios.FIONREAD, _NOTHING)
    except OSError:
        return b"\xff" * 4


def _room() -> int:
    """Half of what the smaller of the two pipes holds."""
    try:
        return min(fcntl.fcntl(fd, fcntl.F_GETPIPE_SZ) for fd in (1, 2)) // 2
    except (AttributeError, OSError):  # no Linux
        return _LEAST_PIPE // 2


def _be_ordinary() -> None:
    """What a job forks (workers of a pool) is ended by signals as any process is."""
    try:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        signal.signal(signal.SIGINT, signal.default_int_handler)
    except ValueError:
        pass  # forked in a thread, where Python sets no handlers


def _own_streams() -> tuple[TextIO, TextIO]:
    """Text that always can be written, and that is seen line by line."""
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(  # type: ignore[union-attr]
            encoding="utf-8", errors="backslashreplace", line_buffering=True, write_through=False
        )
    return sys.stdout, sys.stderr


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2])
