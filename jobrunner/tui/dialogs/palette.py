"""The palette: everything that can be done or gone to, found by some letters of it; asks for arguments step by step."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import ClassVar, NamedTuple

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Horizontal
from textual.widgets import Input

from jobrunner.presentation.screen import Screen
from jobrunner.presentation.table import Cell
from jobrunner.tui.dialogs.dialog import Dialog
from jobrunner.tui.fields import Field, Values
from jobrunner.tui.fuzzy import ranked
from jobrunner.tui.widgets.lines import Lines
from jobrunner.tui.widgets.picklist import Pick, PickList

_MOST_SHOWN = 200


class Entry(NamedTuple):
    """What can be picked: ``keys`` do it as well, ``command`` does the same in a shell."""

    key: object
    words: str
    keys: str = ""
    command: str = ""


class Palette(Dialog[object]):
    """Gives the key of the entry that was picked."""

    DEFAULT_CSS = """
    Palette { align: center top; }
    Palette #box { margin-top: 2; }
    Palette #line { height: 1; }
    Palette Input { border: none; height: 1; padding: 0; background: transparent; width: 1fr; }
    Palette #ask { width: auto; }
    """

    BINDINGS: ClassVar = [
        Binding("down,ctrl+n", "move(1)", show=False, priority=True),
        Binding("up,ctrl+p", "move(-1)", show=False, priority=True),
        Binding("pagedown", "move(10)", show=False, priority=True),
        Binding("pageup", "move(-10)", show=False, priority=True),
    ]

    def __init__(self, screen: Screen, entries: Sequence[Entry], *, title: str = "Commands") -> None:
        super().__init__(screen, title)
        self._entries = list(entries)

    def inside(self) -> ComposeResult:
        with Horizontal(id="line"):
            ask = self.said(Cell("> ", "bold"), id="ask")
            ask.styles.width = 2
            yield ask
            yield Input(compact=True)
        found = PickList(self.terminal)
        found.styles.height = max(min(self.app.size.height - 8, 14), 1)
        found.can_focus = False
        yield found
        below = Lines(self.terminal, id="below")
        below.styles.height = 1
        yield below

    def on_mount(self) -> None:
        self._search("")
        self.query_one(Input).focus()

    def command_shown(self) -> str:
        pick = self.query_one(PickList).current
        return pick.key.command if pick is not None and isinstance(pick.key, Entry) else ""

    def add(self, entries: Sequence[Entry]) -> None:
        """More that can be picked, which took longer to find."""
        self._entries += entries
        if self.is_mounted:
            self._search(self.query_one(Input).value)

    def _search(self, text: str) -> None:
        found = ranked(text, self._entries, lambda entry: entry.words)[:_MOST_SHOWN]
        self.query_one(PickList).show([Pick(entry, entry.words, entry.keys) for entry in found], first=True)
        if not found:
            self.query_one("#below", Lines).show([Cell("nothing is called so", "dim")])

    @on(Input.Changed)
    def _typed(self, event: Input.Changed) -> None:
        self._search(event.value)

    @on(PickList.Moved)
    def _moved(self, event: PickList.Moved) -> None:
        entry = event.pick.key
        assert isinstance(entry, Entry)
        self.query_one("#below", Lines).show([Cell(entry.command, "dim")])

    @on(Input.Submitted)
    def _submitted(self) -> None:
        self.query_one(PickList).action_pick()

    @on(PickList.Picked)
    def _picked(self, event: PickList.Picked) -> None:
        entry = event.pick.key
        assert isinstance(entry, Entry)
        self.dismiss(entry.key)

    def action_move(self, by: int) -> None:
        self.query_one(PickList).action_move(by)


class Steps(Dialog[Values]):
    """Asks for one field after another in the line of the palette; what is wrong is said at once."""

    DEFAULT_CSS = Palette.DEFAULT_CSS.replace("Palette", "Steps")

    BINDINGS: ClassVar = [
        Binding("down", "move(1)", show=False, priority=True),
        Binding("up", "move(-1)", show=False, priority=True),
        Binding("shift+tab", "before", show=False, priority=True),
    ]

    def __init__(
        self,
        screen: Screen,
        *,
        title: str,
        fields: Sequence[Field],
        faults: Callable[[Values], Mapping[str, str]],
        command: Callable[[Values], str],
    ) -> None:
        super().__init__(screen, title)
        self._fields = tuple(fields)
        self._faults = faults
        self._command = command
        self._step = 0
        self._values = {field.name: field.value for field in fields}

    def inside(self) -> ComposeResult:
        with Horizontal(id="line"):
            yield self.said("", id="ask")
            yield Input(compact=True)
        yield PickList(self.terminal)
        yield self.said("", id="said")
        yield self.said("", id="below")

    def on_mount(self) -> None:
        self.query_one(PickList).can_focus = False
        self._show()

    def command_shown(self) -> str:
        return self._command(self._values)

    @property
    def _field(self) -> Field:
        return self._fields[self._step]

    def _show(self) -> None:
        field = self._field
        label = f"{field.label}{' *' if field.required else ''} ({self._step + 1}/{len(self._fields)}): "
        ask = self.query_one("#ask", Lines)
        ask.show([Cell(label, "bold")])
        ask.styles.width = len(label)
        picks = self.query_one(PickList)
        picks.styles.height = max(min(len(field.choices), 10), 1) if field.choices else 0
        picks.display = bool(field.choices)
        picks.show([Pick(choice, choice or f"({field.otherwise})") for choice in field.choices], first=True)
        line = self.query_one(Input)
        line.password, line.placeholder = field.secret, field.otherwise or field.help
        line.value = self._values[field.name]
        line.focus()
        self._check()

    @on(Input.Changed)
    def _typed(self, event: Input.Changed) -> None:
        self._values[self._field.name] = event.value
        self._check()

    def _check(self) -> str:
        field, value = self._field, self._values[self._field.name]
        fault = self._faults(self._values).get(field.name, "")
        if field.required and not value:
            fault = "is required"
        said = Cell(fault, "bold red" if value else "dim") if fault else Cell(field.help, "dim")
        self.query_one("#said", Lines).show([said])
        self.query_one("#below", Lines).show([Cell(self._command(self._values), "dim")])
        return fault

    @on(Input.Submitted)
    def _next(self) -> None:
        pick = self.query_one(PickList).current
        if self._field.choices and not self._values[self._field.name] and pick is not None:
            self._values[self._field.name] = str(pick.key)
        if self._check():
            return
        if self._step + 1 == len(self._fields):
            self.dismiss(self._values)
        else:
            self._step += 1
            self._show()

    def action_before(self) -> None:
        self._step = max(self._step - 1, 0)
        self._show()

    def action_move(self, by: int) -> None:
        if self._field.choices:
            self.query_one(PickList).action_move(by)
