"""Nothing that a terminal would obey gets through, however a job cuts its output into pieces."""

import re
import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from jobrunner.presentation.sanitise import TerminalFilter, plain

VISIBLE_FORMATS = {chr(c) for c in (*range(0x600, 0x606), 0x6DD, 0x70F, 0x890, 0x891, 0x8E2, 0x110BD, 0x110CD)}
SGR = re.compile("\x1b\\[[0-9;:]*m")

NASTY = st.text(
    st.one_of(
        st.sampled_from("\x1b[]0123456789;:mJH\r\n\t\x07\x9b\u202e\u200b\ufeff\x7f"),
        st.characters(),
    )
)


def is_forbidden(character: str) -> bool:
    category = unicodedata.category(character)
    return category in {"Cc", "Cs", "Zl", "Zp"} or (category == "Cf" and character not in VISIBLE_FORMATS)


def filtered(*pieces: bytes) -> str:
    screen = TerminalFilter()
    return "".join(screen.feed(piece) for piece in pieces) + screen.end()


@given(NASTY)
def test_plain_lets_nothing_through_that_moves_hides_or_reorders(text: str) -> None:
    assert not [character for character in plain(text) if is_forbidden(character)]


@given(st.text(st.characters(categories=["L", "N", "P", "S", "Zs"], exclude_characters="ᅟᅠㅤﾠ")))
def test_plain_leaves_ordinary_text_alone(text: str) -> None:
    assert plain(text) == text


@given(st.one_of(st.binary(), NASTY.map(lambda text: text.encode("utf-8", "surrogatepass"))))
@example(b"\x1b[8mhidden")
@example(b"\x1b[38;5;8mgrey")
@example(b"\x1b[0;08mhidden")
def test_output_obeys_only_lines_tabs_and_colours(data: bytes) -> None:
    rest = SGR.sub("", filtered(data)).replace("\n", "").replace("\t", "")
    assert not [character for character in rest if is_forbidden(character)]


@given(st.lists(st.binary(max_size=6), max_size=12))
@example([b"\x1b", b"[3", b"1mred"])
@example([b"\xe2\x82", b"\xac"])
@example([b"a\r", b"\nb"])
@example([b"\x1b[" + b"1" * 30, b"1" * 30 + b"m"])
def test_where_output_is_cut_makes_no_difference(pieces: list[bytes]) -> None:
    assert filtered(*pieces) == filtered(b"".join(pieces))


@given(NASTY)
def test_cutting_text_at_every_byte_makes_no_difference(text: str) -> None:
    data = text.encode("utf-8", "surrogatepass")
    assert filtered(*(bytes([byte]) for byte in data)) == filtered(data)


@pytest.mark.parametrize(
    ("data", "shown"),
    [
        (b"\x1b[2J\x1b[1;1H", "\\x1b[2J\\x1b[1;1H"),
        (b"\x1b]52;c;cm0gLXJm\x07", "\\x1b]52;c;cm0gLXJm\\x07"),
        (b"\x1b]0;title\x1b\\", "\\x1b]0;title\\x1b\\"),
        (b"\xc2\x9b2J", "\\x9b2J"),
        (b"one\r\ntwo\rthree", "one\ntwo\\rthree"),
        (b"a\x08b\x7f", "a\\x08b\\x7f"),
        (b"\xff\xfe caf\xc3\xa9", "\\xff\\xfe café"),
        ("user\u202egnp.exe".encode(), "user\\u202egnp.exe"),
        ("zero\u200bwidth".encode(), "zero\\u200bwidth"),
        (b"\x1b[31mred\x1b[0m", "\x1b[31mred\x1b[0m"),
        (b"\x1b[1;38;2;8;8;8mcolour\x1b[m", "\x1b[1;38;2;8;8;8mcolour\x1b[m"),
        (b"\x1b[31mred", "\x1b[31mred\x1b[0m"),
        (b"\x1b[31;8mhidden", "\\x1b[31;8mhidden"),
        (b"\x1b[38;5;1;8mhidden", "\\x1b[38;5;1;8mhidden"),
        (b"\x1b", "\\x1b"),
        (b"\xe2\x82", "\\xe2\\x82"),
        (b"no escapes, no changes\n", "no escapes, no changes\n"),
    ],
)
def test_what_is_shown(data: bytes, shown: str) -> None:
    assert filtered(data) == shown


def test_a_colour_that_is_on_is_ended_once() -> None:
    screen = TerminalFilter()
    screen.feed(b"\x1b[32m")
    assert screen.reset() == "\x1b[0m"
    assert screen.end() == ""


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("two\nlines\tand\rmore", "two\\nlines\\tand\\rmore"),
        ("\x1b[31mred\x1b[0m", "\\x1b[31mred\\x1b[0m"),
        ("\U000e0041tag", "\\U000e0041tag"),
        ("[bold]markup[/bold]", "[bold]markup[/bold]"),
        ("warning ⚠\ufe0f", "warning ⚠\ufe0f"),
    ],
)
def test_plain_is_one_line_without_colours(text: str, shown: str) -> None:
    assert plain(text) == shown
