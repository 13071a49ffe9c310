"""A warm child as the server sees it: a process with a socket and two pipes that live as long as it does."""

from __future__ import annotations

import os
import select
import signal
import socket
import sys
from typing import Any

from jobrunner.domain.job import Limits
from jobrunner.execution.bell import new_bell
from jobrunner.execution.launcher import Launcher, LauncherLost
from jobrunner.execution.output import Pipe
from jobrunner.execution.parts import Parts
from jobrunner.execution.wire import Inbox

Key = tuple[str, str | None, int | None, Limits]
"""What cannot be changed once a child runs: the folder it imports from, its user, its niceness, its limits."""


class WarmChild:
    """Serves one attempt at a time. What is not said to be a descriptor or a process are the pool's own notes, but for
    ``mark``, which stands between what several attempts print that it is given at once, and ``parts``, by pipe.
    """

    __slots__ = (
        "_control", "_inbox", "bell", "born", "control", "err", "generation", "key", "mark", "out", "parts", "peak",
        "pipes", "poll", "process", "runs", "since", "used",
    )  # fmt: skip

    def __init__(self, launcher: Launcher, key: Key, limits: dict[str, float], generation: int, now: float) -> None:
        """Asks for the process and does not wait for it: what it is sent before it runs, it finds when it does.

        Raises:
            OSError: no more descriptors.
            LauncherLost: nobody there to start it.
        """
        self.key = key
        self.generation = generation
        self.born = self.since = now
        self.runs = self.used = 0
        self.peak = 0
        self.mark = f"\0{os.urandom(12).hex()}\0"
        self.parts: dict[int, Parts] | None = None
        self._inbox = Inbox()
        self._start(launcher, limits)
        self.bell = new_bell()
        self.control = self._control.fileno()
        self.poll = select.poll()
        for fd in (self.control, self.out, self.err, self.process.fd, self.bell.fd):
            self.poll.register(fd, select.POLLIN)

    def _start(self, launcher: Launcher, limits: dict[str, float]) -> None:
        folder, user, nice, _ = self.key
        argv = [sys.executable, "-P", "-m", "jobrunner.execution.child", "3", folder]
        request = {"argv": argv, "env": {}, "cwd": "/", "user": user, "nice": nice, "limits": limits, "warm": True}
        self._control, theirs = socket.socketpair()
        self.out, out_writer = os.pipe()
        self.err, err_writer = os.pipe()
        try:
            self.process = launcher.launch(request, (out_writer, err_writer, theirs.fileno()))
        except BaseException:
            self._control.close()
            os.close(self.out)
            os.close(self.err)
            raise
        finally:
            theirs.close()
            os.close(out_writer)
            os.close(err_writer)
        os.set_blocking(self.out, False)
        os.set_blocking(self.err, False)
        self.pipes = {fd: Pipe(fd) for fd in (self.out, self.err)}

    def send(self, message: bytes) -> None:
        """Hands a run over, as ``wire`` has packed it.

        Raises:
            OSError: the child has ended.
        """
        self._control.sendall(message)

    def receive(self) -> bool:
        """Takes what the child has said; False when it will say nothing more."""
        return self._inbox.read(self._control)

    def next(self) -> Any:
        """The next message of the child, None where there is none yet."""
        return self._inbox.next()

    def is_ready(self) -> bool:
        """Whether an idle child is alive. What it has said while idle belongs to no run, and is dropped."""
        try:
            for fd, _ in self.poll.poll(0):
                if fd == self.control:
                    return False
                if fd == self.process.fd:
                    self.process.read()
                elif fd == self.bell.fd:
                    self.bell.hush()
                elif self.pipes[fd].read() == b"":
                    return False
        except LauncherLost:
            return False
        return not self.process.ended

    def divide(self) -> None:
        """It has been given several attempts at once."""
        self.parts = {fd: Parts(self.mark.encode()) for fd in (self.out, self.err)}

    def kill(self) -> None:
        """Ends it now, with everything below it."""
        self.process.signal(signal.SIGKILL)

    def close(self) -> None:
        """Lets go of it: an idle child ends by itself."""
        self._control.close()
        for fd in (self.out, self.err):
            os.close(fd)
        self.bell.close()
        self.process.close()
