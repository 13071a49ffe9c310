"""The output of an attempt as it is held in memory: its bytes in whole lines, which stream said them, and when. Pure.

A line is found by counting the newlines of blocks, so that a million lines need no million of objects.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from enum import IntEnum
from typing import NamedTuple

from jobrunner.domain.clock import from_micros, to_micros
from jobrunner.domain.size import format_size
from jobrunner.domain.status import OutputPart

_BLOCK = 1 << 14
LONGEST = 8_000
"""Bytes of a line that are shown; the rest is counted."""


class Stream(IntEnum):
    """Who said a line. A ``NOTE`` is ours, about the output: that some of it is missing, which attempt begins."""

    OUT = 0
    ERR = 1
    NOTE = 2


class Said(NamedTuple):
    """One line without its newline, as much of it as is shown; ``more``: bytes that it goes on for."""

    stream: Stream
    at: datetime
    data: bytes
    more: int


@dataclass(slots=True)
class _Unfinished:
    """The beginning of a line whose end has not come yet."""

    at: int = 0
    data: bytearray = field(default_factory=bytearray)


_STREAMS = {"stdout": Stream.OUT, "stderr": Stream.ERR}


class Kept:
    """Lines in the order in which they were completed.

    A line that one stream has begun is not torn by what the other says meanwhile: it comes when it is whole. Until
    then it is among the ``unfinished``.
    """

    def __init__(self) -> None:
        self.data = bytearray()
        """Whole lines, each with its newline."""
        self.lines = 0
        self.size = 0
        """Bytes that the attempt has printed and that are here, unfinished lines too."""
        self.dropped = 0
        """Bytes that it has printed and that are not kept."""
        self.has_colours = False
        self._newlines = array("Q", [0])
        self._starts, self._times, self._streams = array("Q"), array("q"), bytearray()
        self._unfinished = {Stream.OUT: _Unfinished(), Stream.ERR: _Unfinished()}

    def append(self, parts: Iterable[OutputPart]) -> None:
        """The next output; bytes that were dropped leave a note where they are missing."""
        for part in parts:
            if part.dropped:
                self.dropped += part.dropped
                self.note(f"{format_size(part.dropped)} were dropped here", part.at)
            if part.data:
                self._take(_STREAMS[part.stream], to_micros(part.at), part.data)

    def note(self, text: str, at: datetime) -> None:
        """A line of ours between those of the attempt."""
        self.end()
        self._add(Stream.NOTE, to_micros(at), text.encode() + b"\n")

    def end(self) -> None:
        """Makes whole lines of what has no newline: there will be none."""
        for stream, rest in self._unfinished.items():
            if rest.data:
                self._add(stream, rest.at, rest.data + b"\n")
                self._unfinished[stream] = _Unfinished()

    @property
    def unfinished(self) -> list[Said]:
        """The lines that have begun."""
        found = [(stream, rest) for stream, rest in self._unfinished.items() if rest.data]
        return [Said(stream, from_micros(rest.at), *_shown(rest.data, 0, len(rest.data))) for stream, rest in found]

    @property
    def begun_at(self) -> datetime | None:
        """When the first line was said."""
        return from_micros(self._times[0]) if self._times else None

    def start_of(self, number: int) -> int:
        """Where a line begins, by its number from 0."""
        if number <= 0:
            return 0
        block = min(bisect_left(self._newlines, number) - 1, len(self._newlines) - 1)
        place = block * _BLOCK
        for _ in range(number - self._newlines[block]):
            place = self.data.index(b"\n", place) + 1
        return place

    def number_of(self, start: int) -> int:
        """Which line begins there, from 0."""
        block = min(start // _BLOCK, len(self._newlines) - 1)
        return self._newlines[block] + self.data.count(b"\n", block * _BLOCK, start)

    def next_start(self, start: int) -> int:
        """Where the line after this one begins."""
        return self.data.find(b"\n", start) + 1 or len(self.data)

    def line_start(self, place: int) -> int:
        """Where the line begins that this byte is in."""
        return self.data.rfind(b"\n", 0, place) + 1

    def line(self, start: int) -> Said:
        """The line that begins there."""
        run = self._run(start)
        end = self.next_start(start) - 1
        return Said(Stream(self._streams[run]), from_micros(self._times[run]), *_shown(self.data, start, end))

    def stream_at(self, start: int) -> Stream:
        """Who said the line that begins there."""
        return Stream(self._streams[self._run(start)])

    def run_end(self, start: int) -> int:
        """Where the lines end that the same stream has said in one go."""
        run = self._run(start) + 1
        return self._starts[run] if run < len(self._starts) else len(self.data)

    def _run(self, start: int) -> int:
        return bisect_right(self._starts, start) - 1

    def _take(self, stream: Stream, at: int, data: bytes) -> None:
        self.size += len(data)
        self.has_colours = self.has_colours or b"\x1b" in data
        begun, whole = self._unfinished[stream], data.rfind(b"\n") + 1
        if whole and begun.data:
            first = data.index(b"\n") + 1
            self._add(stream, begun.at, begun.data + data[:first])
            self._add(stream, at, data[first:whole])
        elif whole:
            self._add(stream, at, data[:whole])
        if whole:
            self._unfinished[stream] = begun = _Unfinished()
        if not begun.data:
            begun.at = at
        begun.data += data[whole:]

    def _add(self, stream: Stream, at: int, data: bytes | bytearray) -> None:
        if not data:
            return
        if not self._starts or (self._streams[-1], self._times[-1]) != (stream, at):
            self._starts.append(len(self.data))
            self._times.append(at)
            self._streams.append(stream)
        self.data += data
        self.lines += data.count(b"\n")
        for block in self._whole_blocks():
            self._newlines.append(self._newlines[-1] + self.data.count(b"\n", block, block + _BLOCK))

    def _whole_blocks(self) -> Iterator[int]:
        """Where the blocks begin that are full and were not counted yet."""
        return iter(range((len(self._newlines) - 1) * _BLOCK, len(self.data) - _BLOCK + 1, _BLOCK))


def _shown(data: bytearray, start: int, end: int) -> tuple[bytes, int]:
    """What of a line is shown, and how many bytes are not: only what follows the last carriage return."""
    if data[end - 1 : end] == b"\r":
        end -= 1
    start = (data.rfind(b"\r", start, end) + 1) or start
    return bytes(data[start : min(end, start + LONGEST)]), max(end - start - LONGEST, 0)
