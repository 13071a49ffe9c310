"""The first line: which project on which host, whether things may be changed, and how it goes as a whole."""

from __future__ import annotations

from typing import NamedTuple

from rich.cells import cell_len
from textual import events
from textual.message import Message
from textual.strip import Strip
from textual.widget import Widget

from jobrunner.presentation.screen import Screen
from jobrunner.presentation.table import Cell
from jobrunner.tui.widgets.drawing import strip

_GAP = 2


class Part(NamedTuple):
    """A piece of the header. ``leaves``: 1 goes first where there is no room, None stays. ``leads``: where to a click
    leads, empty: nowhere."""

    cell: Cell
    leaves: int | None = None
    leads: str = ""


class Header(Widget):
    """Parts from the left, and one at the right edge, which stays."""

    DEFAULT_CSS = "Header { height: 1; }"

    class Chosen(Message):
        """A click on a part that leads somewhere."""

        def __init__(self, part: Part) -> None:
            super().__init__()
            self.part = part

    def __init__(self, screen: Screen, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._screen = screen
        self._left: tuple[Part, ...] = ()
        self._right = Cell("")

    def show(self, left: tuple[Part, ...], right: Cell) -> None:
        """What it says from now on."""
        if (left, right) != (self._left, self._right):
            self._left, self._right = left, right
            self.refresh()

    def render_line(self, y: int) -> Strip:
        width = self.size.width
        cells = [Cell(" ")]
        for part in self._shown():
            cells += [part.cell, Cell(" " * _GAP)]
        used = sum(cell_len(cell.text) for cell in cells)
        gap = width - used - cell_len(self._right.text) - 1
        cells += [Cell(" " * max(gap, 0)), self._right]
        return strip(cells, width, self._screen)

    def on_click(self, event: events.Click) -> None:
        left = 1
        for part in self._shown():
            right = left + cell_len(part.cell.text)
            if part.leads and left <= event.x < right:
                self.post_message(self.Chosen(part))
            left = right + _GAP

    def _shown(self) -> tuple[Part, ...]:
        return fitting(self._left, self.size.width - cell_len(self._right.text) - 3)


def fitting(parts: tuple[Part, ...], room: int) -> tuple[Part, ...]:
    """The parts that fit, when those that may leave have left in their order."""
    kept = list(parts)
    for leaving in sorted((part for part in parts if part.leaves is not None), key=lambda part: part.leaves or 0):
        if sum(cell_len(part.cell.text) + _GAP for part in kept) <= room:
            break
        kept.remove(leaving)
    return tuple(kept)
