"""Tables that fit: on a terminal columns shrink and go in a stated order, elsewhere all is printed. Used by lists.

Every cell passes the sanitiser here, so that no caller can forget it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from rich.cells import cell_len, set_cell_size

from jobrunner.presentation.sanitise import plain
from jobrunner.presentation.screen import Screen

_GAP = 2


class Column(NamedTuple):
    """A column. ``minimum``: cells to which it may shrink (None: it does not); ``leaves``: 1 goes first, None stays."""

    title: str
    right: bool = False
    minimum: int | None = None
    leaves: int | None = None


class Cell(NamedTuple):
    """A text, as it came, and the style it is painted in."""

    text: str
    style: str = ""


Row = Sequence[Cell | str]


def render(columns: Sequence[Column], rows: Sequence[Row], screen: Screen, *, indent: int = 0) -> Iterator[str]:
    """The lines of a table, header first, without newlines; on a terminal none is wider than the screen."""
    texts = [[_safe(cell) for cell in row] for row in rows]
    natural = [
        max([len(column.title), *(cell_len(row[place].text) for row in texts)]) for place, column in enumerate(columns)
    ]
    width = screen.width - indent if screen.terminal else None
    widths = fit(columns, natural, width)
    header = [Cell(column.title, "dim") for column in columns]
    for row in (header, *texts):
        yield " " * indent + _line(columns, row, widths, screen)


def fit(columns: Sequence[Column], natural: Sequence[int], width: int | None) -> list[int | None]:
    """Cells for each column, None for one that has to go: first the shrinking ones shrink, then columns leave in order.

    When nothing is left that may leave, the last columns are cut.
    """
    widths: list[int | None] = list(natural)
    if width is None:
        return widths
    leaving = sorted((c.leaves, place) for place, c in enumerate(columns) if c.leaves is not None)
    while True:
        _shrink(columns, widths, width)
        if _total(widths) <= width:
            break
        if not leaving or sum(had is not None for had in widths) == 1:
            _cut(widths, width)
            break
        widths[leaving.pop(0)[1]] = None
        widths = [None if had is None else natural[place] for place, had in enumerate(widths)]
    return widths


def _safe(cell: Cell | str) -> Cell:
    text, style = (cell.text, cell.style) if isinstance(cell, Cell) else (cell, "")
    return Cell(plain(text) or "-", style)


def _total(widths: Sequence[int | None]) -> int:
    kept = [width for width in widths if width is not None]
    return sum(kept) + _GAP * (len(kept) - 1)


def _shrink(columns: Sequence[Column], widths: list[int | None], width: int) -> None:
    """Takes from the widest shrinking column until the table fits or all are at their least."""
    floors = {
        place: max(column.minimum, len(column.title))
        for place, column in enumerate(columns)
        if column.minimum is not None and widths[place] is not None
    }
    while (excess := _total(widths) - width) > 0:
        room = sorted((_at(widths, p) for p, floor in floors.items() if _at(widths, p) > floor), reverse=True)
        if not room:
            return
        place = next(p for p, floor in floors.items() if _at(widths, p) == room[0] > floor)
        second = room[1] if len(room) > 1 else 0
        lowest = max(floors[place], min(second, room[0] - 1))
        widths[place] = max(lowest, room[0] - excess)


def _at(widths: Sequence[int | None], place: int) -> int:
    return widths[place] or 0


def _cut(widths: list[int | None], width: int) -> None:
    left = width
    for place, had in enumerate(widths):
        if had is None:
            continue
        widths[place] = min(had, left) if left > 0 else None
        left -= had + _GAP


def _line(columns: Sequence[Column], row: Sequence[Cell], widths: Sequence[int | None], screen: Screen) -> str:
    kept = [place for place, width in enumerate(widths) if width is not None]
    parts = []
    for place in kept:
        width, cell = _at(widths, place), row[place]
        text = _clip(cell.text, width, screen)
        padding = " " * (width - cell_len(text))
        painted = screen.paint(text, cell.style)
        if columns[place].right:
            parts.append(padding + painted)
        else:
            parts.append(painted + ("" if place == kept[-1] else padding))
    return (" " * _GAP).join(parts)


def _clip(text: str, width: int, screen: Screen) -> str:
    if cell_len(text) <= width:
        return text
    return (set_cell_size(text, width - 1).rstrip() + screen.ellipsis) if width > 0 else ""
