"""Something that is drawn to the width there is: rows of bars, a timeline, a plot. It is given what draws it."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from textual import events
from textual.geometry import Region, Size
from textual.message import Message
from textual.strip import Strip

from jobrunner.presentation.screen import Screen
from jobrunner.tui.widgets.ink import Pieces, ground, line
from jobrunner.tui.widgets.sized import Sized

Draw = Callable[[int], Sequence[Pieces]]
"""Lines for so many cells of width."""


class Chart(Sized):
    """As high as its lines are. Only lines that differ are painted again."""

    DEFAULT_CSS = "Chart { height: auto; }"
    ALLOW_SELECT = False

    class Clicked(Message):
        """A click on a cell of it."""

        def __init__(self, chart: Chart, x: int, y: int) -> None:
            super().__init__()
            self.chart = chart
            self.x, self.y = x, y

    def __init__(self, screen: Screen, draw: Draw | None = None, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._screen = screen
        self._draw: Draw = draw or (lambda width: ())
        self._lines: list[Pieces] = []

    def show(self, draw: Draw) -> None:
        """What draws it from now on."""
        self._draw = draw
        self._again(self.size.width)

    def sized(self) -> None:
        self._again(self.size.width)

    def on_click(self, event: events.Click) -> None:
        self.post_message(self.Clicked(self, event.x, event.y))

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        return len(self._draw(width)) if width else 0

    def render_line(self, y: int) -> Strip:
        pieces = self._lines[y] if y < len(self._lines) else ()
        return line(pieces, self.size.width, self._screen, ground(self))

    def _again(self, width: int) -> None:
        had, self._lines = self._lines, list(self._draw(width)) if width else []
        if len(had) != len(self._lines):
            self.refresh(layout=True)
            return
        differing = [y for y, (old, new) in enumerate(zip(had, self._lines, strict=True)) if tuple(old) != tuple(new)]
        if differing:
            self.refresh(*(Region(0, y, width, 1) for y in differing))
