"""Progress that an attempt reports: found in the output of a command, and thinned out before it is told on."""

from __future__ import annotations

import math
import re
from collections.abc import Callable

from jobrunner.domain.clock import Clock
from jobrunner.domain.run import Progress

_MARK = b"::progress "
_LINE = re.compile(
    rb"^::progress (\d+(?:\.\d+)?)(?:/(\d+(?:\.\d+)?))?(?: +([^\r\n]*?))?[ \r]*$", re.ASCII | re.MULTILINE
)
_LONGEST_LINE = 4096
_LONGEST_MESSAGE = 500
_INTERVAL = 0.1


class ProgressLines:
    """Finds lines ``::progress 30/100 message`` (the total and the message may be missing) in a stream of bytes."""

    __slots__ = ("_line",)

    def __init__(self) -> None:
        self._line: bytes | None = b""  # the line under way; None once it cannot become a report

    def feed(self, data: bytes) -> list[Progress]:
        """The reports whose lines have ended with these bytes."""
        end = data.rfind(b"\n") + 1
        if not end:
            self._extend(data)
            return []
        found, start = list[Progress](), 0
        if self._line != b"":
            start = data.index(b"\n") + 1
            if self._line:
                found = [_report(match) for match in _LINE.finditer(self._line + data[:start])]
        self._line = b""
        self._extend(data[end:])
        # One byte is looked for ten times faster than a word, and most of what floods has none.
        if b":" in data and data.find(_MARK, start, end) >= 0:
            found += [_report(match) for match in _LINE.finditer(data, start, end)]
        return found

    def finish(self) -> list[Progress]:
        """The report of a last line that has no end."""
        line, self._line = self._line, None
        match = _LINE.search(line) if line else None
        return [_report(match)] if match else []

    def _extend(self, data: bytes) -> None:
        if self._line is None:
            return
        line = self._line + data[:_LONGEST_LINE]
        fits = _MARK.startswith(line[: len(_MARK)]) if len(line) < len(_MARK) else line.startswith(_MARK)
        self._line = line if fits and len(line) < _LONGEST_LINE else None


class ProgressValve:
    """Lets through at most ten reports a second, the latest of them, and the last one always."""

    __slots__ = ("_clock", "_next", "_tell", "_waiting")

    def __init__(self, clock: Clock, tell: Callable[[Progress], None]) -> None:
        self._clock = clock
        self._tell = tell
        self._next = -math.inf
        self._waiting: Progress | None = None

    def put(self, progress: Progress) -> None:
        """Tells it now, or when its time has come."""
        self._waiting = progress
        self.pause()

    def pause(self) -> float | None:
        """Tells what is due, and gives the seconds until something will be; None when nothing waits."""
        if self._waiting is None:
            return None
        now = self._clock.monotonic()
        if now < self._next:
            return self._next - now
        self._next = now + _INTERVAL
        self.flush()
        return None

    def flush(self) -> None:
        """Tells what waits, whatever the time."""
        waiting, self._waiting = self._waiting, None
        if waiting is not None:
            self._tell(waiting)


def as_progress(done: float, total: float | None, message: str) -> Progress:
    """A report with its message cut to what a line can show."""
    return Progress(done=done, total=total, message=message[:_LONGEST_MESSAGE])


def _report(match: re.Match[bytes]) -> Progress:
    done, total, message = match.groups()
    return as_progress(float(done), float(total) if total else None, (message or b"").decode(errors="replace"))
