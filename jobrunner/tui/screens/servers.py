"""The servers and what they are doing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from textual.app import ComposeResult

from jobrunner.presentation import lists
from jobrunner.presentation.table import Cell
from jobrunner.tui.view import View
from jobrunner.tui.widgets.lines import Lines

if TYPE_CHECKING:
    from jobrunner.admin import Admin
    from jobrunner.domain.server import Server
    from jobrunner.presentation.screen import Screen as Terminal


class Servers(View):
    """Screen 6."""

    name_shown = "Servers"
    number = "6"
    hints = ("menu",)

    def __init__(self) -> None:
        super().__init__()
        self._servers: list[Server] = []

    def body(self) -> ComposeResult:
        yield Lines(self.terminal)

    def question(self) -> Callable[[Admin], object]:
        return lambda admin: admin.servers()

    def show(self, answer: Any) -> None:
        self._servers = answer
        self.tick()

    def tick(self) -> None:
        if self.answered:
            table = lists.servers(self._servers, self._plain(), self.times())
            self.query_one(Lines).show([Cell(line) for line in table] if self._servers else [Cell("no server yet")])

    def status(self) -> str:
        return f"{len(self._servers)} servers" if len(self._servers) != 1 else "1 server"

    def _plain(self) -> Terminal:
        """The width of the body, and no colours of its own."""
        return replace(self.terminal, terminal=True, colour=False, width=max(self.query_one(Lines).size.width, 20))
