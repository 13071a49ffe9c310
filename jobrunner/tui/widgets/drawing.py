"""From cells of text to strips of a terminal. Everything passes the sanitiser here: no widget can forget it."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache

from rich.cells import cell_len, set_cell_size
from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

from jobrunner.presentation.sanitise import plain
from jobrunner.presentation.screen import Screen
from jobrunner.presentation.table import Cell


@lru_cache(512)
def style(words: str) -> Style:
    """The style of words such as ``bold red``, as ``presentation.labels`` has them."""
    return Style.parse(words) if words else Style.null()


def strip(cells: Iterable[Cell], width: int, screen: Screen, *, base: str = "") -> Strip:
    """One line of exactly ``width`` cells: what is too long is cut, what is too short is filled."""
    ground = style(base)
    segments = list[Segment]()
    left = width
    for cell in cells:
        text = plain(cell.text)
        if not text:
            continue
        length = cell_len(text)
        if length > left:
            text, length = clipped(text, left, screen), left
        segments.append(Segment(text, ground + style(cell.style)))
        left -= length
        if left <= 0:
            break
    if left > 0:
        segments.append(Segment(" " * left, ground))
    return Strip(segments, width)


def clipped(text: str, width: int, screen: Screen) -> str:
    """The text in exactly ``width`` cells, cut with an ellipsis where it is longer."""
    if cell_len(text) <= width:
        return text + " " * (width - cell_len(text))
    return set_cell_size(text, width - 1) + screen.ellipsis if width > 0 else ""
