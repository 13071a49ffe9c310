"""An attempt as processes and requests: starts it, watches it, ends it, and gives back how it went.

Called by the server, which knows runs and stores; nothing in here does. What a guard, a launcher or a warm child
imports must stay small, so names are loaded when first used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from jobrunner.execution.attempt import AttemptSpec as AttemptSpec
    from jobrunner.execution.attempt import Control as Control
    from jobrunner.execution.attempt import Sink as Sink
    from jobrunner.execution.attempt import StopReason as StopReason
    from jobrunner.execution.execution import Execution as Execution
    from jobrunner.execution.launcher import Launcher as Launcher
    from jobrunner.execution.leftovers import end_left as end_left
    from jobrunner.execution.outcome import Failed as Failed
    from jobrunner.execution.outcome import NotStarted as NotStarted
    from jobrunner.execution.outcome import Outcome as Outcome
    from jobrunner.execution.outcome import Stopped as Stopped
    from jobrunner.execution.outcome import Succeeded as Succeeded
    from jobrunner.execution.outcome import TimedOut as TimedOut

_HOMES = {
    "AttemptSpec": "attempt",
    "Control": "attempt",
    "Execution": "execution",
    "Failed": "outcome",
    "Launcher": "launcher",
    "NotStarted": "outcome",
    "Outcome": "outcome",
    "Sink": "attempt",
    "StopReason": "attempt",
    "Stopped": "outcome",
    "Succeeded": "outcome",
    "TimedOut": "outcome",
    "end_left": "leftovers",
}

__all__ = [
    "AttemptSpec",
    "Control",
    "Execution",
    "Failed",
    "Launcher",
    "NotStarted",
    "Outcome",
    "Sink",
    "StopReason",
    "Stopped",
    "Succeeded",
    "TimedOut",
    "end_left",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'jobrunner.execution' has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f"jobrunner.execution.{_HOMES[name]}"), name)
