"""A button of one line: reversed where it has the focus."""

from __future__ import annotations

from typing import ClassVar

from rich.cells import cell_len
from textual import events
from textual.binding import Binding
from textual.message import Message
from textual.strip import Strip
from textual.widget import Widget

from jobrunner.presentation.screen import Screen
from jobrunner.presentation.table import Cell
from jobrunner.tui.widgets.drawing import strip


class Push(Widget, can_focus=True):
    """Enter, space or a click push it."""

    DEFAULT_CSS = "Push { height: 1; width: auto; margin-left: 2; }"

    BINDINGS: ClassVar = [
        Binding("enter,space", "push", show=False),
        Binding("left,up", "app.focus_previous", show=False),
        Binding("right,down", "app.focus_next", show=False),
    ]

    class Pushed(Message):
        """It was pushed."""

        def __init__(self, button: Push) -> None:
            super().__init__()
            self.button = button

        @property
        def control(self) -> Push:
            return self.button

    def __init__(self, screen: Screen, label: str, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._screen = screen
        self.label = label

    def get_content_width(self, container: object, viewport: object) -> int:
        return cell_len(self.label) + 4

    def render_line(self, y: int) -> Strip:
        words = "bold reverse" if self.has_focus else "dim" if self.disabled else ""
        return strip([Cell(f"[ {self.label} ]", words)], self.size.width, self._screen)

    def action_push(self) -> None:
        self.post_message(self.Pushed(self))

    def on_click(self, event: events.Click) -> None:
        self.action_push()

    def on_focus(self, event: events.Focus) -> None:
        self.refresh()

    def on_blur(self, event: events.Blur) -> None:
        self.refresh()
