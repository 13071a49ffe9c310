"""One line of a job's output as segments: its colours as styles, all else that a terminal would obey as text."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache

from rich.cells import cell_len
from rich.color import Color
from rich.segment import Segment
from rich.style import Style

from jobrunner.presentation.sanitise import TerminalFilter

_SGR = re.compile("\x1b\\[([0-9;:]*)m")
_TAB = 8
_ATTRIBUTES: dict[int, Style] = {
    1: Style(bold=True),
    2: Style(dim=True),
    3: Style(italic=True),
    4: Style(underline=True),
    7: Style(reverse=True),
    9: Style(strike=True),
    21: Style(underline=True),
    22: Style(bold=False, dim=False),
    23: Style(italic=False),
    24: Style(underline=False),
    27: Style(reverse=False),
    29: Style(strike=False),
}
"""What is passed on. Blinking is not, nor hiding."""

_FOREGROUND, _BACKGROUND = 38, 48


def segments(data: bytes, base: Style, *, colour: bool) -> list[Segment]:
    """A line of output, without its newline, on a ground."""
    safe = TerminalFilter()
    text = safe.feed(data) + safe.end()
    if "\x1b" not in text and "\t" not in text:
        return [Segment(text, base)] if text else []
    found, style, column = list[Segment](), Style.null(), 0
    for place, piece in enumerate(_SGR.split(text)):
        if place % 2:
            style = _changed(style, piece, colour)
        elif piece:
            said = _expanded(piece, column)
            column += cell_len(said)
            found.append(Segment(said, base + style))
    return found


def words(data: bytes) -> str:
    """A line of output as plain text, without its colours: for copying."""
    safe = TerminalFilter()
    return _SGR.sub("", safe.feed(data) + safe.end())


@lru_cache(1024)
def _changed(style: Style, parameters: str, colour: bool) -> Style:
    """The style after one sequence."""
    codes = iter(int(code or "0") for code in re.split("[;:]", parameters))
    for code in codes:
        style = Style.null() if code == 0 else style + _one(code, codes, colour)
    hidden = style.color is not None and style.color == style.bgcolor
    return style.without_color if hidden else style


def _one(code: int, codes: Iterator[int], colour: bool) -> Style:
    if code in _ATTRIBUTES:
        return _ATTRIBUTES[code]
    found = _extended(codes) if code in (_FOREGROUND, _BACKGROUND) else _plain_colour(code)
    if found is None or not colour:
        return Style.null()
    background = code == _BACKGROUND or 40 <= code < 50 or code >= 100
    return Style.from_color(None, found) if background else Style.from_color(found)


def _plain_colour(code: int) -> Color | None:
    if code in (39, 49):
        return Color.default()
    for first, bright in ((30, 0), (40, 0), (90, 8), (100, 8)):
        if first <= code < first + 8:
            return Color.from_ansi(code - first + bright)
    return None


def _extended(codes: Iterator[int]) -> Color | None:
    """``5;n``, one of 256, or ``2;r;g;b``."""
    match next(codes, None):
        case 5:
            return Color.from_ansi(min(next(codes, 0), 255))
        case 2:
            red, green, blue = (min(next(codes, 0), 255) for _ in range(3))
            return Color.from_rgb(red, green, blue)
        case _:
            return None


def _expanded(text: str, column: int) -> str:
    """Tabs as spaces; ``column``: how many cells stand before the text."""
    if "\t" not in text:
        return text
    found = ""
    first, *rest = text.split("\t")
    found = first
    for piece in rest:
        found += " " * (_TAB - (column + cell_len(found)) % _TAB) + piece
    return found
