"""What a warm child tells of an exception: a line and names for the server, a traceback on stderr for people."""

from __future__ import annotations

import importlib
import os
import sys
from types import TracebackType
from typing import Any

from jobrunner.execution.jsonvalue import NotJson

_HERE = os.path.join(os.path.dirname(__file__), "")
_LEADING = (_HERE, importlib.__file__, "<frozen importlib", os.path.join(os.path.dirname(os.__file__), "asyncio", ""))


class PlainFailure(Exception):
    """A failure whose line says all: no traceback is printed. ``names`` stand for the exception behind it."""

    def __init__(self, line: str, names: tuple[str, ...] = ()) -> None:
        super().__init__(line)
        self.names = names


def describe_failure(error: BaseException) -> dict[str, Any]:
    """The line, and the names of the class and its bases, bare and dotted, nearest first. Prints the traceback."""
    if isinstance(error, PlainFailure):
        return {"error": str(error), "exceptions": list(error.names)}
    if isinstance(error, NotJson):
        return {"error": str(error), "exceptions": ["TypeError", "builtins.TypeError"]}
    _print_traceback(error)
    return {"error": _line(error), "exceptions": names_of(type(error))}


def names_of(kind: type[BaseException]) -> list[str]:
    """The names by which ``retry_on`` may mean an exception."""
    return [
        name
        for base in kind.__mro__
        if base is not object
        for name in (base.__qualname__, f"{base.__module__}.{base.__qualname__}")
    ]


def _line(error: BaseException) -> str:
    try:
        text = str(error)
    except Exception as broken:
        text = f"<str() of it raised {type(broken).__name__}>"
    if isinstance(error, SystemExit):
        text = f"the function called sys.exit({error.code!r:.80})"
    name = type(error).__qualname__
    return f"{name}: {text[:2000]}" if text else name


def _print_traceback(error: BaseException) -> None:
    import traceback

    try:
        traceback.print_exception(type(error), error, _of_the_job(error.__traceback__), file=sys.stderr)
    except Exception as broken:
        try:
            print(f"{type(error).__qualname__} (no traceback: {broken!r:.200})", file=sys.stderr)  # noqa: T201
        except Exception:  # noqa: S110
            pass  # stderr is broken; the line remains


def _of_the_job(trace: TracebackType | None) -> TracebackType | None:
    """The traceback without the frames that led to the job's own code, and without our signal handler at its end."""
    while trace is not None and trace.tb_frame.f_code.co_filename.startswith(_LEADING):
        trace = trace.tb_next
    part = trace
    while part is not None and part.tb_next is not None:
        if part.tb_next.tb_frame.f_code.co_filename.startswith(_HERE):
            part.tb_next = None
        part = part.tb_next
    return trace
