"""Short calls of Python and short commands, begun and ended in the engine's own thread: no worker has to be woken for
them, nor wakes it.

What has not ended within a blink, or ends otherwise than most do, is left to a worker, which sees it through.
The engine may be held up by its store, so that is watched by a thread of its own.
"""

from __future__ import annotations

import logging
import select
import threading
from collections.abc import Mapping, Sequence
from contextlib import suppress

from jobrunner.domain.clock import Clock
from jobrunner.domain.run import Claimed
from jobrunner.server.executor import Call, Executor
from jobrunner.server.log import together

log = logging.getLogger("jobrunner.run")

BLINK = 0.01
"""Seconds that a call may take here. So long at most nobody looks at its output, its timeout and its cancels."""


_ONCE = select.EPOLLIN | select.EPOLLONESHOT


class QuickCalls:
    """The hand of the engine: ``take`` and ``collect`` are called in its thread, ``leave_all`` in any."""

    def __init__(self, executor: Executor, clock: Clock) -> None:
        self._executor = executor
        self._clock = clock
        self._calls = dict[int, Call]()
        self._poll = select.epoll()
        self._all_left = False
        self._some = threading.Event()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._mind, name="quick-calls", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """When no call is under way any more."""
        self._stop.set()
        self._some.set()
        if self._thread.ident is not None:
            self._thread.join()
        self._poll.close()

    def fileno(self) -> int:
        """Readable when ``collect`` has something to do."""
        return self._poll.fileno()

    def seconds(self, job: str) -> float | None:
        """What a run of a job usually takes here, None where that is not known or none may be claimed ahead."""
        return self._executor.seconds(job)

    def usual(self, job: str) -> float | None:
        """What a run of a job usually takes here, None where that is not known or it has no child to share."""
        return self._executor.usual(job)

    def take(self, runs: Sequence[Claimed]) -> int:
        """Begins the first of these if that can be done without waiting for anything; else it is a worker's, and 0 is
        given. Others may come after it, as many as are given besides."""
        call = self._executor.begin(runs)
        if call is None:
            return 0
        fd, count = call.attempt.fd, 1 + len(call.behind)
        try:
            self._arm(fd)
        except OSError:  # no room for it in the kernel: nobody would hear of its end here
            if not call.behind:
                self._executor.leave(call)
                return count
        self._hold(fd, call)
        return count

    def collect(self) -> int:
        """Records what has ended; how many are still under way."""
        with together():
            for fd, _ in self._poll.poll(0):
                if (call := self._calls.pop(fd, None)) is not None:
                    self._go_on(fd, call)
        return len(self._calls)

    def _go_on(self, fd: int, call: Call) -> None:
        left = self._executor.end(call)
        if left is not None:
            self._arm(fd)
            self._hold(fd, left)

    def leave_all(self) -> None:
        """Everything under way is a worker's from now on, who kills it: this server was declared lost."""
        self._all_left = True
        self._leave(self._calls.copy())

    def _hold(self, fd: int, call: Call) -> None:
        """The call is under way here; whoever looked in between has not seen it, and is told."""
        self._calls[fd] = call
        if self._all_left:
            self._leave({fd: call})
        elif not self._some.is_set():
            self._some.set()

    def _mind(self) -> None:
        while not self._stop.is_set():
            self._some.wait()
            if self._stop.wait(BLINK):
                return
            try:
                self._look()
            except Exception:
                log.exception("fault in looking after short attempts")

    def _look(self) -> None:
        late = self._clock.monotonic() - BLINK
        self._leave({fd: call for fd, call in self._calls.copy().items() if call.since <= late})
        if not self._calls:
            self._some.clear()
            if self._calls or self._stop.is_set():  # meanwhile
                self._some.set()

    def _leave(self, calls: Mapping[int, Call]) -> None:
        for fd, seen in calls.items():
            call = self._withdraw(fd, seen)
            # What is behind it was to be begun by now: where nothing has been heard, it has not been.
            while call is not None and call.behind and _readable(fd) and not self._all_left:
                call = self._executor.end(call)
            if call is not None:
                self._executor.leave(call, fenced=self._all_left)

    def _withdraw(self, fd: int, seen: Call) -> Call | None:
        """Whoever gets the call here is the only one to go on with it. Another that has taken its place stays."""
        call = self._calls.pop(fd, None)
        if call is None:
            return None
        if call is not seen:
            self._hold(fd, call)
            with suppress(OSError):  # it may have ended since
                self._arm(fd)  # it may have been heard of, and not been found
            return None
        self._forget(fd)
        return call

    def _arm(self, fd: int) -> None:
        """Has the next word of this descriptor heard, once: it may be known from an earlier call, and disarmed."""
        try:
            self._poll.modify(fd, _ONCE)
        except FileNotFoundError:
            self._poll.register(fd, _ONCE)

    def _forget(self, fd: int) -> None:
        try:
            self._poll.unregister(fd)
        except OSError:
            pass  # it has been closed, and with that forgotten


def _readable(fd: int) -> bool:
    poll = select.poll()
    poll.register(fd, select.POLLIN)
    return bool(poll.poll(0))
