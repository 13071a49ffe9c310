"""What becomes of changes that are not saved, asked when somebody leaves them."""

from __future__ import annotations

from typing import ClassVar, Literal

from textual import events
from textual.app import ComposeResult
from textual.screen import ModalScreen

from jobrunner.presentation.screen import Screen
from jobrunner.presentation.table import Cell
from jobrunner.tui.widgets.lines import Lines

Answer = Literal["save", "discard", "stay"]

_KEYS: dict[str, Answer] = {"s": "save", "d": "discard"}


class Leaving(ModalScreen[Answer]):
    """One line at the bottom: ``s`` saves, ``d`` discards, every other key stays."""

    DEFAULT_CSS = """
    Leaving { background: transparent; align: left bottom; }
    Leaving Lines { height: 2; width: 100%; background: ansi_default; }
    """

    AUTO_FOCUS: ClassVar = ""

    def __init__(self, screen: Screen, what: str) -> None:
        super().__init__()
        self._screen = screen
        self._what = what

    def compose(self) -> ComposeResult:
        lines = Lines(self._screen)
        keys = [Cell(" s", "bold"), Cell(" Save  "), Cell("d", "bold"), Cell(" Discard  "), Cell("esc", "bold")]
        lines.show([[Cell(f" {self._what}", "bold")], [*keys, Cell(" Stay")]])
        yield lines

    def on_key(self, event: events.Key) -> None:
        event.stop()
        if event.key != "ctrl+c":
            self.dismiss(_KEYS.get(event.key, "stay"))

    def on_click(self, event: events.Click) -> None:
        self.dismiss("stay")
