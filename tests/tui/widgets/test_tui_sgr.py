"""Colours of a job's output as styles, and everything else as text."""

from __future__ import annotations

import pytest
from rich.color import Color
from rich.style import Style

from jobrunner.tui.widgets.sgr import segments, words


def styles(data: bytes, *, colour: bool = True) -> list[tuple[str, Style]]:
    return [(segment.text, segment.style or Style.null()) for segment in segments(data, Style.null(), colour=colour)]


def fore(number: int) -> Style:
    return Style.from_color(Color.from_ansi(number))


@pytest.mark.parametrize(("codes", "style"), [
    (b"31", fore(1)),
    (b"1;32", fore(2) + Style(bold=True)),
    (b"94", fore(12)),
    (b"41", Style.from_color(None, Color.from_ansi(1))),
    (b"103", Style.from_color(None, Color.from_ansi(11))),
    (b"38;5;208", fore(208)),
    (b"38;2;1;2;3", Style.from_color(Color.from_rgb(1, 2, 3))),
    (b"48;5;300", Style.from_color(None, Color.from_ansi(255))),
    (b"1;0", Style.null()),
    (b"5", Style.null()),
    (b"38;9;1", Style(bold=True)),
    (b"30;40", Style.null()),
])  # fmt: skip
def test_colours_become_styles(codes: bytes, style: Style) -> None:
    assert styles(b"\x1b[" + codes + b"mtext") == [("text", style)]


def test_colours_end_and_begin_within_a_line() -> None:
    found = styles(b"a\x1b[31mb\x1b[1mc\x1b[22;39md\x1b[me")
    assert [text for text, _ in found] == ["a", "b", "c", "d", "e"]
    assert [bool(style.bold) for _, style in found] == [False, False, True, False, False]
    assert found[3][1].color in (None, Color.default())


def test_without_colours_what_else_there_is_stays() -> None:
    assert styles(b"\x1b[1;31mx", colour=False) == [("x", Style(bold=True))]


@pytest.mark.parametrize("data", [
    b"\x1b[2J", b"\x1b]0;title\x07", b"\x1b[8mhidden", b"\x9b31m", b"a\x08b", b"\x1bc", "\u202etxt".encode(),
    b"\xff\xfe",
])  # fmt: skip
def test_nothing_that_a_terminal_would_obey_is_left(data: bytes) -> None:
    text = "".join(text for text, _ in styles(data))
    assert text.isprintable()
    assert "\\" in text


def test_tabs_stand_at_columns_of_eight() -> None:
    assert "".join(text for text, _ in styles(b"a\tb\x1b[31mcd\te")) == "a       bcd     e"
    assert words(b"a\tb\x1b[31mcd") == "a\tbcd"
