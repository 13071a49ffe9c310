"""The frame of every dialog: a box in the middle with a title, on the view that it stands before."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, TypeVar

from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Vertical
from textual.screen import ModalScreen

from jobrunner.presentation.sanitise import plain
from jobrunner.presentation.screen import Screen
from jobrunner.presentation.table import Cell
from jobrunner.tui import keys
from jobrunner.tui.widgets.lines import Lines

Result = TypeVar("Result")


if TYPE_CHECKING:
    from jobrunner.tui.app import Dashboard


class Dialog(ModalScreen[Result | None]):
    """Escape closes it with None; ctrl+y copies the command that it shows. ``title`` is text of anybody."""

    app: Dashboard

    DEFAULT_CSS = """
    Dialog { align: center middle; background: transparent; }
    Dialog #box {
        width: 72; max-width: 100%; height: auto; max-height: 100%;
        border: round $border; background: ansi_default; padding: 0 1;
    }
    Dialog.-ascii #box { border: ascii $border; }
    Dialog .buttons { height: 1; align-horizontal: right; margin-top: 1; }
    """

    BINDINGS: ClassVar = [
        Binding("escape", "close", show=False),
        Binding("ctrl+y", "copy_command", show=False, priority=True),
        *keys.bindings("quit", action="app.{}"),
    ]

    def __init__(self, screen: Screen, title: str) -> None:
        super().__init__()
        self.terminal = screen
        self._title = title
        self.set_class(not screen.unicode, "-ascii")

    def compose(self) -> ComposeResult:
        box = Vertical(id="box")
        box.border_title = plain(self._title).replace("[", "\\[")
        if type(self).command_shown is not Dialog.command_shown:
            box.border_subtitle = "ctrl+y copies the command"
        with box:
            yield from self.inside()

    def inside(self) -> ComposeResult:
        """What the box holds."""
        yield from ()

    def command_shown(self) -> str:
        """The command that does the same as the dialog is about to do; empty where there is none."""
        return ""

    def action_copy_command(self) -> None:
        if text := self.command_shown():
            self.app.copy(text, "the command")
            box = self.query_one("#box")
            box.border_subtitle = "copied"

    def action_close(self) -> None:
        self.dismiss(None)

    def said(self, *lines: Cell | str, id: str | None = None) -> Lines:
        """Lines of text, as high as they are many."""
        cells = [line if isinstance(line, Cell) else Cell(line) for line in lines]
        widget = Lines(self.terminal, id=id)
        widget.styles.height = max(len(cells), 1)
        widget.show(cells)
        return widget


def wrapped(text: str, width: int) -> list[str]:
    """The text in lines of at most ``width`` characters, broken at spaces."""
    from textwrap import wrap

    return wrap(plain(text), width, break_on_hyphens=False) or [""]
