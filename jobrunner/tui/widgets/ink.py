"""What widgets write with: styles from the words of presentation, the ground they stand on, texts cut to size."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import lru_cache

from rich.cells import cell_len, set_cell_size
from rich.color import Color as RichColor
from rich.segment import Segment
from rich.style import Style
from textual.color import Color
from textual.strip import Strip
from textual.widget import Widget

from jobrunner.presentation.sanitise import plain
from jobrunner.presentation.screen import Screen
from jobrunner.presentation.table import Cell

_NOT_COLOURS = frozenset({"bold", "dim", "reverse", "underline", "italic"})

Pieces = Sequence[Cell]
"""Texts of different styles, one behind the other, on one line."""


@lru_cache(512)
def ink(words: str, colour: bool = True) -> Style:
    """The style of words such as ``bold red``; without colours what is left of it."""
    kept = words if colour else " ".join(word for word in words.split() if word in _NOT_COLOURS)
    return Style.parse(kept) if kept else Style.null()


def ground(widget: Widget) -> Style:
    """What a widget's text stands on. The terminal's own colours are not said: that halves the bytes of a line."""
    style = widget.visual_style
    kept = [_said(colour) for colour in (style.foreground, style.background)]
    return Style(bold=style.bold or None, dim=style.dim or None, reverse=style.reverse or None) + Style.from_color(
        *kept
    )


def written(pieces: Iterable[Cell], screen: Screen, base: Style) -> list[Segment]:
    """The pieces as segments on a ground; each text passes the sanitiser."""
    return [Segment(plain(piece.text), base + ink(piece.style, screen.colour)) for piece in pieces if piece.text]


def line(pieces: Iterable[Cell], width: int, screen: Screen, base: Style) -> Strip:
    """The pieces as one line of exactly ``width`` cells: cut with an ellipsis, or filled up."""
    return fitted(written(pieces, screen, base), width, screen, base)


def fitted(segments: list[Segment], width: int, screen: Screen, base: Style) -> Strip:
    """The segments in exactly ``width`` cells."""
    length = sum(cell_len(segment.text) for segment in segments)
    if length > width:
        segments, length = _cut(segments, width, screen), width
    if length < width:
        segments = [*segments, Segment(" " * (width - length), base)]
    return Strip(joined(segments), width)


def joined(segments: Iterable[Segment]) -> list[Segment]:
    """Neighbours of one style as one segment, so that it is sent once."""
    found = list[Segment]()
    for segment in segments:
        if found and found[-1].style == segment.style:
            found[-1] = Segment(found[-1].text + segment.text, segment.style)
        elif segment.text:
            found.append(segment)
    return found


def clipped(text: str, width: int, screen: Screen) -> str:
    """The text in at most ``width`` cells, with an ellipsis where it was cut."""
    if cell_len(text) <= width:
        return text
    return set_cell_size(text, width - 1).rstrip() + screen.ellipsis if width > 0 else ""


def _cut(segments: Iterable[Segment], width: int, screen: Screen) -> list[Segment]:
    kept, left = list[Segment](), width - 1
    for segment in segments:
        length = cell_len(segment.text)
        if length > left:
            text = set_cell_size(segment.text, left) + screen.ellipsis if width > 0 else ""
            return [*kept, Segment(text, segment.style)]
        kept.append(segment)
        left -= length
    return kept


def _said(colour: Color | None) -> RichColor | None:
    return None if colour is None or colour.ansi == -1 or colour.a == 0 else colour.rich_color
