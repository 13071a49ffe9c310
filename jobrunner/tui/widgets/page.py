"""Lines of output as strips: time, stream and marks before them, matches in them, wrapped or cut."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import datetime, tzinfo
from enum import Enum
from itertools import pairwise
from typing import NamedTuple

from rich.cells import cell_len, get_character_cell_size
from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

from jobrunner.domain.size import format_size
from jobrunner.presentation.screen import Screen
from jobrunner.presentation.times import elapsed
from jobrunner.tui.widgets.ink import ink, joined
from jobrunner.tui.widgets.kept import Said, Stream
from jobrunner.tui.widgets.sgr import segments


class Shown(Enum):
    """How the time of each line is written."""

    OFF = "off"
    CLOCK = "clock"
    RELATIVE = "since the beginning"


class Page(NamedTuple):
    """How lines are written: ``width`` cells, from column ``left`` of the text on where they are not wrapped."""

    screen: Screen
    zone: tzinfo
    width: int
    base: Style
    times: Shown = Shown.OFF
    begun_at: datetime | None = None
    wrap: bool = False
    left: int = 0
    match: re.Pattern[str] | None = None

    @property
    def room(self) -> int:
        """Cells for the text of a line."""
        return max(self.width - self._margin, 1)

    @property
    def _margin(self) -> int:
        """The cursor's bar and a mark, the time, the stream."""
        return 2 + {Shown.OFF: 0, Shown.CLOCK: 13, Shown.RELATIVE: 8}[self.times] + 2

    def strips(self, said: Said, *, cursor: bool, marked: bool) -> list[Strip]:
        """The line; several strips where it is wrapped."""
        pieces = self._pieces(self._text(said))
        found = list[Strip]()
        for place, piece in enumerate(pieces):
            before = self._before(said, cursor, marked) if place == 0 else self._continued(cursor, marked)
            length = sum(cell_len(segment.text) for segment in piece)
            padding = Segment(" " * (self.room - length), self.base)
            found.append(Strip(joined([*before, *piece, padding])).adjust_cell_length(self.width, self.base))
        return found

    def _text(self, said: Said) -> list[Segment]:
        if said.stream is Stream.NOTE:
            rule = "──" if self.screen.unicode else "--"
            return [Segment(f"{rule} {said.data.decode()} {rule}", self.base + ink("dim", self.screen.colour))]
        text = _highlighted(segments(said.data, self.base, colour=self.screen.colour), self.match)
        if said.more:
            text.append(Segment(f" {self.screen.ellipsis} {format_size(said.more)} more", self.base + ink("dim")))
        return text

    def _pieces(self, text: list[Segment]) -> list[list[Segment]]:
        line = Strip(text)
        if not self.wrap:
            return [self._cut(line)]
        if line.cell_length <= self.room:
            return [text]
        return [list(piece) for piece in line.divide(_cuts(line.text, self.room))]

    def _cut(self, line: Strip) -> list[Segment]:
        if line.cell_length <= self.left + self.room:
            return list(line.crop(self.left, self.left + self.room)) if self.left else list(line)
        more = Segment(self.screen.ellipsis, self.base + ink("dim"))
        return [*line.crop(self.left, self.left + self.room - 1), more]

    def _before(self, said: Said, cursor: bool, marked: bool) -> list[Segment]:
        when = {Shown.OFF: "", Shown.CLOCK: _clock(said.at, self.zone), Shown.RELATIVE: self._since(said.at)}
        time = Segment(when[self.times], self.base + ink("dim"))
        return [*self._continued(cursor, marked)[:1], time, self._stream(said.stream)]

    def _continued(self, cursor: bool, marked: bool) -> list[Segment]:
        unicode = self.screen.unicode
        bar = ("▌" if unicode else "|") if cursor else " "
        mark = ("✓" if unicode else "+") if marked else " "
        return [Segment(bar + mark, self.base + ink("bold")), Segment(" " * (self._margin - 2), self.base)]

    def _stream(self, stream: Stream) -> Segment:
        rule = "│" if self.screen.unicode else "|"
        if stream is Stream.ERR:
            return Segment(f"E{rule}", self.base + ink("bold red", self.screen.colour))
        return Segment(" " + (rule if stream is Stream.OUT else " "), self.base + ink("dim"))

    def _since(self, at: datetime) -> str:
        seconds = (at - self.begun_at).total_seconds() if self.begun_at else 0.0
        return f"{'+' + elapsed(seconds):>7} "


def _clock(at: datetime, zone: tzinfo) -> str:
    return at.astimezone(zone).strftime("%H:%M:%S.%f")[:12] + " "


def _highlighted(text: list[Segment], match: re.Pattern[str] | None) -> list[Segment]:
    """The text with what matches reversed."""
    whole = "".join(segment.text for segment in text)
    spans = [found.span() for found in match.finditer(whole) if found.group()] if match else []
    if not spans:
        return text
    return list(_marked(text, spans))


def _marked(text: Iterable[Segment], spans: list[tuple[int, int]]) -> Iterable[Segment]:
    edges = sorted({edge for span in spans for edge in span})
    place = 0
    for segment in text:
        end = place + len(segment.text)
        cuts = [place, *(edge for edge in edges if place < edge < end), end]
        for start, stop in pairwise(cuts):
            style = segment.style or Style.null()
            if any(first <= start < last for first, last in spans):
                style += Style(reverse=True, bold=True)
            yield Segment(segment.text[start - place : stop - place], style)
        place = end


def _cuts(text: str, room: int) -> list[int]:
    """Where a line is divided, in cells: no character is torn."""
    if text.isascii():
        return [*range(room, len(text), room), len(text)]
    found, column, filled = list[int](), 0, 0
    for character in text:
        size = get_character_cell_size(character)
        if filled + size > room:
            found.append(column)
            filled = 0
        column += size
        filled += size
    return [*found, column]
