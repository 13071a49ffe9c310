"""One of several: the arrow keys go through them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual import events
from textual.binding import Binding
from textual.message import Message
from textual.strip import Strip
from textual.widget import Widget

from jobrunner.presentation.screen import Screen
from jobrunner.presentation.table import Cell
from jobrunner.tui.widgets.drawing import strip


class Choice(Widget, can_focus=True):
    """``otherwise`` is what the empty choice means."""

    DEFAULT_CSS = "Choice { height: 1; width: 1fr; }"

    BINDINGS: ClassVar = [
        Binding("right,space,l", "turn(1)", show=False),
        Binding("left,h", "turn(-1)", show=False),
    ]

    class Changed(Message):
        """Another one was chosen."""

        def __init__(self, choice: Choice) -> None:
            super().__init__()
            self.choice = choice

    def __init__(
        self, screen: Screen, choices: Sequence[str], *, value: str = "", otherwise: str = "", id: str | None = None
    ) -> None:
        super().__init__(id=id)
        self._screen = screen
        self._choices = tuple(choices)
        self._otherwise = otherwise
        self.value = value

    def render_line(self, y: int) -> Strip:
        before, after = ("‹", "›") if self._screen.unicode else ("<", ">")
        text = Cell(self.value, "bold") if self.value else Cell(self._otherwise or "-", "dim")
        style = "reverse" if self.has_focus else "dim"
        cells = [Cell(before, style), Cell(" "), text, Cell(" "), Cell(after, style)]
        return strip(cells, self.size.width, self._screen)

    def action_turn(self, by: int) -> None:
        place = self._choices.index(self.value) if self.value in self._choices else 0
        self.value = self._choices[(place + by) % len(self._choices)]
        self.refresh()
        self.post_message(self.Changed(self))

    def on_click(self, event: events.Click) -> None:
        self.action_turn(-1 if event.x == 0 else 1)

    def on_focus(self, event: events.Focus) -> None:
        self.refresh()

    def on_blur(self, event: events.Blur) -> None:
        self.refresh()
