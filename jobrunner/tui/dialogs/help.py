"""Help for where one is: the keys that work here, made of the table of keys and the actions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from rich.cells import cell_len
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import VerticalScroll

from jobrunner.presentation.screen import Screen
from jobrunner.presentation.table import Cell
from jobrunner.tui.dialogs.dialog import Dialog
from jobrunner.tui.widgets.lines import Lines

Section = tuple[str, Sequence[tuple[str, str]]]
"""A heading, and keys with what they do."""


class Help(Dialog[None]):
    """Scrolls with the arrow keys; any of escape, q and ? closes it."""

    DEFAULT_CSS = """
    Help #scroll { height: auto; scrollbar-size: 1 1; }
    """

    BINDINGS: ClassVar = [
        Binding("q,question_mark,enter", "close", show=False),
        Binding("j", "scroll(1)", show=False),
        Binding("k", "scroll(-1)", show=False),
    ]

    def __init__(self, screen: Screen, title: str, sections: Sequence[Section]) -> None:
        super().__init__(screen, title)
        self._sections = sections

    def inside(self) -> ComposeResult:
        lines = Lines(self.terminal)
        shown = list(_lines(self._sections))
        lines.styles.height = len(shown)
        lines.show(shown)
        with VerticalScroll(id="scroll") as scroll:
            scroll.styles.max_height = max(self.app.size.height - 4, 1)
            yield lines

    def on_mount(self) -> None:
        self.query_one("#scroll").focus()

    def action_scroll(self, by: int) -> None:
        self.query_one("#scroll").scroll_relative(y=by, animate=False)


def _lines(sections: Sequence[Section]) -> list[list[Cell]]:
    width = max((cell_len(keys) for _, rows in sections for keys, _ in rows), default=0)
    found = list[list[Cell]]()
    for title, rows in sections:
        if rows:
            found += [[Cell("")]] if found else []
            found.append([Cell(title, "bold")])
            found += [
                [Cell(f"  {keys}{' ' * (width - cell_len(keys))}  ", "bold"), Cell(words)] for keys, words in rows
            ]
    return found
