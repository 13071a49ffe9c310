"""How an attempt ended, as values. Given back by ``Execution.execute``, judged by the server."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from enum import Enum
from typing import Any

from jobrunner.execution.attempt import StopReason


@dataclass(frozen=True, slots=True, kw_only=True)
class _Ended:
    """What every end tells: ``left`` processes had to be ended after the main one.

    ``peak_memory`` in bytes is of the largest process, and None where it is not known (a warm child that had needed
    more before). Of a command it is never below the few MiB of the launcher that started it. ``cpu`` is in seconds,
    and so is ``took``, how long a call was under way in a warm child, or a command with all that it left behind; None
    for anything else.
    """

    left: int = 0
    peak_memory: int | None = None
    cpu: float | None = None
    took: float | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Succeeded(_Ended):
    """Exit status 0, a function that returned, or a status that was expected. ``result`` is a JSON value."""

    result: Any = None
    exit_code: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Failed(_Ended):
    """It ran and ended badly. ``error`` is one line, masked.

    ``exceptions`` names the class of a Python exception and its bases, each bare and dotted, the nearest first.
    """

    error: str
    exit_code: int | None = None
    signal: int | None = None
    exceptions: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class TimedOut(_Ended):
    """It ran longer than ``after``; ``killed`` says that SIGTERM was not enough."""

    after: timedelta
    killed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Stopped(_Ended):
    """It was told to end, or its launcher was lost (then the reason is ``INTERRUPTED``)."""

    reason: StopReason
    killed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class NotStarted(_Ended):
    """Nothing of the job ran; ``error`` is one line, masked."""

    error: str


Outcome = Succeeded | Failed | TimedOut | Stopped | NotStarted


class Pending(Enum):
    """What an attempt may tell that is not its end: that it goes on; that its child did not begin it, nor ever will."""

    PENDING = "pending"
    UNBEGUN = "unbegun"


PENDING, UNBEGUN = Pending.PENDING, Pending.UNBEGUN
