"""Lines of text, as many as fit."""

from __future__ import annotations

from collections.abc import Sequence

from textual.strip import Strip
from textual.widget import Widget

from jobrunner.presentation.screen import Screen
from jobrunner.presentation.table import Cell
from jobrunner.tui.widgets.drawing import strip


class Lines(Widget):
    """Each line is cells; only what has changed is painted again."""

    DEFAULT_CSS = "Lines { height: 1fr; }"

    def __init__(self, screen: Screen, *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        self._screen = screen
        self._lines: tuple[tuple[Cell, ...], ...] = ()

    def show(self, lines: Sequence[Cell | Sequence[Cell]]) -> None:
        fresh = tuple((line,) if isinstance(line, Cell) else tuple(line) for line in lines)
        if fresh != self._lines:
            self._lines = fresh
            self.refresh()

    def render_line(self, y: int) -> Strip:
        cells = self._lines[y] if y < len(self._lines) else ()
        return strip(cells, self.size.width, self._screen)
