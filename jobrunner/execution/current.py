"""``jobrunner.current_run()``: what a Python job sees of its own run. Set by the warm child that executes it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from jobrunner.errors import JobrunnerError, UsageError

if TYPE_CHECKING:
    from datetime import datetime


class CurrentRun:
    """The run under way. ``fire_time`` is aware, in UTC; ``parent_results`` maps parents' jobs to their results."""

    __slots__ = ("_report", "_seen")

    def __init__(self, seen: Mapping[str, Any], report: Callable[[float, float | None, str], None]) -> None:
        self._seen = seen
        self._report = report

    @property
    def run_id(self) -> int:
        return int(self._seen["run_id"])

    @property
    def job(self) -> str:
        return str(self._seen["job"])

    @property
    def attempt(self) -> int:
        """Counts from 1."""
        return int(self._seen["attempt"])

    @property
    def max_attempts(self) -> int:
        return int(self._seen["max_attempts"])

    @property
    def trigger(self) -> str:
        return str(self._seen["trigger"])

    @property
    def server(self) -> str:
        return str(self._seen["server"])

    @property
    def fire_time(self) -> datetime | None:
        """None where no schedule created the run."""
        from datetime import datetime

        text = self._seen.get("fire_time")
        return None if text is None else datetime.fromisoformat(text)

    @property
    def batch_id(self) -> int | None:
        found = self._seen.get("batch_id")
        return None if found is None else int(found)

    @property
    def params(self) -> dict[str, Any]:
        return dict(self._seen["params"])

    @property
    def parent_results(self) -> dict[str, Any]:
        """Empty where there are no parents."""
        return dict(self._seen.get("parent_results") or {})

    def progress(self, done: float, total: float | None = None, message: str = "") -> None:
        """Reports how far the run is; cheap enough for a loop, since most of many calls are not passed on.

        Raises:
            UsageError: a number that is none, or not finite.
        """
        self._report(_number("done", done), None if total is None else _number("total", total), str(message))

    def __repr__(self) -> str:
        return f"<run {self.run_id} of {self.job}, attempt {self.attempt}>"


def current_run() -> CurrentRun:
    """The run that this code is executed for, also in threads and coroutines that it has started.

    Raises:
        JobrunnerError: outside of a Python job.
    """
    if _current is None:
        raise JobrunnerError("there is no current run", hint="current_run() works inside a python job only")
    return _current


def set_current(run: CurrentRun | None) -> None:
    """For the warm child: it executes one run at a time, so the whole process has one."""
    global _current
    _current = run


def _number(name: str, value: float) -> float:
    try:
        number = float(value)
    except (TypeError, ValueError):
        raise UsageError(f"progress: {name} is not a number: {value!r:.60}") from None
    if number - number != 0:
        raise UsageError(f"progress: {name} is not finite: {value!r}")
    return number


_current: CurrentRun | None = None
