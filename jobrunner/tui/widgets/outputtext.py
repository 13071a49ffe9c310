"""The lines of an output that are in sight, as strips: what is painted of them is only what differs."""

from __future__ import annotations

from textwrap import wrap

from rich.cells import cell_len
from textual.geometry import Region
from textual.message import Message
from textual.strip import Strip

from jobrunner.presentation.screen import Screen
from jobrunner.presentation.table import Cell
from jobrunner.tui.widgets.ink import ground, line
from jobrunner.tui.widgets.sized import Sized


class OutputText(Sized, can_focus=True):
    """The lines themselves. ``Output`` says what is in sight."""

    DEFAULT_CSS = "OutputText { height: 1fr; }"
    ALLOW_SELECT = False

    class Resized(Message):
        """The room for the lines is another one."""

    def __init__(self, screen: Screen) -> None:
        super().__init__()
        self._screen = screen
        self._strips: list[Strip] = []
        self._empty = ""

    def show(self, strips: list[Strip], empty: str) -> None:
        """Lines of the screen; only those that are others than before are painted again."""
        had, self._strips = self._strips, strips
        if len(had) != len(strips) or empty != self._empty:
            self._empty = empty
            self.refresh()
            return
        lines = [y for y, (old, new) in enumerate(zip(had, strips, strict=True)) if old is not new]
        if lines:
            self.refresh(*(Region(0, y, self.size.width, 1) for y in lines))

    def render_line(self, y: int) -> Strip:
        if y < len(self._strips):
            return self._strips[y]
        width, base = self.size.width, ground(self)
        said = self._said(y) if not self._strips else ""
        if said:
            return line(
                [Cell(" " * max((width - cell_len(said)) // 2, 0)), Cell(said, "dim")], width, self._screen, base
            )
        return Strip.blank(width, base)

    def _said(self, y: int) -> str:
        """What an empty output says on a line: its lines in the middle, broken between words."""
        lines = [row for text in self._empty.splitlines() for row in wrap(text, max(self.size.width - 2, 1)) or [""]]
        place = y - max(self.size.height - len(lines), 0) // 2
        return lines[place] if 0 <= place < len(lines) else ""

    def sized(self) -> None:
        self.post_message(self.Resized())
