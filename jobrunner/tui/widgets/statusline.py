"""The line above the hints: what the view shows, what was just done or went wrong, and how fresh all of it is."""

from __future__ import annotations

from rich.cells import cell_len
from textual.strip import Strip
from textual.widget import Widget

from jobrunner.presentation.screen import Screen
from jobrunner.presentation.table import Cell
from jobrunner.tui.widgets.drawing import clipped, strip


class StatusLine(Widget):
    """A text on the left, which a passing remark takes the place of, and a mark on the right, which stays."""

    DEFAULT_CSS = "StatusLine { height: 1; }"

    def __init__(self, screen: Screen, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._screen = screen
        self._text = Cell("")
        self._remark = Cell("")
        self._mark = Cell("")

    def show(self, text: Cell, mark: Cell) -> None:
        if (text, mark) != (self._text, self._mark):
            self._text, self._mark = text, mark
            self.refresh()

    def remark(self, remark: Cell) -> None:
        """Shows a remark; an empty one ends it."""
        if remark != self._remark:
            self._remark = remark
            self.refresh()

    def render_line(self, y: int) -> Strip:
        width = self.size.width
        left = self._remark if self._remark.text else self._text
        room = max(width - cell_len(self._mark.text) - 3, 0)
        return strip(
            [Cell(" "), Cell(clipped(left.text, room, self._screen), left.style), Cell(" "), self._mark],
            width,
            self._screen,
        )
