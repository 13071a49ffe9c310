"""The line below an output where a search is typed: ``/`` finds, ``&`` shows only what matches."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from textual import events, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.message import Message
from textual.strip import Strip
from textual.widget import Widget
from textual.widgets import Input

from jobrunner.presentation.screen import Screen
from jobrunner.presentation.table import Cell
from jobrunner.tui.widgets.ink import ground, line


class SearchLine(Horizontal):
    """Hidden until ``open``. Enter keeps the search, Escape goes back to the one ``before``."""

    DEFAULT_CSS = """
    SearchLine { height: 1; display: none; }
    SearchLine.-open { display: block; }
    SearchLine Input { border: none; height: 1; padding: 0; width: 1fr; background: transparent; }
    SearchLine .-kind { width: 2; }
    SearchLine .-complaint { width: auto; max-width: 60%; }
    """

    @dataclass
    class Typed(Message):
        """The text of the search of this kind, as it is now."""

        kind: str
        text: str

    @dataclass
    class Closed(Message):
        """The person is done with it, or gives it up."""

        kind: str
        given_up: bool

    def __init__(self, screen: Screen) -> None:
        super().__init__()
        self.before = ""
        self._kind = _Remark(screen, "bold", classes="-kind")
        self._field = _Field(compact=True, select_on_focus=False)
        self._field.set_reactive(Input.cursor_blink, False)
        self._complaint = _Remark(screen, "bold yellow", classes="-complaint")
        self._field.can_focus = False

    def compose(self) -> ComposeResult:
        yield self._kind
        yield self._field
        yield self._complaint

    def open(self, kind: str, text: str) -> None:
        """Shows the line, with a text that is replaced by what is typed next."""
        self.before = text
        self._kind.say(f" {kind}")
        self._complaint.say("")
        self.add_class("-open")
        self._field.can_focus = True
        with self._field.prevent(Input.Changed):
            self._field.value = text
        self._field.select_all()
        self.screen.set_focus(self._field)

    def complain(self, text: str) -> None:
        """What is wrong with the text; empty: nothing."""
        self._complaint.say(f"  {text}" if text else "")

    @on(Input.Changed)
    def _changed(self, event: Input.Changed) -> None:
        event.stop()
        self.post_message(self.Typed(self._kind.text.strip(), event.value))

    @on(Input.Submitted)
    def _submitted(self, event: Input.Submitted) -> None:
        event.stop()
        self.close(given_up=False)

    def close(self, *, given_up: bool) -> None:
        """Hides the line."""
        if self.has_class("-open"):
            self.remove_class("-open")
            self._field.can_focus = False
            self.post_message(self.Closed(self._kind.text.strip(), given_up))


class _Field(Input):
    """Where it is typed."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "give_up", show=False)]

    def action_give_up(self) -> None:
        self._close(given_up=True)

    def on_blur(self, event: events.Blur) -> None:
        self._close(given_up=False)

    def _close(self, *, given_up: bool) -> None:
        if isinstance(self.parent, SearchLine):
            self.parent.close(given_up=given_up)


class _Remark(Widget):
    """One line of text, as wide as it is."""

    DEFAULT_CSS = "_Remark { height: 1; }"

    def __init__(self, screen: Screen, style: str, *, classes: str) -> None:
        super().__init__(classes=classes)
        self.text = ""
        self._screen, self._style = screen, style

    def say(self, text: str) -> None:
        if text != self.text:
            self.text = text
            self.refresh(layout=True)

    def get_content_width(self, container: object, viewport: object) -> int:
        return len(self.text)

    def render_line(self, y: int) -> Strip:
        return line([Cell(self.text, self._style)], self.size.width, self._screen, ground(self))
