"""Every error that a caller of jobrunner may catch; each knows its exit status and what to do about it.

Raised in all rooms, printed by the outermost layer only.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple


class JobrunnerError(Exception):
    """Base of all errors meant for people: one line that says what is wrong, where, and what to do.

    ``exit_status`` is the documented status of the command that meets it.
    """

    exit_status = 1

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message}; {self.hint}" if self.hint else self.message


class UsageError(JobrunnerError):
    """The words of a command or call do not fit: an unreadable time, duration, expression or option."""

    exit_status = 2


class ParameterError(UsageError):
    """A parameter of a job is missing, unknown, or has a value that its declaration does not allow."""


class ScheduleError(UsageError):
    """A schedule that cannot be read, or that never fires."""


class NotFound(JobrunnerError):
    """No such job, run, batch, queue or attempt."""

    exit_status = 3


class ResultTimeout(JobrunnerError):
    """The wait for a run ended before the run did; the run goes on."""

    exit_status = 4


class StoreUnavailable(JobrunnerError):
    """The store cannot be opened, read or written."""

    exit_status = 5


class BrokerUnavailable(JobrunnerError):
    """The broker cannot be reached; nothing is lost, since the store holds every run."""

    exit_status = 5


class Refused(JobrunnerError):
    """Not allowed: a state that does not permit it, missing rights, or something that is already there."""

    exit_status = 6


class Interrupted(JobrunnerError):
    """A question to the store was broken off because its answer is not wanted any more."""

    exit_status = 130


class RunFailed(JobrunnerError):
    """A run that was waited for ended without success.

    ``run_id`` and ``state`` tell which and how; the message carries the run's own error.
    """

    exit_status = 1

    def __init__(self, message: str, *, run_id: int, state: str) -> None:
        super().__init__(message)
        self.run_id = run_id
        self.state = state


class JobCancelled(BaseException):
    """Raised inside a Python job when its run is cancelled, timed out or interrupted.

    Derives from BaseException, as asyncio.CancelledError does, so that ``except Exception`` does not swallow it.
    """


class Problem(NamedTuple):
    """One fault of a configuration file; line and column count from 1, and are None where they do not apply."""

    file: str
    line: int | None
    column: int | None
    message: str

    def __str__(self) -> str:
        place = ":".join(str(part) for part in (self.file, self.line, self.column) if part is not None)
        return f"{place}: {self.message}"


class ConfigError(JobrunnerError):
    """The configuration is missing, unreadable, unsafe or invalid. ``problems`` has every fault, in file order."""

    exit_status = 78

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(str(problem) for problem in self.problems))
