"""Finds and calls what a run names. Used inside warm children."""

from __future__ import annotations

import sys
from collections.abc import Callable
from importlib import import_module, invalidate_caches
from typing import Any


def call(request: dict[str, Any]) -> Any:
    """Calls the function with the run's parameters, or performs the HTTP request; gives back what it returned.

    Raises:
        BaseException: whatever the import or the function raises.
    """
    if "http" in request:
        from jobrunner.execution.http import perform

        return perform(request["http"], sys.stdout.buffer)
    return _find(request["target"])(**request["run"]["params"])


def run_coroutine(awaitable: Any, started: Callable[[Callable[[], object]], None]) -> Any:
    """Awaits it in an event loop of its own; ``started`` is given what cancels it, to be called from anywhere."""
    import asyncio

    async def body() -> Any:
        loop, task = asyncio.get_running_loop(), asyncio.current_task()
        assert task is not None
        started(lambda: loop.call_soon_threadsafe(task.cancel))
        return await awaitable

    return asyncio.run(body())


def _find(target: str) -> Callable[..., Any]:
    name, _, path = target.partition(":")
    if name not in sys.modules:
        invalidate_caches()  # a file that is younger than the last look into its folder
    found: Any = import_module(name)
    for part in path.split("."):
        found = getattr(found, part)
    if not callable(found):
        raise TypeError(f"{target} is not a function but {type(found).__name__}")
    return found  # type: ignore[no-any-return]
