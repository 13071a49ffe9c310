"""Makes the system ready for moves from one cgroup to another: in the server, for its launcher of a single thread.

Who starts somebody in a cgroup by moving there and back (``Group.inside``) needs a fraction of a millisecond, where a
fork takes one and a half. But who moves after a while in which nobody did waits until all processors have taken
notice, for some milliseconds or hundredths of a second (an RCU grace period), and so does meanwhile who makes a cgroup
or forks into one. A thread of the server does that, by moving to where it is already: ahead of the starts where they
are known to come, else when there have been so many that it pays.
"""

from __future__ import annotations

import os
import threading
from collections import deque

from jobrunner.domain.clock import Clock

AHEAD_SECONDS = 0.03
"""So long before the starts ``expect`` is best called."""

_KEPT = 2 * AHEAD_SECONDS
_MANY, _AT_ONCE = 10, 0.1
_READY = 0.01
"""Seconds after a move in which the next one is sure not to wait."""


class Moves:
    """Thread-safe. ``home`` is the way to our own group, None where there are no groups; ``close`` closes it."""

    def __init__(self, home: int | None, clock: Clock) -> None:
        self._home = home
        self._clock = clock
        self._lately = deque[float](maxlen=_MANY)
        self._moved_at = -_READY
        self._keep_until = 0.0
        self._closed = False
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None

    def expect(self) -> None:
        """Starts are about to come: they are made quick, without waiting for that."""
        with self._changed:
            self._keep(self._clock.monotonic() + _KEPT)

    def started(self) -> bool:
        """To be said of each start: whether it is to be done by a move."""
        now = self._clock.monotonic()
        with self._changed:
            self._lately.append(now)
            if now - self._moved_at < _READY:
                self._moved_at = now
                return True
            if len(self._lately) == _MANY and now - self._lately[0] < _AT_ONCE:
                self._keep(now + _READY)
        return False

    def close(self) -> None:
        """Ends the thread, and waits for it."""
        with self._changed:
            self._closed = True
            self._changed.notify()
        if self._thread is not None:
            self._thread.join()
        if self._home is not None:
            os.close(self._home)

    def _keep(self, until: float) -> None:
        if self._home is None or self._closed:
            return
        self._keep_until = max(until, self._keep_until)
        if self._thread is None:
            self._thread = threading.Thread(target=self._move, name="moves", daemon=True)
            self._thread.start()
        self._changed.notify()

    def _move(self) -> None:
        assert self._home is not None
        while True:
            with self._changed:
                while self._clock.monotonic() >= self._keep_until and not self._closed:
                    self._changed.wait()
                if self._closed:
                    return
            try:
                os.write(self._home, b"0")
            except OSError:
                return
            with self._changed:
                self._moved_at = self._clock.monotonic()
                self._changed.wait_for(lambda: self._closed, _READY / 2)
