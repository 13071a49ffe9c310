"""What stands in the middle of a screen that has nothing to show yet: why, and what will come of it."""

from __future__ import annotations

from textwrap import wrap

from rich.cells import cell_len
from textual.strip import Strip
from textual.widget import Widget

from jobrunner.presentation.sanitise import plain
from jobrunner.presentation.screen import Screen
from jobrunner.presentation.table import Cell
from jobrunner.tui.widgets.ink import ground, line

_MOST_COLUMNS = 68


class Notice(Widget):
    """Covers what it stands before, as long as it says anything."""

    DEFAULT_CSS = """
    Notice { display: none; layer: notice; width: 100%; height: 100%; background: ansi_default; }
    Notice.-said { display: block; }
    """
    ALLOW_SELECT = False

    def __init__(self, screen: Screen, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._screen = screen
        self._said: tuple[str, ...] = ()

    def say(self, *paragraphs: str) -> None:
        """What it says from now on, the first in bold; nothing: it goes away."""
        if paragraphs != self._said:
            self._said = paragraphs
            self.set_class(bool(paragraphs), "-said")
            self.refresh()

    def render_line(self, y: int) -> Strip:
        width, lines = self.size.width, self._lines()
        place = y - max((self.size.height - len(lines)) // 2, 0)
        cell = lines[place] if 0 <= place < len(lines) else Cell("")
        indent = Cell(" " * max((width - cell_len(cell.text)) // 2, 0))
        return line((indent, cell), width, self._screen, ground(self))

    def _lines(self) -> list[Cell]:
        room = max(min(self.size.width - 4, _MOST_COLUMNS), 1)
        return [
            Cell(text, "dim" if place else "bold")
            for place, said in enumerate(self._said)
            for text in wrap(plain(said), room)
        ]
