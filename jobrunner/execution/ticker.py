"""Thins out what a Python job reports of its progress, before it costs the server anything. Used by warm children."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

_BURST = 10.0
_RATE = 20.0


class Ticker:
    """Passes on ten reports at once and twenty a second after that; ``flush`` passes on the last one held back."""

    __slots__ = ("_held", "_say", "_since", "_tokens")

    def __init__(self, say: Callable[[dict[str, Any]], None]) -> None:
        self._say = say
        self._tokens = _BURST
        self._since = time.monotonic()
        self._held: list[Any] | None = None

    def report(self, done: float, total: float | None, message: str) -> None:
        """One report of the run under way, from any thread."""
        now = time.monotonic()
        self._tokens = min(_BURST, self._tokens + (now - self._since) * _RATE)
        self._since = now
        self._held = [done, total, message[:500]]
        if self._tokens >= 1:
            self._tokens -= 1
            self.flush()

    def flush(self) -> None:
        """Passes on what was held back."""
        held, self._held = self._held, None
        if held is not None:
            self._say({"progress": held})
