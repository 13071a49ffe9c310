"""A form of fields, checked while they are filled in. Running a job with parameters and pausing are such forms."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Horizontal, VerticalScroll
from textual.widget import Widget
from textual.widgets import Input

from jobrunner.presentation.screen import Screen
from jobrunner.presentation.table import Cell
from jobrunner.tui.dialogs.dialog import Dialog
from jobrunner.tui.fields import Field, Values
from jobrunner.tui.widgets.button import Push
from jobrunner.tui.widgets.controls import Choice
from jobrunner.tui.widgets.lines import Lines


class Form(Dialog[Values]):
    """Gives the values, by name, when nothing is wrong with them. ``command`` says what does the same."""

    DEFAULT_CSS = """
    Form #fields { height: auto; max-height: 16; scrollbar-size: 1 1; }
    Form .field { height: 1; }
    Form .label { width: 18; }
    Form Input { border: none; height: 1; padding: 0; background: transparent; width: 1fr; }
    Form Input:focus { text-style: underline; }
    Form .fault { width: 24; }
    """

    BINDINGS: ClassVar = [
        Binding("down", "app.focus_next", show=False),
        Binding("up", "app.focus_previous", show=False),
        Binding("enter,ctrl+s", "submit", show=False),
    ]

    def __init__(
        self,
        screen: Screen,
        *,
        title: str,
        verb: str,
        fields: Sequence[Field],
        faults: Callable[[Values], dict[str, str]],
        command: Callable[[Values], str],
        first: str | None = None,
    ) -> None:
        super().__init__(screen, title)
        self._verb = verb
        self._fields = tuple(fields)
        self._faults = faults
        self._command = command
        self._first = first
        self._tried = False

    def inside(self) -> ComposeResult:
        with VerticalScroll(id="fields", can_focus=False):
            for place, field in enumerate(self._fields):
                with Horizontal(classes="field"):
                    label = Lines(self.terminal, classes="label")
                    label.show([Cell(f"{field.label}{' *' if field.required else ''}", "bold")])
                    yield label
                    yield self._widget(field, f"field-{place}")
                    yield Lines(self.terminal, id=f"fault-{place}", classes="fault")
        yield Lines(self.terminal, id="help")
        yield Lines(self.terminal, id="command")
        with Horizontal(classes="buttons"):
            yield Push(self.terminal, "Cancel", id="cancel")
            yield Push(self.terminal, self._verb, id="do")

    def _widget(self, field: Field, id: str) -> Widget:
        if field.choices:
            return Choice(field.choices, field.value, screen=self.terminal, otherwise=field.otherwise, id=id)
        placeholder = field.otherwise or field.help
        return Input(field.value, placeholder=placeholder, password=field.secret, compact=True, id=id)

    def on_mount(self) -> None:
        for name in ("#help", "#command"):
            self.query_one(name).styles.height = 1
        names = [field.name for field in self._fields]
        first = names.index(self._first) if self._first in names else 0
        self.query_one(f"#field-{first}" if names else "#do").focus()
        self._check()

    def command_shown(self) -> str:
        return self._command(self.values)

    @property
    def values(self) -> dict[str, str]:
        """What has been said so far."""
        found = dict[str, str]()
        for place, field in enumerate(self._fields):
            widget = self.query_one(f"#field-{place}")
            assert isinstance(widget, Input | Choice)
            found[field.name] = widget.value
        return found

    @on(Input.Changed)
    @on(Choice.Changed)
    def _check(self) -> dict[str, str]:
        values = self.values
        faults = self._faults(values)
        faults |= {one.name: "is required" for one in self._fields if one.required and not values[one.name]}
        for place, field in enumerate(self._fields):
            text = faults.get(field.name, "")
            if text and not values[field.name] and not self._tried:
                text = "required"
            fault = self.query_one(f"#fault-{place}", Lines)
            fault.display = bool(text)
            fault.show([Cell(text, "bold red" if values[field.name] or self._tried else "dim")])
        self.query_one("#command", Lines).show([Cell(self._command(values), "dim")])
        return faults

    def on_descendant_focus(self) -> None:
        name = (self.focused.id or "") if self.focused is not None else ""
        text = self._fields[int(name.removeprefix("field-"))].help if name.startswith("field-") else ""
        self.query_one("#help", Lines).show([Cell(text, "dim")])

    @on(Input.Submitted)
    def _next(self) -> None:
        self.action_submit()

    @on(Push.Pushed)
    def _pushed(self, event: Push.Pushed) -> None:
        if event.button.id == "cancel":
            self.dismiss(None)
        else:
            self.action_submit()

    def action_submit(self) -> None:
        """Gives the values, or goes to the first that is wrong."""
        self._tried = True
        faults = self._check()
        if not faults:
            self.dismiss(self.values)
            return
        names = [field.name for field in self._fields]
        wrong = [names.index(name) for name in faults if name in names]
        if wrong:
            self.query_one(f"#field-{min(wrong)}").focus()
