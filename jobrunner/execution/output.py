"""What an attempt says, on its way from pipes to the sink: masked, with progress and the last words taken from it."""

from __future__ import annotations

import fcntl
import os
import time
from typing import Any

from jobrunner.domain.clock import Clock
from jobrunner.domain.run import Progress
from jobrunner.execution.attempt import AttemptSpec, Sink
from jobrunner.execution.masking import Masker
from jobrunner.execution.reports import ProgressLines, ProgressValve
from jobrunner.execution.wording import one_line

CHUNK = 65536
"""What a pipe holds, unless it was made wider."""

_WIDE = 16 * CHUNK
_FILLING_SECONDS = 0.0003
"""In which a program that does nothing but print fills most of a wide one."""

_LAST_WORDS = 4096
_MOST_AFTER_END = 1024 * 1024


class Output:
    """The two streams of one attempt. ``commands`` may report progress in lines of their output."""

    __slots__ = ("_lines", "_maskers", "_sink", "_tail", "_words", "valve")

    def __init__(self, spec: AttemptSpec, sink: Sink, clock: Clock, *, lines: bool) -> None:
        self._sink = sink
        self._words = Masker(spec.secrets) if spec.secrets else None
        self._maskers = {name: Masker(spec.secrets) for name in ("stdout", "stderr")} if self._words else None
        self._lines = ProgressLines() if lines else None
        self._tail = b""
        self.valve = ProgressValve(clock, sink.progress)

    def feed(self, stream: str, data: bytes) -> None:
        """Bytes as they were read."""
        self._pass_on(stream, self._maskers[stream].feed(data) if self._maskers else data)

    def finish(self) -> None:
        """Nothing more will be said."""
        if self._maskers:
            for stream, masker in self._maskers.items():
                self._pass_on(stream, masker.finish())
        if self._lines:
            self._report(self._lines.finish())
        self.valve.flush()

    def mask(self, text: str) -> str:
        """A text of the attempt that is shown elsewhere than in its output."""
        return self._words.mask(text) if self._words else text

    def mask_result(self, value: Any) -> Any:
        """A JSON value with every text in it masked: a result is shown, too."""
        if self._words is None:
            return value
        match value:
            case str():
                return self._words.mask(value)
            case list():
                return [self.mask_result(part) for part in value]
            case dict():
                return {self._words.mask(key): self.mask_result(part) for key, part in value.items()}
            case _:
                return value

    @property
    def last_error_line(self) -> str:
        """The last line on stderr that is not empty, fit to stand in an error."""
        lines = [line for line in map(one_line, self._tail.decode(errors="replace").splitlines()) if line]
        return lines[-1] if lines else ""

    def _pass_on(self, stream: str, data: bytes) -> None:
        if not data:
            return
        self._sink.output(stream, data)
        if stream == "stderr":
            self._tail = (self._tail + data)[-_LAST_WORDS:]
        elif self._lines:
            self._report(self._lines.feed(data))

    def _report(self, reports: list[Progress]) -> None:
        for report in reports:
            self.valve.put(report)


class Pipe:
    """The pipe of one stream, not blocking. Where it is found full, it is made wider, and from then on left to fill for
    a moment before it is read: who prints so fast shall be waited for less, and wait less."""

    __slots__ = ("_fd", "_full", "_most")

    def __init__(self, fd: int) -> None:
        self._fd = fd
        self._most = CHUNK
        self._full = False

    def read(self) -> bytes | None:
        """What it holds: empty at its end, None where there is nothing now."""
        if self._most > CHUNK and not self._full:
            time.sleep(_FILLING_SECONDS)
        data = read_once(self._fd, self._most)
        self._full = data is not None and len(data) == self._most
        if self._full and self._most == CHUNK:
            self._widen()
        return data

    def _widen(self) -> None:
        try:
            fcntl.fcntl(self._fd, fcntl.F_SETPIPE_SZ, _WIDE)
        except OSError:
            return  # a user may have so many wide pipes and no more: pipe(7), pipe-user-pages-soft
        self._most = _WIDE
        # glibc gives memory back to the system, and takes it anew page by page, unless it has seen larger chunks come
        # and go (mallopt(3), M_MMAP_THRESHOLD): 25,000 page faults for each gigabyte, with this 8,000.
        bytes(2 * _WIDE)


def read_once(fd: int, most: int = CHUNK) -> bytes | None:
    """What a non-blocking pipe holds at one moment, so much at the most: empty at its end, None where there is nothing
    now."""
    try:
        return os.read(fd, most)
    except BlockingIOError:
        return None


def read_rest(fd: int, stream: str, output: Output) -> None:
    """What is in the pipe after its writer has ended. Never waits for somebody else who holds it, and reads no more
    than a pipe can hold."""
    taken = 0
    while taken < _MOST_AFTER_END and (data := read_once(fd)):
        taken += len(data)
        output.feed(stream, data)
