"""A short list to pick from, in a dialog: the palette, the menu, the states, the orders."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, NamedTuple

from rich.cells import cell_len
from textual import events
from textual.binding import Binding
from textual.message import Message
from textual.strip import Strip

from jobrunner.presentation.screen import Screen
from jobrunner.presentation.table import Cell
from jobrunner.tui.widgets.drawing import strip
from jobrunner.tui.widgets.ink import clipped
from jobrunner.tui.widgets.sized import Sized


class Pick(NamedTuple):
    """One entry: what it stands for, its words, a remark at the right edge, and whether it is marked (None: cannot)."""

    key: object
    words: str
    right: str = ""
    marked: bool | None = None


class PickList(Sized, can_focus=True):
    """The cursor stays on its entry while the others change."""

    DEFAULT_CSS = "PickList { height: 1fr; min-height: 1; }"

    BINDINGS: ClassVar = [
        Binding("down,j,ctrl+n", "move(1)", show=False),
        Binding("up,k", "move(-1)", show=False),
        Binding("pagedown", "move(10)", show=False),
        Binding("pageup", "move(-10)", show=False),
        Binding("home,g", "move(-100000)", show=False),
        Binding("end,G", "move(100000)", show=False),
        Binding("enter", "pick", show=False),
        Binding("space", "mark", show=False),
    ]

    class Moved(Message):
        """Another entry is under the cursor."""

        def __init__(self, pick: Pick) -> None:
            super().__init__()
            self.pick = pick

    class Picked(Message):
        """Enter on an entry, or a click on one that cannot be marked."""

        def __init__(self, pick: Pick) -> None:
            super().__init__()
            self.pick = pick

    class Marked(Message):
        """Space, or a click, on an entry that can be marked."""

        def __init__(self, pick: Pick) -> None:
            super().__init__()
            self.pick = pick

    def __init__(self, screen: Screen, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._screen = screen
        self._picks: tuple[Pick, ...] = ()
        self._cursor = 0
        self._top = 0

    @property
    def picks(self) -> tuple[Pick, ...]:
        return self._picks

    @property
    def current(self) -> Pick | None:
        return self._picks[self._cursor] if self._picks else None

    def show(self, picks: Sequence[Pick], *, first: bool = False) -> None:
        """The entries from now on; ``first`` puts the cursor on the first one."""
        had = self.current
        self._picks = tuple(picks)
        keys = [pick.key for pick in picks]
        self._cursor = keys.index(had.key) if had is not None and not first and had.key in keys else 0
        self._scroll()
        if self.current is not None:
            self.post_message(self.Moved(self.current))

    def _scroll(self) -> None:
        height = max(self.size.height, 1)
        self._top = min(max(self._top, self._cursor - height + 1), self._cursor)
        self._top = max(min(self._top, len(self._picks) - height), 0)
        self.refresh()

    def sized(self) -> None:
        self._scroll()

    def render_line(self, y: int) -> Strip:
        width, place = self.size.width, self._top + y
        if place >= len(self._picks):
            return strip([], width, self._screen)
        pick, here = self._picks[place], place == self._cursor
        mark = {None: "", True: "[x] ", False: "[ ] "}[pick.marked]
        right = (f" {pick.right}" if pick.right else "") + self._beyond(y)
        room = width - cell_len(right)
        left = clipped(f"{'>' if here else ' '} {mark}{pick.words}", room, self._screen)
        cells = [Cell(left), Cell(" " * (room - cell_len(left))), Cell(right, "" if here else "dim")]
        return strip(cells, width, self._screen, base="reverse" if here else "")

    def _beyond(self, y: int) -> str:
        """Marks the first and the last line where there is more than is shown; nothing where all is."""
        height = max(self.size.height, 1)
        if len(self._picks) <= height:
            return ""
        up, down = ("↑", "↓") if self._screen.unicode else ("^", "v")
        if y == height - 1 and self._top + height < len(self._picks):
            return f" {down}"
        return f" {up}" if y == 0 and self._top else "  "

    def action_move(self, by: int) -> None:
        if not self._picks:
            return
        self._cursor = min(max(self._cursor + by, 0), len(self._picks) - 1)
        self._scroll()
        self.post_message(self.Moved(self._picks[self._cursor]))

    def action_pick(self) -> None:
        if self.current is not None:
            self.post_message(self.Picked(self.current))

    def action_mark(self) -> None:
        if self.current is not None and self.current.marked is not None:
            self.post_message(self.Marked(self.current))

    def on_click(self, event: events.Click) -> None:
        place = self._top + event.y
        if place < len(self._picks):
            self._cursor = place
            self._scroll()
            if self._picks[place].marked is None:
                self.action_pick()
            else:
                self.action_mark()

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        self.action_move(1)

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        self.action_move(-1)
