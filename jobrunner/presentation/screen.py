"""What a text is going to be read on: its width, whether it shows colours and Unicode. Used by all that draws."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator, Mapping
from typing import NamedTuple, TextIO

_SGR = {"bold": 1, "dim": 2, "red": 31, "green": 32, "yellow": 33, "blue": 34, "magenta": 35, "cyan": 36}
_WORDS = {str(number): word for word, number in _SGR.items()}
_C_LOCALES = ("C", "POSIX")


class Screen(NamedTuple):
    """A terminal, or a pipe or file (``terminal`` False), which has no width, no colours, and every column."""

    terminal: bool
    width: int = 80
    colour: bool = False
    unicode: bool = True

    @classmethod
    def of(cls, stream: TextIO, environ: Mapping[str, str]) -> Screen:
        """The screen behind a stream. ``NO_COLOR`` and ``TERM=dumb`` take colours away, ``COLUMNS`` sets the width."""
        terminal = stream.isatty()
        return cls(
            terminal=terminal,
            width=max(shutil.get_terminal_size().columns, 20),
            colour=terminal and not environ.get("NO_COLOR") and environ.get("TERM", "dumb") != "dumb",
            unicode=_shows_unicode(stream, environ),
        )

    def paint(self, text: str, style: str) -> str:
        """The text in a style such as ``bold red``, where there are colours."""
        if not (self.colour and style and text):
            return text
        return f"\x1b[{';'.join(str(_SGR[word]) for word in style.split())}m{text}\x1b[0m"

    @property
    def ellipsis(self) -> str:
        """What ends a text that was cut."""
        return "…" if self.unicode else "~"


def painted(line: str) -> Iterator[tuple[str, str]]:
    """The texts of a line that ``Screen.paint`` has painted, each with its style: for who paints in another way."""
    style = ""
    for place, piece in enumerate(re.split("\x1b\\[([0-9;]+)m", line)):
        if place % 2:
            style = " ".join(_WORDS[code] for code in piece.split(";") if code in _WORDS)
        elif piece:
            yield piece, style


def _shows_unicode(stream: TextIO, environ: Mapping[str, str]) -> bool:
    if (stream.encoding or "").lower().replace("-", "") != "utf8":
        return False
    if environ.get("LC_ALL"):
        return environ["LC_ALL"] not in _C_LOCALES
    # Python replaces the C locale by C.UTF-8 in the environment; LANG still says what the person's terminal was given.
    if environ.get("LC_CTYPE", "C.UTF-8") != "C.UTF-8":
        return environ["LC_CTYPE"] not in _C_LOCALES
    return environ.get("LANG", "") not in _C_LOCALES
