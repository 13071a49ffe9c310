"""The door of this room: executes attempts, each in the thread that asks. Used by the server's workers, and for short
calls by the thread of its engine."""

from __future__ import annotations

from collections.abc import Iterable

from jobrunner.domain.clock import Clock
from jobrunner.domain.job import Command, Job
from jobrunner.execution.attempt import AttemptSpec, Control, Sink, StopReason
from jobrunner.execution.bell import Bell, new_bell
from jobrunner.execution.callable import CallAttempt
from jobrunner.execution.cgroup import name_for
from jobrunner.execution.command import CommandAttempt
from jobrunner.execution.launcher import Launcher, LauncherLost
from jobrunner.execution.outcome import Outcome, Stopped
from jobrunner.execution.pool import Pool
from jobrunner.execution.resultfile import ResultFiles


class Execution:
    """Thread-safe. The launcher stays the caller's: closing it ends everything that still runs."""

    def __init__(self, launcher: Launcher, clock: Clock) -> None:
        self._launcher = launcher
        self._clock = clock
        self._pool = Pool(launcher, clock)
        self._results = ResultFiles(name_for(launcher.mark))
        self._bells: list[Bell] = []

    def execute(self, spec: AttemptSpec, control: Control, sink: Sink) -> Outcome:
        """Blocks until the attempt has ended and nothing of it is left.

        An attempt whose launcher is killed is ``Stopped`` as interrupted; the next one gets a new launcher. An
        exception of the sink ends the attempt and is passed on.
        """
        if control.reason is not None:
            return Stopped(reason=control.reason)
        try:
            if isinstance(spec.job.kind, Command):
                return self._command(spec, spec.job.kind, control, sink)
            return CallAttempt(spec, control, sink, self._pool, self._clock).run()
        except LauncherLost as lost:
            return self._interrupted(lost, control)

    def begin(self, spec: AttemptSpec, control: Control, sink: Sink) -> CallAttempt | None:
        """A call that a waiting child has begun. Does not wait: None where ``execute`` has to, and nothing was done."""
        if spec.job.kind_name != "python" or control.reason is not None:
            return None
        attempt = CallAttempt(spec, control, sink, self._pool, self._clock)
        return attempt if attempt.begin() else None

    def finish(self, attempt: CallAttempt, control: Control) -> Outcome:
        """As ``execute``, of what has begun."""
        try:
            return attempt.finish()
        except LauncherLost as lost:
            return self._interrupted(lost, control)

    def prepare(self, jobs: Iterable[Job]) -> None:
        """Starts one warm child if any of the jobs is Python, so that the first run finds it."""
        self._pool.warm([job for job in jobs if job.kind_name == "python"])

    def recycle(self) -> None:
        """After a reload: idle children end now, busy ones after their run."""
        self._pool.recycle()

    def tidy(self) -> None:
        """Lets go of children that were idle for long; for a server that has nothing to do, every minute or so."""
        self._pool.tidy()

    def close(self) -> None:
        """When no attempt is under way any more: idle children end, temporary files go."""
        self._pool.close()
        self._results.close()
        while self._bells:
            self._bells.pop().close()

    def _interrupted(self, lost: LauncherLost, control: Control) -> Stopped:
        self._launcher.recover(lost)
        return Stopped(reason=control.reason or StopReason.INTERRUPTED, killed=True)

    def _command(self, spec: AttemptSpec, command: Command, control: Control, sink: Sink) -> Outcome:
        try:
            bell = self._bells.pop()
        except IndexError:
            bell = new_bell()
        control.attach(bell)
        try:
            return CommandAttempt(spec, command, control, sink, bell, self._clock).run(self._launcher, self._results)
        finally:
            control.detach()
            self._bells.append(bell)
