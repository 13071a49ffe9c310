"""Many keys below one another, a line for each, and below them what is said of the one with the focus.

Denser than ``Form``: for tables of which a person changes one value or two, and wants to see the rest.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar, NamedTuple

from rich.cells import cell_len
from textual import events, on
from textual.actions import SkipAction
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.message import Message
from textual.strip import Strip
from textual.widget import Widget
from textual.widgets import Input

from jobrunner.presentation.sanitise import plain
from jobrunner.presentation.screen import Screen
from jobrunner.presentation.table import Cell
from jobrunner.tui.widgets.controls import Choice, TextControl
from jobrunner.tui.widgets.ink import clipped, ground, line

_WIDEST_LABEL = 24
_MARK = 2


class Row(NamedTuple):
    """One key: its name, its value as it is typed, empty where it has none, and all that it may be where that is
    known. ``words`` say what it is, ``otherwise`` what holds while it is empty."""

    name: str
    value: str
    choices: tuple[str, ...] = ()
    words: str = ""
    otherwise: str = ""


class KeyForm(Vertical):
    """Arrows, Tab and Enter go from key to key, typing changes the value. It asks for nothing and keeps nothing.

    Tab at the last key, and Shift+Tab at the first, are left to the screen: they lead out of the form.
    """

    DEFAULT_CSS = """
    KeyForm { height: 1fr; }
    KeyForm _Rows { height: 1fr; scrollbar-size: 1 1; }
    KeyForm Horizontal, KeyForm #controls { height: auto; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("down,enter", "step(1)", show=False),
        Binding("up", "step(-1)", show=False),
        Binding("tab", "tab(1)", show=False),
        Binding("shift+tab", "tab(-1)", show=False),
    ]

    @dataclass
    class Changed(Message):
        """Another value was typed for a key."""

        form: KeyForm
        name: str
        text: str

        @property
        def control(self) -> KeyForm:
            return self.form

    def __init__(self, rows: Sequence[Row], *, screen: Screen, id: str | None = None) -> None:
        super().__init__(id=id)
        self._rows = tuple(rows)
        self._screen = screen
        self._labels = _Labels(self._rows, screen)
        self._controls: list[TextControl | Choice] = [
            Choice(row.choices, row.value, screen=screen) if row.choices else TextControl(row.value, screen=screen)
            for row in self._rows
        ]
        self._said = _Said(screen)
        self._wrong: Mapping[str, str] = {}

    def compose(self) -> ComposeResult:
        with _Rows(can_focus=False), Horizontal():
            yield self._labels
            with Vertical(id="controls"):
                yield from self._controls
        yield self._said

    @property
    def names(self) -> tuple[str, ...]:
        """The keys, from top to bottom."""
        return tuple(row.name for row in self._rows)

    def value(self, name: str) -> str:
        """What stands there for a key."""
        return self._controls[self.names.index(name)].value

    def put(self, name: str, text: str) -> None:
        """Types a text for a key, in the place of what stands there."""
        control = self._controls[self.names.index(name)]
        if isinstance(control, Choice):
            control.choose(text)
        else:
            control.value = text

    def go_on_from(self, values: Mapping[str, str]) -> None:
        """Takes these for what stood there at first; what was typed stays, and is marked where it differs from them."""
        self._rows = tuple(row._replace(value=values.get(row.name, row.value)) for row in self._rows)
        self._labels.mark(frozenset(self._wrong), self._changed_names())

    def complain(self, wrong: Mapping[str, str]) -> None:
        """What is wrong, by key; of those that it does not name nothing is."""
        if wrong != self._wrong:
            self._wrong = wrong
            self._labels.mark(frozenset(wrong), self._changed_names())
            self._tell()

    def point_at(self, name: str) -> None:
        """Goes to a key."""
        self._controls[self.names.index(name)].focus()

    def focus(self, scroll_visible: bool = True) -> KeyForm:
        if self._controls:
            self._controls[self._here].focus(scroll_visible)
        return self

    def action_step(self, steps: int) -> None:
        place = self._here + steps
        if 0 <= place < len(self._controls):
            self._controls[place].focus()

    def action_tab(self, steps: int) -> None:
        if not 0 <= self._here + steps < len(self._controls):
            raise SkipAction
        self.action_step(steps)

    def on_descendant_focus(self, event: events.DescendantFocus) -> None:
        self._labels.point(self._here)
        self._tell()

    @on(Input.Submitted)
    def _entered(self, event: Input.Submitted) -> None:
        event.stop()
        self.action_step(1)

    @on(Input.Changed)
    @on(Choice.Changed)
    def _changed(self, event: Input.Changed | Choice.Changed) -> None:
        event.stop()
        for row, control in zip(self._rows, self._controls, strict=True):
            if event.control is control:
                self._labels.mark(frozenset(self._wrong), self._changed_names())
                self.post_message(self.Changed(self, row.name, control.value))

    @property
    def _here(self) -> int:
        return next((place for place, control in enumerate(self._controls) if control.has_focus), self._labels.place)

    def _changed_names(self) -> frozenset[str]:
        return frozenset(
            row.name for row, control in zip(self._rows, self._controls, strict=True) if control.value != row.value
        )

    def _tell(self) -> None:
        row = self._rows[self._here] if self._rows else Row("", "")
        self._said.tell(row, self._wrong.get(row.name, ""))


class _Rows(VerticalScroll, inherit_bindings=False):
    """What scrolls by itself so that the key with the focus is in sight; arrows go from key to key."""


class _Labels(Widget):
    """The names, as one widget: a widget for each would take long to come."""

    def __init__(self, rows: Sequence[Row], screen: Screen) -> None:
        super().__init__()
        self.place = 0
        self._names = [row.name for row in rows]
        self._screen = screen
        self._cells = min(max((cell_len(plain(name)) for name in self._names), default=0), _WIDEST_LABEL)
        self._wrong = self._changed = frozenset[str]()
        self.styles.width = self._cells + _MARK + 1
        self.styles.height = max(len(rows), 1)

    def point(self, place: int) -> None:
        """Which of them is being filled in."""
        self.place = place
        self.refresh()

    def mark(self, wrong: frozenset[str], changed: frozenset[str]) -> None:
        """Which are wrong, and which are another value than at first."""
        if (wrong, changed) != (self._wrong, self._changed):
            self._wrong, self._changed = wrong, changed
            self.refresh()

    def render_line(self, y: int) -> Strip:
        if y >= len(self._names):
            return line((), self.size.width, self._screen, ground(self))
        name = self._names[y]
        text = clipped(plain(name), self._cells, self._screen)
        style = "bold" if y == self.place else "dim"
        return line([self._mark(name), Cell(text, style)], self.size.width, self._screen, ground(self))

    def _mark(self, name: str) -> Cell:
        if name in self._wrong:
            return Cell("✗ " if self._screen.unicode else "X ", "bold red")
        return Cell("* " if name in self._changed else "  ", "bold yellow")


class _Said(Widget):
    """Two lines on the key with the focus: what it is, and what is wrong, or what holds while it is empty."""

    DEFAULT_CSS = "_Said { height: 2; }"

    def __init__(self, screen: Screen) -> None:
        super().__init__()
        self._screen = screen
        self._lines: tuple[Cell, Cell] = (Cell(""), Cell(""))

    def tell(self, row: Row, wrong: str) -> None:
        mark = "✗" if self._screen.unicode else "X"
        second = Cell(f"{mark} {wrong}", "bold red") if wrong else Cell(row.otherwise, "dim")
        lines = (Cell(row.words, "dim"), second)
        if lines != self._lines:
            self._lines = lines
            self.refresh()

    def render_line(self, y: int) -> Strip:
        cells = [Cell("  "), self._lines[y]] if y < len(self._lines) else []
        return line(cells, self.size.width, self._screen, ground(self))
