"""How long things took, one column each, with lines where the usual lengths are. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import ceil
from typing import NamedTuple

from jobrunner.presentation.screen import Screen
from jobrunner.presentation.table import Cell
from jobrunner.presentation.times import elapsed
from jobrunner.tui.widgets.bars import merged
from jobrunner.tui.widgets.ink import Pieces

_EIGHTHS, _ASCII_EIGHTHS = "▁▂▃▄▅▆▇█", "....####"


class Length(NamedTuple):
    """How many seconds one took, and the style that says how it ended."""

    seconds: float
    style: str


def plot(
    lengths: Sequence[Length],
    usual: Mapping[str, float],
    width: int,
    height: int,
    screen: Screen,
    *,
    top: float | None = None,
) -> list[Pieces]:
    """``height`` lines, the newest length at the right; ``usual`` are the lines that are drawn, by what they are
    called. Of more lengths than there is room for the oldest are left out; ``top`` cuts what is longer, and an
    arrow says so."""
    if not lengths or height < 1:
        return []
    top = top or max([*(one.seconds for one in lengths), *usual.values()]) or 1.0
    named = {_row(seconds, top, height): f"{name} {elapsed(seconds)}" for name, seconds in usual.items()}
    said = {height: elapsed(top), **named} if height not in named else named
    margin = max(map(len, said.values()))
    room = max(width - margin - 2, 1)
    shown = lengths[-room:]
    size = 2 if 2 * len(shown) <= room else 1
    return [
        _line(row, said.get(row, ""), row in named, shown, top, height, margin, size, screen)
        for row in range(height, 0, -1)
    ]


def _line(
    row: int,
    label: str,
    marked: bool,
    lengths: Sequence[Length],
    top: float,
    height: int,
    margin: int,
    size: int,
    screen: Screen,
) -> Pieces:
    edge = ("│" if screen.unicode else "|") + " "
    nothing = Cell(("┄" if screen.unicode else "-") * size if marked else " " * size, "dim")
    cells = [
        Cell(("▲" if screen.unicode else "^") * (size - 1 or 1) + " " * (size - 1), one.style)
        if row == height and one.seconds > top
        else _cell(one, row, top / height, nothing, size, screen)
        for one in lengths
    ]
    return merged([Cell(f"{label:>{margin}}", "dim"), Cell(edge, "dim"), *cells])


def _cell(one: Length, row: int, step: float, nothing: Cell, size: int, screen: Screen) -> Cell:
    """A column is never empty at its foot: that something took no time is seen too."""
    filled = one.seconds / step - (row - 1)
    if filled <= 0 and row > 1:
        return nothing
    eighths = _EIGHTHS if screen.unicode else _ASCII_EIGHTHS
    block = eighths[min(max(round(filled * 8), 1), 8) - 1]
    return Cell(block * (size - 1) + (" " if size > 1 else block), one.style)


def _row(seconds: float, top: float, height: int) -> int:
    return min(max(ceil(seconds / top * height), 1), height)
