"""The last line: what can be done here, most needed first, as much as fits."""

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


class Hints(Widget):
    """Keys and words; a click is as the key."""

    DEFAULT_CSS = "Hints { height: 1; }"

    class Chosen(Message):
        """A hint was clicked."""

        def __init__(self, id: str) -> None:
            super().__init__()
            self.id = id

    def __init__(self, screen: Screen, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._screen = screen
        self._hints: tuple[tuple[str, str, str], ...] = ()

    def show(self, hints: Sequence[tuple[str, str, str]]) -> None:
        """Ids, keys and words."""
        if tuple(hints) != self._hints:
            self._hints = tuple(hints)
            self.refresh()

    def render_line(self, y: int) -> Strip:
        cells = [Cell(" ")]
        for _, key, words in self._fitting():
            cells += [Cell(key, "bold"), Cell(f" {words}"), Cell("  ")]
        return strip(cells[:-1], self.size.width, self._screen, base="")

    def _fitting(self) -> list[tuple[str, str, str]]:
        left, found = self.size.width - 1, list[tuple[str, str, str]]()
        for id, key, words in self._hints:
            left -= cell_len(f"{key} {words}")
            if left < 0:
                break
            found.append((id, key, words))
            left -= 2
        return found

    def on_click(self, event: events.Click) -> None:
        place = 1
        for id, key, words in self._fitting():
            place += cell_len(f"{key} {words}  ")
            if event.x < place:
                self.post_message(self.Chosen(id))
                return
