"""Lines of TOML being typed, in the terminal's own colours; their numbers are those that they have in the file."""

from __future__ import annotations

from typing import ClassVar

from rich.style import Style
from rich.text import Text
from textual._text_area_theme import TextAreaTheme
from textual.binding import Binding, BindingType
from textual.geometry import Size
from textual.reactive import reactive
from textual.widgets import TextArea
from textual.widgets.text_area import LanguageDoesNotExist

from jobrunner.presentation.screen import Screen

_COLOURS = {
    "comment": Style(dim=True),
    "string": Style(color="green"),
    "number": Style(color="cyan"),
    "float": Style(color="cyan"),
    "boolean": Style(color="cyan"),
    "toml.datetime": Style(color="cyan"),
    "toml.type": Style(bold=True),
    "toml.error": Style(color="red"),
}


class TomlText(TextArea):
    """A text of a few hundred lines at most. What cannot be printed of it stands there as a question mark."""

    DEFAULT_CSS = """
    TomlText, TomlText:focus { border: none; padding: 0; background: transparent; height: 1fr; }
    TomlText { scrollbar-size: 0 1; }
    TomlText .text-area--cursor { text-style: reverse; }
    TomlText .text-area--gutter, TomlText .text-area--cursor-gutter { color: $border-blurred; background: transparent; }
    TomlText .text-area--cursor-line { background: transparent; }
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+home", "top", show=False),
        Binding("ctrl+end", "bottom", show=False),
    ]

    virtual_size = reactive(Size(0, 0))
    """As every widget has it, but that the whole screen is not laid out anew for each letter: its place is the same."""

    def __init__(self, text: str, *, first: int, screen: Screen, id: str | None = None) -> None:
        """``first`` is the number of the first line."""
        super().__init__(
            soft_wrap=False,
            show_line_numbers=True,
            line_number_start=first,
            compact=True,
            tab_behavior="focus",
            id=id,
        )
        self.set_reactive(TextArea.cursor_blink, False)
        self.register_theme(TextAreaTheme("jobrunner", syntax_styles=_COLOURS if screen.colour else {}))
        self.theme = "jobrunner"
        try:
            self.language = "toml"
        except LanguageDoesNotExist:
            pass  # it is typed without colours
        self.load_text(text)

    @staticmethod
    def can_hold(text: str) -> bool:
        """Whether a text comes back as it was: one of several kinds of line break would not."""
        breaks = text.count("\r\n")
        return (
            len(text.splitlines()) == text.count("\n") + (not text.endswith("\n") and bool(text))
            and "\r" not in text.replace("\r\n", "")
            and breaks in (0, text.count("\n"))
        )

    def go_to(self, line: int) -> None:
        """To the beginning of a line, by its number."""
        self.move_cursor((max(line - self.line_number_start, 0), 0), center=True)

    def action_top(self) -> None:
        self.move_cursor((0, 0))

    def action_bottom(self) -> None:
        self.move_cursor(self.document.end)

    def get_line(self, line_index: int) -> Text:
        shown = "".join(
            character if character.isprintable() or character == "\t" else "?"
            for character in self.document.get_line(line_index)
        )
        return Text(shown, end="", no_wrap=True)
