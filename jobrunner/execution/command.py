"""A command as an attempt: started by the launcher, watched in one poll loop, its result read from a file."""

from __future__ import annotations

import os
import select
from collections.abc import Callable, Sequence
from typing import Any

from jobrunner.domain.clock import Clock
from jobrunner.domain.job import Command, Job
from jobrunner.domain.params import fill
from jobrunner.errors import ParameterError
from jobrunner.execution.attempt import AttemptSpec, Control, Sink
from jobrunner.execution.bell import Bell
from jobrunner.execution.describe import describe, folder_of, limits_of
from jobrunner.execution.ending import Ending
from jobrunner.execution.environment import run_variables
from jobrunner.execution.launcher import Launcher, LauncherLost, Process
from jobrunner.execution.outcome import PENDING, Failed, NotStarted, Outcome, Pending, Succeeded
from jobrunner.execution.output import Output, Pipe, read_rest
from jobrunner.execution.resultfile import BadResult, ResultFile, ResultFiles
from jobrunner.execution.wording import one_line, signal_name

_SMALL = 4096
"""Bytes of arguments and variables that the launcher's socket takes at once, from every worker."""


class CommandAttempt:
    """One execution of a Command.

    ``run`` is called once, and blocks until nothing of it is left. Or ``begin`` succeeds, ``answered`` is asked when
    ``fd`` is readable, as often as it is ``PENDING``; where that knows no outcome ``finish`` blocks for it.
    """

    __slots__ = (
        "_command", "_control", "_ending", "_err", "_out", "_output", "_process", "_result", "_sink", "_spec",
    )  # fmt: skip

    def __init__(self, spec: AttemptSpec, command: Command, control: Control, sink: Sink, clock: Clock) -> None:
        self._spec = spec
        self._command = command
        self._control = control
        self._sink = sink
        self._output = Output(spec, sink, clock, lines=True)
        self._ending = Ending(spec, control, clock)
        self._process: Process
        self._result: ResultFile
        self._out = self._err = -1

    def run(self, launcher: Launcher, results: ResultFiles, bell: Bell) -> Outcome:
        """Starts it, watches it, and says how it ended.

        Raises:
            LauncherLost: in the middle of it.
        """
        spec = self._spec
        try:
            argv = command_line(spec.job, self._command, spec.params)
        except ParameterError as error:
            return self._not_started(str(error))
        try:
            self._result = results.new(spec.job.user)
        except OSError as error:
            return self._not_started(f"cannot make the folder for the result: {error.strerror}")
        try:
            self._start(launcher.launch, self._request(argv))
        except OSError as error:
            return self._not_started(f"cannot start {argv[0]}: {error.strerror}")
        return self.finish(bell)

    def begin(self, launcher: Launcher, results: ResultFiles) -> bool:
        """Asks for its process; False, and nothing done, where that would take waiting, or fails."""
        spec = self._spec
        if spec.job.user is not None:
            return False
        try:
            argv = command_line(spec.job, self._command, spec.params)
            self._result = results.new(None)
            request = self._request(argv)
            if sum(map(len, argv)) + sum(map(len, request["env"].values())) > _SMALL:
                self._result.remove()
                return False
            return self._start(launcher.launch_at_once, request)
        except (ParameterError, OSError):
            return False

    @property
    def fd(self) -> int:
        """Readable when there is something to learn of its process."""
        return self._process.fd

    def answered(self) -> Outcome | Pending | None:
        """The outcome, where nothing is left; None where only waiting can tell. Never waits."""
        try:
            self._hear()
        except LauncherLost:
            return None
        return self._outcome() if self._process.ended else PENDING

    def finish(self, bell: Bell) -> Outcome:
        """Sees through what has begun; ``bell`` wakes this thread.

        Raises:
            LauncherLost: in the middle of it.
        """
        self._control.attach(bell)
        try:
            self._watch(bell)
        except LauncherLost:
            self._take_rest()
            self._let_go()
            raise
        except BaseException:
            self._process.signal(9)
            self._let_go()
            raise
        finally:
            self._control.detach()
        return self._outcome()

    def _start(
        self, launch: Callable[[dict[str, Any], Sequence[int]], Process | None], request: dict[str, Any]
    ) -> bool:
        fds: list[int] = []
        process = None
        try:
            for _ in range(2):
                fds += os.pipe()
            process = launch(request, (fds[1], fds[3]))
        finally:
            if process is None:
                _close(fds)
                self._result.remove()
        if process is None:
            return False
        self._out, out_writer, self._err, err_writer = fds
        _close((out_writer, err_writer))
        for fd in (self._out, self._err):
            os.set_blocking(fd, False)
        self._process = self._ending.process = process
        return True

    def _outcome(self) -> Outcome:
        try:
            self._take_rest()
            return self._judge()
        except BaseException:
            self._process.signal(9)
            raise
        finally:
            self._let_go()

    def _let_go(self) -> None:
        _close((self._out, self._err))
        self._process.close()
        self._result.remove()

    def _request(self, argv: Sequence[str]) -> dict[str, Any]:
        job = self._spec.job
        env = {**self._spec.env, **run_variables(describe(self._spec)), "JOBRUNNER_RESULT_FILE": self._result.path}
        return {
            "argv": list(argv),
            "env": env,
            "cwd": folder_of(job),
            "umask": job.umask,
            "nice": job.nice,
            "user": job.user,
            "limits": limits_of(job),
        }

    def _watch(self, bell: Bell) -> None:
        """Until the process has ended, with all that belonged to it."""
        poll = select.poll()
        process, names = self._process, {self._out: "stdout", self._err: "stderr"}
        pipes = {fd: Pipe(fd) for fd in names}
        for fd in (process.fd, *names, bell.fd):
            poll.register(fd, select.POLLIN)
        while not process.ended and not self._ending.hopeless:
            pause = sooner(self._ending.step(), self._output.valve.pause())
            for fd, _ in poll.poll(pause):
                if fd == process.fd:
                    self._hear()
                elif fd == bell.fd:
                    bell.hush()
                elif (data := pipes[fd].read()) == b"":
                    poll.unregister(fd)
                elif data:
                    self._output.feed(names[fd], data)

    def _hear(self) -> None:
        process = self._process
        before = process.pid
        process.read()
        if before is None and process.pid is not None:
            self._sink.started(process.pid)

    def _take_rest(self) -> None:
        read_rest(self._out, "stdout", self._output)
        read_rest(self._err, "stderr", self._output)
        self._output.finish()

    def _judge(self) -> Outcome:
        process = self._process
        if process.failure is not None:
            return self._not_started(process.failure)
        kept: dict[str, Any] = {
            "left": process.left,
            "peak_memory": process.peak_memory,
            "cpu": process.cpu,
            "took": process.took,
        }
        ended = self._ending.outcome(**kept)
        if ended is not None:
            return ended
        code, number = process.exit
        if process.exceeded is not None:
            return Failed(error=str(process.exceeded), exit_code=code, signal=number, **kept)
        if number is not None:
            return Failed(error=f"killed by {signal_name(number)}", signal=number, **kept)
        if code != 0:
            return Failed(error=self._exit_line(code), exit_code=code, **kept)
        try:
            return Succeeded(result=self._output.mask_result(self._result.read()), exit_code=0, **kept)
        except BadResult as error:
            return Failed(error=str(error), exit_code=0, **kept)

    def _exit_line(self, code: int | None) -> str:
        words = self._output.last_error_line
        return f"exit status {code}: {words}" if words else f"exit status {code}"

    def _not_started(self, error: str) -> NotStarted:
        return NotStarted(error=one_line(self._output.mask(error), 400))


def command_line(job: Job, command: Command, params: Any) -> list[str]:
    """The program and its arguments, parameters filled in.

    Raises:
        ParameterError: an element names what is no parameter.
    """
    if command.argv is None:
        return [command.shell, "-c", command.line or ""]
    declared = frozenset(param.name for param in job.params)
    return [fill(element, params, declared=declared) for element in command.argv]


def sooner(*pauses: float | None) -> int | None:
    """The least of several pauses in seconds, as whole milliseconds for ``poll``; None where none is given."""
    given = [pause for pause in pauses if pause is not None]
    return int(min(given) * 1000) + 1 if given else None


def _close(fds: Sequence[int], close: Callable[[int], None] = os.close) -> None:
    for fd in fds:
        close(fd)
