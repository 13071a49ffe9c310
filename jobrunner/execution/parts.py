"""What runs print one after another into one pipe, told apart by a mark that their child writes between them."""

from __future__ import annotations


class Parts:
    """Of one pipe. Bytes may come in any pieces; what is after the mark is held for the next run."""

    __slots__ = ("_held", "_mark", "over")

    def __init__(self, mark: bytes) -> None:
        self._mark = mark
        self._held = b""
        self.over = False

    def take(self, data: bytes) -> bytes:
        """What of these bytes, and of those that are held, is known to be of the run under way."""
        held = self._held + data
        if self.over:
            self._held = held
            return b""
        part, mark, rest = held.partition(self._mark)
        self.over = bool(mark)
        if not mark:
            part = held[: len(held) - self._begun(held)]
            rest = held[len(part) :]
        self._held = rest
        return part

    def turn(self) -> None:
        """The mark has come, and with that the turn of the next run."""
        self.over = False

    def rest(self) -> bytes:
        """All that is held: no mark is to come."""
        held, self._held = self._held, b""
        return held

    def _begun(self, held: bytes) -> int:
        """So many bytes at the end may be the first of a mark."""
        longest = min(len(self._mark) - 1, len(held))
        return next((count for count in range(longest, 0, -1) if held.endswith(self._mark[:count])), 0)
