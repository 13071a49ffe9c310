"""When an attempt is ended from outside, and how far that has gone: asked by SIGTERM, or killed."""

from __future__ import annotations

from typing import Any

from jobrunner.domain.clock import Clock
from jobrunner.execution.attempt import AttemptSpec, Control, StopReason
from jobrunner.execution.launcher import SIGKILL, SIGTERM, Process
from jobrunner.execution.outcome import Stopped, TimedOut

_HOPELESS = 30.0


class Ending:
    """Follows the attempt's timeout and its Control. ``asked`` and ``killed`` tell what was done so far.

    ``hopeless`` turns true when a process did not even die of SIGKILL for half a minute (it hangs in the kernel): the
    launcher goes on waiting for it, the worker does not.
    """

    __slots__ = ("_clock", "_control", "_due", "_job", "asked", "hopeless", "killed", "process", "timed_out")

    def __init__(self, spec: AttemptSpec, control: Control, clock: Clock) -> None:
        self._job = spec.job
        self._control = control
        self._clock = clock
        self._due = None if spec.job.timeout is None else clock.monotonic() + spec.job.timeout.total_seconds()
        self.process: Process | None = None
        self.asked = self.killed = self.timed_out = self.hopeless = False

    def step(self) -> float | None:
        """Does what is due, and gives the seconds until something will be; None when nothing will."""
        wanted = self._control.reason is not None
        if self._due is None and not wanted:
            return None
        now = self._clock.monotonic()
        if not self.asked and (wanted or self._passed(now)):
            self.timed_out = not wanted
            self._ask(now)
        if not self.killed and ((wanted and self._control.now) or (self.asked and self._passed(now))):
            self._kill(now)
        self.hopeless = self.killed and self._passed(now)
        return None if self._due is None else max(0.0, self._due - now)

    def outcome(self, **kept: Any) -> TimedOut | Stopped | None:
        """The outcome of an attempt that was ended; None where it ended by itself. ``kept`` is what all ends tell."""
        if not self.asked:
            return None
        if self.timed_out:
            assert self._job.timeout is not None
            return TimedOut(after=self._job.timeout, killed=self.killed, **kept)
        return Stopped(reason=self._control.reason or StopReason.CANCELLED, killed=self.killed, **kept)

    def _passed(self, now: float) -> bool:
        return self._due is not None and now >= self._due

    def _ask(self, now: float) -> None:
        self.asked = True
        self._due = now + self._job.kill_grace.total_seconds()
        if self.process is not None and not self._control.now:
            self.process.signal(SIGTERM)

    def _kill(self, now: float) -> None:
        self.killed = True
        self._due = now + _HOPELESS
        if self.process is not None:
            self.process.signal(SIGKILL)
