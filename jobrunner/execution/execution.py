"""The door of this room: executes attempts, each in the thread that asks. Used by the server's workers, and for short
calls by the thread of its engine."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager

from jobrunner.domain.clock import Clock
from jobrunner.domain.job import Command, Job, PythonCall
from jobrunner.execution.attempt import AttemptSpec, Control, Sink, StopReason
from jobrunner.execution.bell import Bell, new_bell
from jobrunner.execution.callable import CallAttempt
from jobrunner.execution.cgroup import name_for
from jobrunner.execution.command import CommandAttempt
from jobrunner.execution.launcher import Launcher, LauncherLost
from jobrunner.execution.outcome import Outcome, Stopped
from jobrunner.execution.pool import Pool
from jobrunner.execution.resultfile import ResultFiles

Begun = CallAttempt | CommandAttempt
"""An attempt under way that nobody waits for; see there for how it goes on."""


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

    def begin(
        self,
        spec: AttemptSpec,
        control: Control,
        sink: Sink,
        behind: Sequence[AttemptSpec] = (),
        until: float = 0.0,
    ) -> Begun | None:
        """A call that a waiting child has begun, or a command whose process was asked for. Does not wait: None where
        ``execute`` has to, and nothing was done. ``behind``: calls for the same child, see ``CallAttempt``."""
        if control.reason is not None:
            return None
        match spec.job.kind:
            case Command() as command:
                started = CommandAttempt(spec, command, control, sink, self._clock)
                return started if started.begin(self._launcher, self._results) else None
            case PythonCall():
                called = CallAttempt(spec, control, sink, self._pool, self._clock)
                return called if called.begin(behind, until) else None
            case _:
                return None

    def follow(self, before: CallAttempt, spec: AttemptSpec, control: Control, sink: Sink) -> CallAttempt:
        """The call behind one that has ended and goes on."""
        called = CallAttempt(spec, control, sink, self._pool, self._clock)
        called.follow(before)
        return called

    def finish(self, attempt: Begun, control: Control) -> Outcome:
        """As ``execute``, of what has begun."""
        try:
            if isinstance(attempt, CallAttempt):
                return attempt.finish()
            with self._bell() as bell:
                return attempt.finish(bell)
        except LauncherLost as lost:
            return self._interrupted(lost, control)

    def prepare(self, jobs: Iterable[Job]) -> None:
        """Starts one warm child if any of the jobs is Python, so that the first run finds it."""
        self._pool.warm([job for job in jobs if job.kind_name == "python"])

    def expect(self) -> None:
        """Commands are about to begin, ``moves.AHEAD_SECONDS`` from now: they then start quicker."""
        self._launcher.expect()

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
        with self._bell() as bell:
            attempt = CommandAttempt(spec, command, control, sink, self._clock)
            return attempt.run(self._launcher, self._results, bell)

    @contextmanager
    def _bell(self) -> Iterator[Bell]:
        try:
            bell = self._bells.pop()
        except IndexError:
            bell = new_bell()
        try:
            yield bell
        finally:
            self._bells.append(bell)
