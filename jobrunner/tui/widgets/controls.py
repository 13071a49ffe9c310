"""What a form's values are given with: a line of text, or one of several. By keyboard alone, or the mouse."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from rich.cells import cell_len
from rich.text import Text
from textual import events
from textual.binding import Binding, BindingType
from textual.geometry import Size
from textual.message import Message
from textual.reactive import reactive
from textual.strip import Strip
from textual.widget import Widget
from textual.widgets import Input
from textual.widgets.input import Selection

from jobrunner.presentation.sanitise import plain
from jobrunner.presentation.screen import Screen
from jobrunner.presentation.table import Cell
from jobrunner.tui.widgets.ink import ground, line

_NONE = "-"
"""How the empty choice is shown: nothing is given."""


class TextControl(Input):
    """A line of text. What cannot be printed of it stands there as a question mark."""

    DEFAULT_CSS = """
    TextControl, TextControl:focus { border: none; height: 1; padding: 0; background: transparent; width: 1fr; }
    """

    virtual_size = reactive(Size(0, 0))
    """As every widget has it, but that the whole screen is not laid out anew for each letter: its place is the same."""

    def __init__(self, value: str, *, screen: Screen, secret: bool = False) -> None:
        self._unicode = screen.unicode
        super().__init__(password=secret, compact=True, select_on_focus=False)
        self.set_reactive(Input.cursor_blink, False)
        self.set_reactive(Input.value, value)
        self.set_reactive(Input.selection, Selection.cursor(len(value)))

    @property
    def _value(self) -> Text:
        if self.password:
            shown = ("•" if self._unicode else "*") * len(self.value)
        else:
            shown = "".join(character if character.isprintable() else "?" for character in self.value)
        return Text(shown, no_wrap=True, overflow="ignore", end="")


class Choice(Widget, can_focus=True):
    """One of several values. All are shown where there is room, else the one with its number."""

    DEFAULT_CSS = "Choice { height: 1; width: 1fr; }"
    ALLOW_SELECT = False
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("left", "turn(-1)", show=False),
        Binding("right,space", "turn(1)", show=False),
    ]

    @dataclass
    class Changed(Message):
        """Another value was chosen."""

        choice: Choice
        value: str

        @property
        def control(self) -> Choice:
            return self.choice

    def __init__(
        self, choices: Sequence[str], value: str, *, screen: Screen, otherwise: str = "", id: str | None = None
    ) -> None:
        """``otherwise`` is what the empty choice means. Raises ValueError where there is nothing to choose from."""
        super().__init__(id=id)
        if not choices:
            raise ValueError("nothing to choose from")
        self._screen = screen
        self._choices = tuple(choices)
        self._otherwise = otherwise or _NONE
        self._place = self._choices.index(value) if value in self._choices else 0

    @property
    def value(self) -> str:
        """The chosen one."""
        return self._choices[self._place]

    def choose(self, value: str) -> None:
        """Chooses one of the values.

        Raises:
            ValueError: it is not among them.
        """
        self._take(self._choices.index(value))

    def action_turn(self, steps: int) -> None:
        self._take((self._place + steps) % len(self._choices))

    def on_key(self, event: events.Key) -> None:
        """The next value that begins with the letter."""
        if event.character is None or not event.character.isprintable() or event.character == " ":
            return
        for step in range(1, len(self._choices) + 1):
            place = (self._place + step) % len(self._choices)
            if self._choices[place].lower().startswith(event.character.lower()):
                event.stop()
                self._take(place)
                return

    def on_click(self, event: events.Click) -> None:
        left = 0
        for place, text in enumerate(self._texts() if self._all_fit() else ()):
            left += cell_len(text) + 2
            if event.x < left:
                self._take(place)
                return
        if not self._all_fit():
            self.action_turn(1)

    def watch_has_focus(self, value: bool) -> None:
        super().watch_has_focus(value)
        self.refresh()

    def render_line(self, y: int) -> Strip:
        return line(self._cells() if y == 0 else (), self.size.width, self._screen, ground(self))

    def _cells(self) -> list[Cell]:
        given = "bold" if self.value or self._otherwise == _NONE else "dim"
        chosen = f"{given} reverse" if self.has_focus else given
        if self._all_fit():
            cells = list[Cell]()
            for place, text in enumerate(self._texts()):
                cells += [Cell(text, chosen if place == self._place else ""), Cell("  ")]
            return cells
        left, right = ("‹", "›") if self._screen.unicode else ("<", ">")
        return [
            Cell(f"{left} "),
            Cell(plain(self.value) or self._otherwise, chosen),
            Cell(f" {right}"),
            Cell(f"  {self._place + 1} of {len(self._choices)}", "dim"),
        ]

    def _texts(self) -> list[str]:
        mark = "•" if self._screen.unicode else "*"
        return [
            f"({mark if place == self._place else ' '}) {plain(choice) or self._otherwise}"
            for place, choice in enumerate(self._choices)
        ]

    def _all_fit(self) -> bool:
        return sum(cell_len(text) + 2 for text in self._texts()) - 2 <= self.size.width

    def _take(self, place: int) -> None:
        if place != self._place:
            self._place = place
            self.refresh()
            self.post_message(self.Changed(self, self.value))
