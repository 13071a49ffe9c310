"""The line where a filter is typed: it says what is wrong with it, and how it could go on."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual import events, on
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Horizontal
from textual.message import Message
from textual.strip import Strip
from textual.widget import Widget
from textual.widgets import Input

from jobrunner.presentation.screen import Screen
from jobrunner.presentation.table import Cell
from jobrunner.tui.widgets.drawing import strip


class FilterLine(Horizontal):
    """Hidden until ``open``; Enter keeps the filter, Escape takes away what was typed, Tab takes the suggestion."""

    DEFAULT_CSS = """
    FilterLine { height: 1; display: none; }
    FilterLine.-open { display: block; }
    FilterLine Input { border: none; height: 1; padding: 0; width: 1fr; background: transparent; }
    FilterLine #filter-slash { width: 2; }
    FilterLine #filter-said { width: 1fr; }
    """

    class Changed(Message):
        """The text, as it is now."""

        def __init__(self, text: str) -> None:
            super().__init__()
            self.text = text

    class Closed(Message):
        """The person is done with it."""

    def __init__(self, screen: Screen, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._screen = screen
        self._before = ""
        self._suggested: tuple[str, ...] = ()
        self._left: Widget | None = None

    def compose(self) -> ComposeResult:
        slash = Said(self._screen, id="filter-slash")
        slash.say(Cell("/", "bold"))
        yield slash
        field = FilterInput(compact=True, select_on_focus=False)
        field.can_focus = False
        yield field
        yield Said(self._screen, id="filter-said")

    def open(self, text: str) -> None:
        """Shows the line with a text in it."""
        self._before = text
        self.add_class("-open")
        field = self.query_one(FilterInput)
        field.can_focus = True
        with field.prevent(Input.Changed):
            field.value = text
        field.cursor_position = len(text)
        if self.screen.focused is not field:
            self._left = self.screen.focused
        self.screen.set_focus(field)
        self.complain("")

    @property
    def is_open(self) -> bool:
        return self.has_class("-open")

    def complain(self, text: str) -> None:
        """What is wrong with the filter; empty: nothing."""
        self.query_one("#filter-said", Said).say(Cell(text, "bold yellow"))

    def suggest(self, texts: Sequence[str]) -> None:
        """Whole filters that the text could become, best first.

        They are said in the place of a complaint only while a word is being typed: it is no mistake yet.
        """
        self._suggested = tuple(texts)
        said = self.query_one("#filter-said", Said)
        typed = self.query_one(FilterInput).value
        if texts and (not said.text or typed[-1:].strip()):
            said.say(Cell("tab: " + "  ".join(text.rstrip().rpartition(" ")[2] for text in texts[:4]), "dim"))

    @on(Input.Changed)
    def _typed(self, event: Input.Changed) -> None:
        event.stop()
        self.complain("")
        self.post_message(self.Changed(event.value))

    @on(Input.Submitted)
    def _done(self, event: Input.Submitted) -> None:
        event.stop()
        self.close()

    def complete(self) -> None:
        """Takes the first suggestion."""
        if self._suggested:
            field = self.query_one(FilterInput)
            field.value = self._suggested[0]
            field.cursor_position = len(field.value)

    def give_up(self) -> None:
        """Goes back to the filter of before."""
        field = self.query_one(FilterInput)
        if field.value != self._before:
            self.post_message(self.Changed(self._before))
        self.close()

    def close(self) -> None:
        """Hides the line; what had the keys before has them again."""
        self.remove_class("-open")
        field, left = self.query_one(FilterInput), self._left
        if self.screen.focused is field and left is not None and left.is_attached and left.focusable:
            self.screen.set_focus(left)
        field.can_focus = False
        self.post_message(self.Closed())


class FilterInput(Input):
    """Where it is typed."""

    BINDINGS: ClassVar = [
        Binding("escape", "give_up", show=False),
        Binding("tab", "complete", show=False),
        Binding("down", "done", show=False),
    ]

    def action_give_up(self) -> None:
        assert isinstance(self.parent, FilterLine)
        self.parent.give_up()

    def action_complete(self) -> None:
        assert isinstance(self.parent, FilterLine)
        self.parent.complete()

    def action_done(self) -> None:
        assert isinstance(self.parent, FilterLine)
        self.parent.close()

    def on_blur(self, event: events.Blur) -> None:
        if isinstance(self.parent, FilterLine) and self.parent.is_open:
            self.parent.close()


class Said(Widget):
    """One line of text."""

    DEFAULT_CSS = "Said { height: 1; }"

    def __init__(self, screen: Screen, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._screen = screen
        self._cell = Cell("")

    @property
    def text(self) -> str:
        return self._cell.text

    def say(self, cell: Cell) -> None:
        if cell != self._cell:
            self._cell = cell
            self.refresh()

    def render_line(self, y: int) -> Strip:
        return strip([self._cell], self.size.width, self._screen)
