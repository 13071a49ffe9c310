"""The small pure parts: JSON results, one-line errors."""

from __future__ import annotations

import json
from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobrunner.execution.jsonvalue import NotJson, result_text
from jobrunner.execution.wording import one_line, signal_name

_json = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(st.characters(exclude_categories=["Cs"])), inner),
)  # fmt: skip


@given(_json)
def test_a_json_value_stays_what_it_is(value: Any) -> None:
    assert json.loads(result_text(value)) == value


def _circle() -> list[Any]:
    circle: list[Any] = []
    circle.append({"again": circle})
    return circle


def _deep() -> list[Any]:
    deep: list[Any] = []
    for _ in range(5000):
        deep = [deep]
    return deep


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ({"a": [1, {"b": date(2026, 1, 1)}]}, "the result['a'][1]['b'] cannot be JSON: it is of type datetime.date"),
        (float("nan"), "the result cannot be JSON: it is nan"),
        ([1.0, float("-inf")], "the result[1] cannot be JSON: it is -inf"),
        ({(1, 2): 3}, "has a key of type tuple"),
        (b"bytes", "of type bytes"),
        ({1, 2}, "of type set"),
        ("\ud800", "lone surrogate"),
        (_circle(), "contains itself"),
        (_deep(), "nested too deeply"),
        ("x" * (1024 * 1024), "larger than 1 MiB (1,048,578 bytes of JSON, str)"),
    ],
)
def test_what_json_cannot_hold_is_refused_by_type_and_place(value: Any, words: str) -> None:
    with pytest.raises(NotJson) as refused:
        result_text(value)
    assert words in str(refused.value)
    assert "\n" not in str(refused.value)


def test_one_mebibyte_is_just_right() -> None:
    assert len(result_text("x" * (1024 * 1024 - 2))) == 1024 * 1024


@given(st.text())
def test_a_line_is_one_short_line_without_controls(text: str) -> None:
    line = one_line(text)
    assert len(line) <= 200
    assert line.isprintable() or not any(ord(char) < 32 or 127 <= ord(char) < 160 for char in line)
    line.encode()


def test_sequences_vanish_whole() -> None:
    assert one_line("\x1b[31mred\x1b[0m \x1b]0;title\x07\x1b]52;c;aGk=\x1b\\end\n\tof it\x9b2J") == "red end of it 2J"


def test_names_of_signals() -> None:
    assert signal_name(9) == "SIGKILL"
    assert signal_name(40) == "signal 40"
