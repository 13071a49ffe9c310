"""How the dashboard looks on this terminal: its own sixteen colours on its own background, or none. Asked by the app.

With ``NO_COLOR`` nothing but bold, dim, underlined and reversed text reaches the terminal.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple, TextIO

from rich.cells import cell_len
from rich.segment import Segment
from textual.color import Color
from textual.filter import LineFilter
from textual.theme import Theme

from jobrunner.presentation.screen import Screen

DARK, LIGHT = "jobrunner-dark", "jobrunner-light"
VARIANTS = {"dark": DARK, "light": LIGHT}


class Look(NamedTuple):
    """What the terminal can show, and which of the two themes fits its background."""

    screen: Screen
    theme: str = DARK

    @classmethod
    def of(cls, stream: TextIO, environ: Mapping[str, str], variant: str | None = None) -> Look:
        """The look for a stream; ``variant`` is ``dark`` or ``light`` where a person has said it."""
        return cls(Screen.of(stream, environ), VARIANTS[variant] if variant else _theme_of(environ))


def _theme_of(environ: Mapping[str, str]) -> str:
    """By ``COLORFGBG``, which terminals set that know it: ``15;0`` is light on dark."""
    background = environ.get("COLORFGBG", "").rpartition(";")[2]
    return LIGHT if background in ("7", "15") else DARK


class NoColours(LineFilter):
    """Takes every colour away. Textual's own filter would still send those that say "the default"."""

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:
        return [
            Segment(text, None if style is None else style.without_color, control) for text, style, control in segments
        ]


class AsciiOnly(LineFilter):
    """Puts a plain character in the place of each that a terminal without Unicode cannot show, as wide as it was."""

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:
        return [
            segment if segment.text.isascii() else Segment(_ascii(segment.text), segment.style, segment.control)
            for segment in segments
        ]


_PLAIN = str.maketrans("·…→×–—≥≤≈─━│┃▌▐┌┐└┘├┤┬┴┼", "-~>x--><~--||||+++++++++")


def _ascii(text: str) -> str:
    text = text.translate(_PLAIN)
    return text if text.isascii() else "".join(one if one.isascii() else "?" * cell_len(one) for one in text)


def _theme(name: str, *, dark: bool, muted: str, accent: str) -> Theme:
    """A theme of the terminal's own colours only."""
    plain = "ansi_default"
    return Theme(
        name=name,
        ansi=True,
        dark=dark,
        primary=accent,
        secondary=accent,
        accent=accent,
        warning="ansi_yellow",
        error="ansi_red",
        success="ansi_green",
        foreground=plain,
        background=plain,
        surface=plain,
        panel=plain,
        boost=plain,
        variables={
            "ansi-background": plain,
            "ansi-foreground": plain,
            "border": accent,
            "border-blurred": muted,
            "block-cursor-foreground": plain,
            "block-cursor-background": plain,
            "block-cursor-text-style": "reverse",
            "block-cursor-blurred-foreground": plain,
            "block-cursor-blurred-background": plain,
            "block-cursor-blurred-text-style": "reverse dim",
            "block-hover-background": plain,
            "input-cursor-foreground": plain,
            "input-cursor-background": plain,
            "input-cursor-text-style": "reverse",
            "input-selection-foreground": plain,
            "input-selection-background": plain,
            "screen-selection-foreground": plain,
            "screen-selection-background": plain,
            "scrollbar": accent,
            "scrollbar-hover": accent,
            "scrollbar-active": accent,
            "scrollbar-background": plain,
            "scrollbar-background-hover": plain,
            "scrollbar-background-active": plain,
            "scrollbar-corner-color": plain,
            "button-focus-text-style": "reverse bold",
            "button-color-foreground": plain,
            "button-foreground": plain,
        },
    )


THEMES = (
    _theme(DARK, dark=True, muted="ansi_bright_black", accent="ansi_cyan"),
    _theme(LIGHT, dark=False, muted="ansi_bright_black", accent="ansi_blue"),
)
