"""How the rows of a list look: their columns side by side, the cursor, marks and titles, as strips."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from typing import NamedTuple

from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

from jobrunner.presentation.sanitise import plain
from jobrunner.presentation.screen import Screen
from jobrunner.presentation.table import Cell, Column, fit
from jobrunner.tui.widgets.ink import clipped, fitted, ink, joined, line, written

GAP = 2
"""Cells between two columns."""

MARGIN = 3
"""Cells before the first column: the cursor's bar, the mark, a space."""
_NOTHING = Cell(" ")
"""In the place of a cell of a row that was written for fewer columns."""


class Line(NamedTuple):
    """One row to show. ``key`` says which row it is: the cursor and marks follow it.

    A cell is one text, or several of different styles one behind the other. An empty text is shown as ``-``.
    """

    key: Hashable
    cells: tuple[Cell | tuple[Cell, ...], ...]


class Look(NamedTuple):
    """How a row stands out."""

    cursor: bool = False
    marked: bool = False
    focused: bool = False


class Sheet:
    """Columns that were fitted to a width. They only grow while rows go by, so that nothing jitters."""

    def __init__(self, columns: Sequence[Column], screen: Screen, *, order: tuple[int, bool] | None = None) -> None:
        self.order = order
        """The column that rows are ordered by, and whether from the greatest on."""
        self._columns = columns
        self._screen = screen
        self._width = 0
        self._natural: list[int] = []
        self._widths: list[int | None] = []
        self.forget_widths()

    def forget_widths(self) -> None:
        """The columns are as wide as their titles again."""
        self._natural = [cell_len(self._title(place)) for place in range(len(self._columns))]
        self._fit()

    def fit_to(self, width: int) -> None:
        """The width that all columns have together, margin included."""
        if width != self._width:
            self._width = width
            self.forget_widths()

    def grow(self, lines: Iterable[Line]) -> bool:
        """Makes room for these lines; says whether a column has become wider."""
        before, shown = self._natural, self._widths
        self._natural = [
            max([had, *(_length(cell) for cell in cells)])
            for had, cells in zip(before, _by_column(lines, len(before)), strict=True)
        ]
        if self._natural == before:
            return False
        self._fit()
        return self._widths != shown

    def titles(self, width: int, base: Style) -> Strip:
        """The line above the rows."""
        pieces = [Cell(" " * MARGIN)]
        for place, size in self._kept():
            text = clipped(self._title(place), size, self._screen)
            padding = " " * (size - cell_len(text))
            style = "bold" if self.order and self.order[0] == place else "dim"
            right = self._columns[place].right
            pieces += [Cell(padding), Cell(text, style)] if right else [Cell(text, style), Cell(padding)]
            pieces.append(Cell(" " * GAP))
        return line(pieces[:-1], width, self._screen, base)

    def row(self, row: Line, look: Look, width: int, base: Style) -> Strip:
        """A row. Under the cursor of a list with the focus it is reversed as a whole, else a bar shows the cursor."""
        bar = ("▌" if self._screen.unicode else "|") if look.cursor else " "
        mark = ("✓" if self._screen.unicode else "+") if look.marked else " "
        segments = [Segment(bar, base + ink("bold")), Segment(mark + " ", base + ink("bold"))]
        for place, size in self._kept():
            cell = row.cells[place] if place < len(row.cells) else _NOTHING
            segments += self._cell(cell, size, self._columns[place].right, base)
            segments.append(Segment(" " * GAP, base))
        segments.pop()
        if look.cursor:
            segments = _standing_out(segments, base + ink("bold reverse" if look.focused else "bold"), look.focused)
        return fitted(joined(segments), width, self._screen, base + ink("reverse") if look.focused else base)

    def remark(self, text: str, y: int, height: int, width: int, base: Style, known: object) -> Strip:
        """A line of what an empty list says, in its middle; nothing while it is not ``known`` to be empty."""
        lines = text.splitlines() if known else []
        place = y - max((height - len(lines)) // 2, 0)
        if not 0 <= place < len(lines):
            return Strip.blank(width, base)
        said = clipped(plain(lines[place]), width, self._screen)
        padding = " " * ((width - cell_len(said)) // 2)
        return line([Cell(padding), Cell(said, "bold" if place == 0 else "dim")], width, self._screen, base)

    def column_at(self, x: int) -> int | None:
        """Which column is at a cell of the line."""
        left = MARGIN
        for place, size in self._kept():
            if left <= x < left + size + GAP:
                return place
            left += size + GAP
        return None

    def _fit(self) -> None:
        self._widths = fit(self._columns, self._natural, max(self._width - MARGIN, 1))

    def _kept(self) -> Iterable[tuple[int, int]]:
        return ((place, width) for place, width in enumerate(self._widths) if width)

    def _title(self, place: int) -> str:
        title = self._columns[place].title
        if self.order is None or self.order[0] != place:
            return title
        up, down = ("▴", "▾") if self._screen.unicode else ("^", "v")
        return f"{title} {down if self.order[1] else up}"

    def _cell(self, cell: Cell | tuple[Cell, ...], size: int, right: bool, base: Style) -> list[Segment]:
        pieces = (cell,) if isinstance(cell, Cell) else cell
        segments = written(pieces, self._screen, base) or [Segment("-", base)]
        length = sum(cell_len(segment.text) for segment in segments)
        if length > size:
            return list(fitted(segments, size, self._screen, base))
        padding = Segment(" " * (size - length), base)
        return [padding, *segments] if right else [*segments, padding]


def _by_column(lines: Iterable[Line], count: int) -> list[list[Cell | tuple[Cell, ...]]]:
    columns: list[list[Cell | tuple[Cell, ...]]] = [[] for _ in range(count)]
    for row in lines:
        for column, cell in zip(columns, row.cells, strict=False):
            column.append(cell)
    return columns


def _length(cell: Cell | tuple[Cell, ...]) -> int:
    if isinstance(cell, Cell):
        return cell_len(plain(cell.text)) or 1
    return sum(cell_len(plain(piece.text)) for piece in cell) or 1


def _standing_out(segments: list[Segment], style: Style, whole: bool) -> list[Segment]:
    """Under the cursor: in one style as a whole, or as it was and in bold."""
    if whole:
        return [Segment("".join(segment.text for segment in segments), style)]
    return [Segment(segment.text, (segment.style or Style.null()) + ink("bold")) for segment in segments]
