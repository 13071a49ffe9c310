"""A list to pick from: everything that can be done here, the states, the orders, the columns."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from textual import on
from textual.app import ComposeResult

from jobrunner.presentation.screen import Screen
from jobrunner.presentation.table import Cell
from jobrunner.tui.dialogs.dialog import Dialog
from jobrunner.tui.widgets.lines import Lines
from jobrunner.tui.widgets.picklist import Pick, PickList


class Menu(Dialog[object]):
    """Gives the key of what was picked. ``below`` says something of the one under the cursor, such as its command."""

    def __init__(
        self, screen: Screen, title: str, picks: Sequence[Pick], *, below: Callable[[Pick], str] | None = None
    ) -> None:
        super().__init__(screen, title)
        self._picks = tuple(picks)
        self._below = below

    def inside(self) -> ComposeResult:
        found = PickList(self.terminal)
        found.styles.height = min(len(self._picks), max(self.app.size.height - 6, 1))
        yield found
        if self._below is not None:
            below = Lines(self.terminal, id="below")
            below.styles.height = 1
            yield below

    def command_shown(self) -> str:
        pick = self.query_one(PickList).current
        return self._below(pick) if self._below is not None and pick is not None else ""

    def on_mount(self) -> None:
        self.query_one(PickList).show(self._picks, first=True)
        self.query_one(PickList).focus()

    @on(PickList.Moved)
    def _moved(self, event: PickList.Moved) -> None:
        if self._below is not None:
            self.query_one("#below", Lines).show([Cell(self._below(event.pick), "dim")])

    @on(PickList.Picked)
    def _picked(self, event: PickList.Picked) -> None:
        self.dismiss(event.pick.key)


class Marks(Dialog[frozenset[object]]):
    """Several of a list: space marks, enter takes what is marked, or the one under the cursor where none is."""

    def __init__(self, screen: Screen, title: str, picks: Sequence[Pick], *, one: bool = True) -> None:
        super().__init__(screen, title)
        self._picks = tuple(picks)
        self._one = one

    def inside(self) -> ComposeResult:
        found = PickList(self.terminal)
        found.styles.height = min(len(self._picks), max(self.app.size.height - 6, 1))
        yield found
        yield self.said(Cell("space or a click marks, enter takes", "dim"))

    def on_mount(self) -> None:
        self.query_one(PickList).show(self._picks)
        self.query_one(PickList).focus()

    @on(PickList.Marked)
    def _marked(self, event: PickList.Marked) -> None:
        self._picks = tuple(
            pick._replace(marked=not pick.marked) if pick.key == event.pick.key else pick for pick in self._picks
        )
        self.query_one(PickList).show(self._picks)

    @on(PickList.Picked)
    def _picked(self, event: PickList.Picked) -> None:
        marked = frozenset(pick.key for pick in self._picks if pick.marked)
        self.dismiss(marked or (frozenset({event.pick.key}) if self._one else marked))
