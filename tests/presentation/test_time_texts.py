"""Instants and durations as people read them."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobrunner.presentation.times import Times, absolute, elapsed, relative, rfc3339

NOW = datetime(2026, 11, 21, 22, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "now"),
        (0.9, "now"),
        (-1, "1 s ago"),
        (-59.9, "59 s ago"),
        (-60, "1 m ago"),
        (-3 * 60, "3 m ago"),
        (2 * 3600, "in 2 h"),
        (47 * 3600 + 3599, "in 47 h"),
        (48 * 3600, "in 2 d"),
        (-400 * 86400, "400 d ago"),
        (-800 * 86400, "2 y ago"),
    ],
)
def test_relative(seconds: float, text: str) -> None:
    assert relative(NOW + timedelta(seconds=seconds), NOW) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (None, "-"),
        (0, "0ms"),
        (-0.5, "0ms"),
        (0.12, "120ms"),
        (0.9996, "1.0s"),
        (4.1, "4.1s"),
        (59.96, "1m00s"),
        (723, "12m03s"),
        (3599.9, "1h00m"),
        (11_100, "3h05m"),
        (187_200, "2d04h"),
    ],
)
def test_elapsed(seconds: float | None, text: str) -> None:
    assert elapsed(seconds) == text


@given(st.floats(min_value=0, max_value=99 * 86_400))
def test_elapsed_is_short(seconds: float) -> None:
    assert len(elapsed(seconds)) <= 6


def test_absolute_is_in_the_zone_and_names_it() -> None:
    assert absolute(NOW, ZoneInfo("Europe/Madrid")) == "2026-11-21 23:00:00 CET"
    assert absolute(NOW, ZoneInfo("America/Sao_Paulo")) == "2026-11-21 19:00:00 -03"
    assert absolute(NOW - timedelta(days=120), ZoneInfo("Europe/Madrid")).endswith("CEST")


def test_rfc3339_is_utc_with_microseconds() -> None:
    instant = datetime(2026, 11, 21, 23, 0, tzinfo=ZoneInfo("Europe/Madrid"))
    assert rfc3339(instant) == "2026-11-21T22:00:00.000000Z"
    assert rfc3339(None) is None


def test_terminals_see_distances_and_pipes_see_times() -> None:
    zone = ZoneInfo("UTC")
    instant = NOW - timedelta(minutes=3)
    assert Times(now=NOW, zone=zone, relative=True).when(instant) == "3 m ago"
    assert Times(now=NOW, zone=zone, relative=False).when(instant) == "2026-11-21 21:57:00 UTC"
    assert Times(now=NOW, zone=zone, relative=True).full(instant) == "2026-11-21 21:57:00 UTC (3 m ago)"
    assert Times(now=NOW, zone=zone, relative=True).when(None) == "-"
