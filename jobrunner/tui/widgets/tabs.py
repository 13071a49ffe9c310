"""The second line: the numbered screens, or the way to a view that was reached from one of them."""

from __future__ import annotations

from collections.abc import Sequence

from rich.cells import cell_len
from textual import events
from textual.message import Message
from textual.strip import Strip
from textual.widget import Widget

from jobrunner.presentation.screen import Screen
from jobrunner.presentation.table import Cell
from jobrunner.tui.widgets.drawing import strip


class Tabs(Widget):
    """``[2 Jobs]`` is the active one. Where the line is too short the names of the others go, their numbers stay."""

    DEFAULT_CSS = "Tabs { height: 1; }"

    class Chosen(Message):
        """A number was clicked."""

        def __init__(self, number: str) -> None:
            super().__init__()
            self.number = number

    def __init__(self, screen: Screen, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._screen = screen
        self._tabs: tuple[tuple[str, str], ...] = ()
        self._active: str | None = None
        self._way: tuple[str, ...] = ()
        self._right = ""

    def show(
        self, tabs: Sequence[tuple[str, str]], active: str | None, *, way: Sequence[str] = (), right: str = ""
    ) -> None:
        """Numbers and names, the active number (None: ``way`` is shown instead), and a remark at the right edge."""
        self._tabs, self._active, self._way, self._right = tuple(tabs), active, tuple(way), right
        self.refresh()

    def render_line(self, y: int) -> Strip:
        width = self.size.width
        cells = self._cells(width - cell_len(self._right) - 2)
        used = sum(cell_len(cell.text) for cell in cells)
        gap = width - used - cell_len(self._right) - 1
        if self._right and gap > 0:
            cells += [Cell(" " * gap), Cell(self._right, "dim")]
        return strip(cells, width, self._screen)

    def _cells(self, room: int) -> list[Cell]:
        if self._active is None:
            arrow = " › " if self._screen.unicode else " > "
            return [Cell(" "), Cell(arrow.join(self._way), "bold")]
        return [Cell(" "), *(cell for cell, _ in self._labels(room))]

    def _labels(self, room: int) -> list[tuple[Cell, str]]:
        whole = [self._label(number, name) for number, name in self._tabs]
        if sum(cell_len(cell.text) for cell, _ in whole) <= room:
            return whole
        return [self._label(number, name if number == self._active else "") for number, name in self._tabs]

    def _label(self, number: str, name: str) -> tuple[Cell, str]:
        text = f"{number} {name}".rstrip()
        if number == self._active:
            return Cell(f"[{text}]", "bold reverse"), number
        return Cell(f" {text} "), number

    def on_click(self, event: events.Click) -> None:
        if self._active is None:
            return
        place = 1
        for cell, number in self._labels(self.size.width - cell_len(self._right) - 2):
            place += cell_len(cell.text)
            if event.x < place:
                self.post_message(self.Chosen(number))
                return
