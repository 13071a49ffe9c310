"""Replaces secret values in a stream of bytes, wherever its pieces break. Used on everything that an attempt says."""

from __future__ import annotations

import re
from collections.abc import Iterable

MASK = b"***"
SHORTEST = 4
"""Values of fewer bytes are left alone: masking them would destroy ordinary text and hide little."""


class Masker:
    """Masks as if the whole stream were one text: leftmost first, the longest value where several begin.

    Only bytes that may turn out to begin a value are held back, so a line appears when it is written.
    """

    __slots__ = ("_first", "_held", "_longest", "_pattern", "_values")

    def __init__(self, secrets: Iterable[str]) -> None:
        values = sorted({value for value in map(_bytes, secrets) if len(value) >= SHORTEST}, key=len, reverse=True)
        self._values = tuple(values)
        self._longest = len(values[0]) if values else 0
        self._first = frozenset(value[0] for value in values)
        self._pattern = re.compile(b"|".join(map(re.escape, values))) if values else None
        self._held = b""

    def __bool__(self) -> bool:
        return self._pattern is not None

    def feed(self, data: bytes) -> bytes:
        """The part of the stream that is sure by now."""
        if self._pattern is None:
            return data
        data = self._held + data
        done, at = [], 0
        pending = self._pending(data, 0)
        while (match := self._pattern.search(data, at)) and match.start() < pending:
            done += [data[at : match.start()], MASK]
            at = match.end()
            if at > pending:
                pending = self._pending(data, at)
        self._held = data[pending:]
        return b"".join((*done, data[at:pending]))

    def finish(self) -> bytes:
        """What was held back, at the end of the stream."""
        rest, self._held = self._held, b""
        return self._pattern.sub(MASK, rest) if self._pattern else rest

    def mask(self, text: str) -> str:
        """A whole text, apart from the stream."""
        if self._pattern is None:
            return text
        return self._pattern.sub(MASK, _bytes(text)).decode("utf-8", "surrogateescape")

    def _pending(self, data: bytes, at: int) -> int:
        """Where, not before ``at``, the end of ``data`` begins to look like the beginning of a value."""
        for start in range(max(at, len(data) - self._longest + 1), len(data)):
            if data[start] in self._first:
                tail = data[start:]
                if any(len(value) > len(tail) and value.startswith(tail) for value in self._values):
                    return start
        return len(data)


def _bytes(text: str) -> bytes:
    try:
        return text.encode("utf-8", "surrogateescape")  # as the system's texts are kept in str
    except UnicodeEncodeError:
        return text.encode("utf-8", "surrogatepass")
