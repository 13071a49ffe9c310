from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from jobrunner.execution.masking import MASK, Masker

# Few letters, so that values overlap, contain each other and repeat.
_values = st.lists(st.text("abc", min_size=4, max_size=9), min_size=1, max_size=4)


@st.composite
def _streams(draw: st.DrawFn) -> tuple[list[str], list[bytes]]:
    values = draw(_values)
    parts = draw(st.lists(st.one_of(st.text("abc\n", max_size=6), st.sampled_from(values)), max_size=12))
    text = "".join(parts).encode()
    cuts = sorted(draw(st.lists(st.integers(0, len(text)), max_size=8)))
    return values, [text[start:end] for start, end in zip([0, *cuts], [*cuts, len(text)], strict=True)]


@given(_streams())
def test_a_stream_is_masked_as_one_text_wherever_it_breaks(case: tuple[list[str], list[bytes]]) -> None:
    values, pieces = case
    masker = Masker(values)
    masked = b"".join(map(masker.feed, pieces)) + masker.finish()
    assert masked == _masked(values, b"".join(pieces))


def _masked(values: list[str], text: bytes) -> bytes:
    longest_first = sorted({value.encode() for value in values}, key=len, reverse=True)
    return re.sub(b"|".join(longest_first), MASK, text)


@given(_streams())
def test_no_more_is_held_back_than_may_begin_a_value(case: tuple[list[str], list[bytes]]) -> None:
    values, pieces = case
    masker = Masker(values)
    for piece in pieces:
        masker.feed(piece)
    rest = masker.finish()
    # The beginning of a value may hold another one, which is masked when nothing follows it.
    begun = [value.encode()[:size] for value in values for size in range(len(value))]
    assert rest in {_masked(values, text) for text in begun}


def test_a_line_appears_when_it_is_written() -> None:
    assert Masker(["hunter22"]).feed(b"logging in as root\n") == b"logging in as root\n"


def test_short_values_and_none_are_left_alone() -> None:
    masker = Masker(["abc", ""])
    assert not masker
    assert masker.feed(b"abc") == b"abc"
    assert masker.mask("abc") == "abc"


def test_texts_beyond_ascii() -> None:
    masker = Masker(["contraseña", "a\udcffbcd"])
    assert masker.feed("x contraseñ".encode()) == b"x "
    assert masker.feed(b"a.") == b"***."
    assert masker.mask("la contraseña") == "la ***"
    assert masker.mask("plain \udcff") == "plain \udcff"
