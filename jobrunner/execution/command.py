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
from jobrunner.execution.outcome import Failed, NotStarted, Outcome, Succeeded
from jobrunner.execution.output import Output, read_rest, read_some
from jobrunner.execution.resultfile import BadResult, ResultFile, ResultFiles
from jobrunner.execution.wording import one_line, signal_name


class CommandAttempt:
    """One execution of a Command. ``run`` is called once, and blocks until nothing of it is left."""

    def __init__(
        self, spec: AttemptSpec, command: Command, control: Control, sink: Sink, bell: Bell, clock: Clock
    ) -> None:
        self._spec = spec
        self._command = command
        self._control = control
        self._sink = sink
        self._bell = bell
        self._output = Output(spec, sink, clock, lines=True)
        self._ending = Ending(spec, control, clock)

    def run(self, launcher: Launcher, results: ResultFiles) -> Outcome:
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
            result = results.new(spec.run_id, spec.attempt, spec.job.user)
        except OSError as error:
            return self._not_started(f"cannot make the file for the result: {error.strerror}")
        try:
            return self._start(launcher, argv, result)
        finally:
            result.remove()

    def _start(self, launcher: Launcher, argv: Sequence[str], result: ResultFile) -> Outcome:
        fds: list[int] = []
        try:
            for _ in range(2):
                fds += os.pipe()
            out, out_writer, err, err_writer = fds
            process = launcher.launch(self._request(argv, result), (out_writer, err_writer))
        except OSError as error:
            _close(fds)
            return self._not_started(f"cannot start {argv[0]}: {error.strerror}")
        except BaseException:
            _close(fds)
            raise
        _close((out_writer, err_writer))
        try:
            self._watch(process, out, err)
            self._take_rest(out, err)
            return self._judge(process, result)
        except LauncherLost:
            self._take_rest(out, err)
            raise
        except BaseException:
            process.signal(9)
            raise
        finally:
            _close((out, err))
            process.close()

    def _request(self, argv: Sequence[str], result: ResultFile) -> dict[str, Any]:
        job = self._spec.job
        env = {**self._spec.env, **run_variables(describe(self._spec)), "JOBRUNNER_RESULT_FILE": result.path}
        return {
            "argv": list(argv),
            "env": env,
            "cwd": folder_of(job),
            "umask": job.umask,
            "nice": job.nice,
            "user": job.user,
            "limits": limits_of(job),
        }

    def _watch(self, process: Process, out: int, err: int) -> None:
        """Until the process has ended, with all that belonged to it."""
        poll = select.poll()
        names = {out: "stdout", err: "stderr"}
        for fd in names:
            os.set_blocking(fd, False)
        for fd in (process.fd, out, err, self._bell.fd):
            poll.register(fd, select.POLLIN)
        self._ending.process = process
        while not process.ended and not self._ending.hopeless:
            pause = sooner(self._ending.step(), self._output.valve.pause())
            for fd, _ in poll.poll(pause):
                if fd == process.fd:
                    self._hear(process)
                elif fd == self._bell.fd:
                    self._bell.hush()
                elif (data := read_some(fd)) == b"":
                    poll.unregister(fd)
                elif data:
                    self._output.feed(names[fd], data)

    def _hear(self, process: Process) -> None:
        before = process.pid
        process.read()
        if before is None and process.pid is not None:
            self._sink.started(process.pid)

    def _take_rest(self, out: int, err: int) -> None:
        read_rest(out, "stdout", self._output)
        read_rest(err, "stderr", self._output)
        self._output.finish()

    def _judge(self, process: Process, result: ResultFile) -> Outcome:
        if process.failure is not None:
            return self._not_started(process.failure)
        kept: dict[str, Any] = {"left": process.left, "peak_memory": process.peak_memory, "cpu": process.cpu}
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
            return Succeeded(result=self._output.mask_result(result.read()), exit_code=0, **kept)
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
