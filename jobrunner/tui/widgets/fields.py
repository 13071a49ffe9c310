"""A form: labelled values, each with what is wrong with it below, while it is typed. The body of dialogs.

Every value is a text; a form does not know what it is for. What cannot be read is told by the field's ``check``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from typing import ClassVar

from rich.cells import cell_len
from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.message import Message
from textual.strip import Strip
from textual.widget import Widget
from textual.widgets import Input

from jobrunner.domain.duration import parse_duration
from jobrunner.errors import JobrunnerError
from jobrunner.presentation.sanitise import plain
from jobrunner.presentation.screen import Screen
from jobrunner.presentation.table import Cell
from jobrunner.tui.widgets.controls import YES, Choice, Switch, TextControl
from jobrunner.tui.widgets.ink import clipped, ground, line

Check = Callable[[str], None]
"""Raises a JobrunnerError or a ValueError that says what is wrong with a text."""


class Kind(StrEnum):
    """What a field is filled with. A duration is such as ``1h30m``, a date such as ``2026-11-25``."""

    TEXT = "text"
    CHOICE = "choice"
    BOOL = "bool"
    DURATION = "duration"
    DATE = "date"


def _date(text: str) -> None:
    try:
        date.fromisoformat(text)
    except ValueError:
        raise ValueError("not a date, which is written like 2026-11-25") from None


_CHECKS: Mapping[Kind, Callable[[str], object]] = {Kind.DURATION: parse_duration, Kind.DATE: _date}
_EXAMPLES = {Kind.DURATION: "30s, 10m, 1h30m", Kind.DATE: "2026-11-25"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One value of a form. ``value`` is what stands there at first: ``true`` or ``false`` of a bool.

    ``hint`` stands below while nothing is wrong; ``check`` looks at what was given, an empty text is left to
    ``required``.
    """

    name: str
    label: str = ""
    kind: Kind = Kind.TEXT
    value: str = ""
    choices: tuple[str, ...] = ()
    required: bool = False
    secret: bool = False
    hint: str = ""
    check: Check | None = field(default=None, compare=False)

    def wrong(self, text: str) -> str:
        """What is wrong with a text, empty: nothing."""
        if not text.strip():
            return "has to be given" if self.required else ""
        for check in (_CHECKS.get(self.kind), self.check):
            try:
                if check is not None:
                    check(text)
            except (JobrunnerError, ValueError) as error:
                return str(error)
        return ""


class Form(VerticalScroll, can_focus=False):
    """Fields below one another. Tab, arrows and Enter go on to the next; Enter on the last, or ctrl+s, submits."""

    DEFAULT_CSS = "Form { height: auto; scrollbar-size: 1 1; }"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("down", "step(1)", show=False),
        Binding("up", "step(-1)", show=False),
        Binding("enter", "enter", show=False),
        Binding("ctrl+s", "submit", "Submit", show=False, priority=True),
    ]

    @dataclass
    class Changed(Message):
        """A value is another one."""

        form: Form
        name: str
        text: str

    @dataclass
    class Submitted(Message):
        """All values are right, and a person is done."""

        form: Form
        values: dict[str, str]

    def __init__(self, fields: Sequence[Field], *, screen: Screen, id: str | None = None) -> None:
        super().__init__(id=id)
        label = max((cell_len(plain(each.label or each.name)) for each in fields), default=0)
        self._rows = [_Row(each, min(label, 24), screen) for each in fields]

    def compose(self) -> ComposeResult:
        yield from self._rows

    @property
    def values(self) -> dict[str, str]:
        """What stands in the fields, by their names."""
        return {row.field.name: row.text for row in self._rows}

    @property
    def wrong(self) -> dict[str, str]:
        """What is wrong, by the names of the fields."""
        return {row.field.name: wrong for row in self._rows if (wrong := row.wrong)}

    def set_value(self, name: str, text: str) -> None:
        """Puts a text into a field."""
        self._row(name).put(text)

    def complain(self, name: str, text: str) -> None:
        """Says below a field what only others could know of it; until the field is changed."""
        self._row(name).complain(text)

    def focus(self, scroll_visible: bool = True) -> Form:
        if self._rows:
            self._rows[0].control.focus(scroll_visible)
        return self

    def submit(self) -> bool:
        """Submits if all is right; else goes to the first field that is wrong, and all say what is."""
        wrong = [row for row in self._rows if row.wrong]
        for row in self._rows:
            row.touch()
        if wrong:
            wrong[0].control.focus()
            return False
        self.post_message(self.Submitted(self, self.values))
        return True

    def action_submit(self) -> None:
        self.submit()

    def action_step(self, steps: int) -> None:
        place = self._here + steps
        if 0 <= place < len(self._rows):
            self._rows[place].control.focus()

    def action_enter(self) -> None:
        if self._here == len(self._rows) - 1:
            self.submit()
        else:
            self.action_step(1)

    @on(Input.Submitted)
    def _entered(self, event: Input.Submitted) -> None:
        event.stop()
        self.action_enter()

    @on(Input.Changed)
    @on(Choice.Changed)
    def _changed(self, event: Input.Changed | Choice.Changed) -> None:
        event.stop()
        for row in self._rows:
            if event.control is row.control:
                row.touch()
                self.post_message(self.Changed(self, row.field.name, row.text))

    @property
    def _here(self) -> int:
        return next((place for place, row in enumerate(self._rows) if row.control.has_focus), 0)

    def _row(self, name: str) -> _Row:
        return next(row for row in self._rows if row.field.name == name)


class _Row(Vertical):
    """A label, a control, and a line below them."""

    DEFAULT_CSS = "_Row { height: 2; max-width: 90; } _Row Horizontal { height: 1; }"

    def __init__(self, field: Field, label: int, screen: Screen) -> None:
        super().__init__()
        self.field = field
        self.control: TextControl | Choice = _control(field, screen)
        self._label = _Words(screen, label + 3)
        self._remark = _Words(screen, None)
        self._margin = label + 3
        self._screen = screen
        self._touched = False
        self._label_cells = label

    def compose(self) -> ComposeResult:
        with Horizontal():
            yield self._label
            if isinstance(self.control, TextControl):
                yield _Words(self._screen, 1, "[")
            yield self.control
            if isinstance(self.control, TextControl):
                yield _Words(self._screen, 1, "]")
        yield self._remark

    def on_mount(self) -> None:
        text = clipped(plain(self.field.label or self.field.name), self._label_cells, self._screen)
        mark = "*" if self.field.required else " "
        self._label.say([Cell(text), Cell(mark, "bold")])
        self._say(self.wrong if self._touched else "")

    @property
    def text(self) -> str:
        """What stands in the field."""
        return self.control.value

    @property
    def wrong(self) -> str:
        return self.field.wrong(self.text)

    def touch(self) -> None:
        """From now on it says what is wrong with it."""
        self._touched = True
        self._say(self.wrong)

    def put(self, text: str) -> None:
        if isinstance(self.control, Choice):
            self.control.choose(text)
        else:
            self.control.value = text

    def complain(self, text: str) -> None:
        self._say(text)

    def _say(self, wrong: str) -> None:
        hint = self.field.hint or _EXAMPLES.get(self.field.kind, "")
        said = Cell(f"{'✗' if self._screen.unicode else 'X'} {wrong}", "bold red") if wrong else Cell(hint, "dim")
        self._remark.say([Cell(" " * self._margin), said])


class _Words(Widget):
    """One line."""

    DEFAULT_CSS = "_Words { height: 1; }"

    def __init__(self, screen: Screen, width: int | None, text: str = "") -> None:
        super().__init__()
        self._screen = screen
        self._cells = [Cell(text)]
        if width is not None:
            self.styles.width = width

    def say(self, cells: list[Cell]) -> None:
        if cells != self._cells:
            self._cells = cells
            self.refresh()

    def render_line(self, y: int) -> Strip:
        return line(self._cells, self.size.width, self._screen, ground(self))


def _control(field: Field, screen: Screen) -> TextControl | Choice:
    match field.kind:
        case Kind.CHOICE:
            choices = field.choices if field.required or "" in field.choices else ("", *field.choices)
            return Choice(choices, field.value, screen=screen)
        case Kind.BOOL:
            return Switch(field.value == YES, screen=screen)
        case Kind.TEXT | Kind.DURATION | Kind.DATE:
            return TextControl(field.value, screen=screen, secret=field.secret)
