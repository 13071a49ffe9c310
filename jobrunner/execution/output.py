"""What an attempt says, on its way from pipes to the sink: masked, with progress and the last words taken from it."""

from __future__ import annotations

import fcntl
import os
from typing import Any

from jobrunner.domain.clock import Clock
from jobrunner.domain.run import Progress
from jobrunner.execution.attempt import AttemptSpec, Sink
from jobrunner.execution.masking import Masker
from jobrunner.execution.reports import ProgressLines, ProgressValve
from jobrunner.execution.wording import one_line

CHUNK = 65536
"""What a pipe holds, unless it was made wider."""

_WIDE = 256 * 1024
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


def read_some(fd: int) -> bytes | None:
    """What a non-blocking pipe holds: empty at its end, None where there is nothing now."""
    data = read_once(fd)
    return data if data is None or len(data) < CHUNK else data + _more(fd)


def read_once(fd: int) -> bytes | None:
    """The same at one moment, CHUNK of it at the most."""
    try:
        return os.read(fd, CHUNK)
    except BlockingIOError:
        return None


def _more(fd: int) -> bytes:
    """The rest of a pipe that was full. It is made wider: who prints so fast shall wait, and be waited for, less."""
    try:
        fcntl.fcntl(fd, fcntl.F_SETPIPE_SZ, _WIDE)
    except OSError:
        pass  # a user may have so many wide pipes and no more: pipe(7), pipe-user-pages-soft
    try:
        return os.read(fd, _WIDE - CHUNK)
    except BlockingIOError:
        return b""


def read_rest(fd: int, stream: str, output: Output) -> None:
    """What is in the pipe after its writer has ended. Never waits for somebody else who holds it, and reads no more
    than a pipe can hold."""
    taken = 0
    while taken < _MOST_AFTER_END and (data := read_some(fd)):
        taken += len(data)
        output.feed(stream, data)
