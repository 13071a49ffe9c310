"""Finding lines in kept output, a slice at a time, so that nobody has to wait for the whole of it. Pure."""

from __future__ import annotations

import re
from array import array
from bisect import bisect_left
from collections.abc import Iterator
from typing import NamedTuple

from jobrunner.tui.widgets.kept import Kept, Stream

SLICE = 1 << 18
"""Bytes that are searched at a time: a few milliseconds."""

_OVERLAP = 256
_COLOUR = rb"(?:\x1b\[[0-9;:]*m)*"
_ERRORS = rb"[EeFfTtCcPp](?:rror|RROR|atal|ATAL|raceback|xception|XCEPTION|ritical|RITICAL|anic)s?\b"
"""A class of characters comes first, and no case is ignored: that is eight times as fast."""


class Wanted(NamedTuple):
    """Lines with a match of ``pattern``, said by one of ``streams``; None: whatever it is.

    ``changes``: also the first line of each stretch of stderr, whatever it says.
    """

    pattern: re.Pattern[bytes] | None = None
    streams: frozenset[Stream] | None = None
    changes: bool = False


ERRORS = Wanted(re.compile(_ERRORS), changes=True)
"""Lines that tell of an error, and the places where stderr begins to speak."""


class Pattern(NamedTuple):
    """What a person looks for, for bytes as they were kept and for text as it is shown."""

    text: str
    shown: re.Pattern[str]
    plain: re.Pattern[bytes]
    coloured: re.Pattern[bytes]

    def of(self, kept: Kept) -> re.Pattern[bytes]:
        """For this output: colours may begin and end within a match, which takes longer to find."""
        return self.coloured if kept.has_colours else self.plain


def pattern(text: str) -> Pattern:
    """What ``text`` stands for: ``/…/`` is a regular expression, all else is meant as it is.

    Capitals are told from small letters only where the text has capitals.

    Raises:
        ValueError: not a regular expression; the text says why.
    """
    regular = len(text) > 2 and text.startswith("/") and text.endswith("/")
    body = text[1:-1] if regular else text
    flags = re.MULTILINE | (0 if body != body.lower() else re.IGNORECASE)
    try:
        shown = re.compile(body if regular else re.escape(body), flags)
        plain = re.compile((body if regular else re.escape(body)).encode(), flags)
    except re.error as error:
        raise ValueError(f"not a regular expression: {error}") from error
    return Pattern(text, shown, plain, plain if regular else re.compile(_coloured(body), flags))


def _coloured(text: str) -> bytes:
    """The text, between the letters of which colours may begin and end."""
    letters = [re.escape(letter.encode()) for letter in text]
    return _COLOUR.join(letters) if len(letters) <= 64 else b"".join(letters)


class Scan:
    """All lines that are wanted, in order, as far as the output has been searched. It goes on with what is added."""

    def __init__(self, kept: Kept, wanted: Wanted) -> None:
        self.wanted = wanted
        self.found = array("Q")
        """Where the lines begin."""
        self.upto = 0
        self._kept = kept

    @property
    def done(self) -> bool:
        """Whether all of the output has been searched."""
        return self.upto >= len(self._kept.data)

    def step(self) -> None:
        """Searches one slice more."""
        end = min(self.upto + SLICE, len(self._kept.data))
        for start in found(self._kept, self.wanted, self.upto, end):
            if not self.found or self.found[-1] < start:
                self.found.append(start)
        self.upto = end

    def number(self, start: int | None) -> int:
        """Which of the lines begins there, from 1; 0: none."""
        if start is None or (place := self.place(start)) == len(self.found) or self.found[place] != start:
            return 0
        return place + 1

    def place(self, start: int) -> int:
        """Which of the lines is the first that begins there or later."""
        return bisect_left(self.found, start)


class Seek:
    """The next line that is wanted, from one line on, or backwards; around the end if there is none before it."""

    def __init__(self, kept: Kept, wanted: Wanted, start: int, *, backwards: bool) -> None:
        self.found: int | None = None
        self.done = False
        self.around = False
        """Whether it was found beyond the end, or the beginning."""
        self._kept, self._wanted, self._start, self._backwards = kept, wanted, start, backwards
        self._slices = self._backward_slices() if backwards else self._forward_slices()

    def step(self) -> None:
        """Searches one slice more; ``done`` when it has been found, or there is nothing to find."""
        piece = next(self._slices, None)
        if piece is None:
            self.done = True
            return
        lines = list(found(self._kept, self._wanted, *piece))
        if lines:
            self.found, self.done = lines[-1] if self._backwards else lines[0], True
            self.around = self.found >= self._start if self._backwards else self.found <= self._start

    def _forward_slices(self) -> Iterator[tuple[int, int]]:
        after = self._kept.next_start(self._start)
        yield from _slices(after, len(self._kept.data))
        yield from _slices(0, after)

    def _backward_slices(self) -> Iterator[tuple[int, int]]:
        yield from reversed(_slices(0, self._start))
        yield from reversed(_slices(self._start, len(self._kept.data)))


def found(kept: Kept, wanted: Wanted, start: int, end: int) -> Iterator[int]:
    """Where the wanted lines begin that have their match between two places; a line may come twice, in two slices."""
    if wanted.changes:
        yield from sorted({*_matching(kept, wanted, start, end), *_changes(kept, start, end)})
    elif wanted.pattern is None:
        yield from _all(kept, wanted, start, end)
    else:
        yield from _matching(kept, wanted, start, end)


def _matching(kept: Kept, wanted: Wanted, start: int, end: int) -> Iterator[int]:
    assert wanted.pattern is not None
    place = start
    while place < end:
        match = wanted.pattern.search(kept.data, place, min(end + _OVERLAP, len(kept.data)))
        if match is None or match.start() >= end:
            return
        line = kept.line_start(match.start())
        if _from(kept, wanted, line):
            yield line
        place = kept.next_start(match.start())


def _all(kept: Kept, wanted: Wanted, start: int, end: int) -> Iterator[int]:
    place = start if start == 0 or kept.data[start - 1 : start] == b"\n" else kept.next_start(start)
    while place < end:
        run_end = kept.run_end(place)
        if _from(kept, wanted, place):
            while place < min(run_end, end):
                yield place
                place = kept.next_start(place)
        else:
            place = run_end


def _changes(kept: Kept, start: int, end: int) -> Iterator[int]:
    """Where stderr begins to speak after something else has."""
    place = kept.line_start(start)
    while place < end:
        after = kept.run_end(place)
        if (
            place >= start
            and kept.stream_at(place) is Stream.ERR
            and (place == 0 or kept.stream_at(place - 1) is not Stream.ERR)
        ):
            yield place
        place = after


def _from(kept: Kept, wanted: Wanted, line: int) -> bool:
    return wanted.streams is None or kept.stream_at(line) in wanted.streams


def _slices(start: int, end: int) -> list[tuple[int, int]]:
    return [(place, min(place + SLICE, end)) for place in range(start, end, SLICE)]
