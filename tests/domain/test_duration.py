"""Durations: what is read, what is refused, and that every text comes back to the same value."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobrunner.domain.duration import format_duration, parse_duration
from jobrunner.errors import UsageError


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("0s", 0),
        ("90s", 90),
        ("1h30m", 5400),
        ("1.5h", 5400),
        ("2d", 172_800),
        ("1w1d1h1m1s1ms", 694_861.001),
        (" 5m ", 300),
        ("250ms", 0.25),
        ("0.5s", 0.5),
        ("36525d", 36_525 * 86_400),
    ],
)
def test_read(text, seconds) -> None:
    assert parse_duration(text) == timedelta(seconds=seconds)


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "5",
        "5 m",
        "m",
        "-5s",
        "+5s",
        "1y",
        "5M",
        "1h1h",
        "30m1h",
        "1,5h",
        ".5h",
        "1.h",
        "36526d",
        "٣s",
        "1e3s",
        "x" * 99,
        "9" * 60 + "d",
        "5s\n5s",
        "nan",
        "inf",
    ],
)
def test_refused(text) -> None:
    with pytest.raises(UsageError) as caught:
        parse_duration(text)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 160


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0s"),
        (90, "1m30s"),
        (86_400, "1d"),
        (3600, "1h"),
        (0.25, "250ms"),
        (1.5, "1.5s"),
        (0.0005, "0.0005s"),
        (-90, "-1m30s"),
    ],
)
def test_written(seconds, text) -> None:
    assert format_duration(timedelta(seconds=seconds)) == text


@given(st.timedeltas(timedelta(0), timedelta(days=36_525)))
def test_every_duration_comes_back(value) -> None:
    assert parse_duration(format_duration(value)) == value


@given(st.text("0123456789.wdhms- "))
def test_any_text_is_a_duration_or_one_line(text) -> None:
    try:
        value = parse_duration(text)
    except UsageError:
        return
    assert timedelta(0) <= value <= timedelta(days=36_525)
