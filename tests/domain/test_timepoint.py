from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jobrunner.domain.timepoint import local_to_instant, parse_since, parse_time, parse_timestamp
from jobrunner.errors import UsageError

MADRID = ZoneInfo("Europe/Madrid")
NOW = datetime(2026, 11, 21, 22, 30, 15, 123_456, tzinfo=UTC)


def at(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "instant"),
    [
        ("now", NOW),
        (" NOW ", NOW),
        ("+2h", NOW + timedelta(hours=2)),
        ("-1h30m", NOW - timedelta(minutes=90)),
        ("+0s", NOW),
        ("today", at(2026, 11, 20, 23)),
        ("today 06:00", at(2026, 11, 21, 5)),
        ("tomorrow", at(2026, 11, 21, 23)),
        ("tomorrow 06:00", at(2026, 11, 22, 5)),
        ("Tomorrow  6:00:30", at(2026, 11, 22, 5, 0, 30)),
        ("yesterday 23:59", at(2026, 11, 20, 22, 59)),
        ("2026-12-01", at(2026, 11, 30, 23)),
        ("2026-12-01 06:00", at(2026, 12, 1, 5)),
        ("2026-12-01 06:00:30", at(2026, 12, 1, 5, 0, 30)),
        ("2026-12-01T06:00", at(2026, 12, 1, 5)),
        ("2026-07-01 06:00", at(2026, 7, 1, 4)),
        ("2026-12-01T06:00:00Z", at(2026, 12, 1, 6)),
        ("2026-12-01t06:00:00z", at(2026, 12, 1, 6)),
        ("2026-12-01T06:00:00.25+05:45", at(2026, 12, 1, 0, 15, 0, 250_000)),
        ("2026-12-01 06:00:00.123456789-03:30", at(2026, 12, 1, 9, 30, 0, 123_456)),
        ("2026-12-01 06:00 +01:00", at(2026, 12, 1, 5)),
        ("2026-12-01T06:00:00-00:00", at(2026, 12, 1, 6)),
        ("2026-03-29 02:30", at(2026, 3, 29, 1)),
        ("2026-03-29 02:00", at(2026, 3, 29, 1)),
        ("2026-03-29 03:00", at(2026, 3, 29, 1)),
        ("2026-03-29 01:59:59", at(2026, 3, 29, 0, 59, 59)),
        ("2026-10-25 02:30", at(2026, 10, 25, 0, 30)),
        ("2026-10-25 03:00", at(2026, 10, 25, 2)),
        ("2024-02-29", at(2024, 2, 28, 23)),
    ],
)
def test_times(text: str, instant: datetime) -> None:
    found = parse_time(text, now=NOW, zone=MADRID)
    assert found == instant
    assert found.tzinfo is UTC


@pytest.mark.parametrize(
    "text",
    [
        "", " ", "soon", "tomorrow at 6", "tomorrow 6", "tomorrow 24:00", "2026-02-29", "2026-13-01",
        "2026-12-01 25:00", "2026-12-01 06:60", "2026-12-01T23:59:60Z", "2026-12-01T06:00:00+24:00",
        "2026-12-01T06:00:00+01:60", "20261201", "2026-W49-1", "2026-335", "01/12/2026", "2026-12-1", "06:00", "+",
        "-", "+2", "+2x", "2h", "+1h-1h", "1764568800", "0000-01-01", "0001-01-01", "9999-12-31",
        "9999-12-31T23:59:59-05:00", "+200y", "+99999999999d", "٢٠٢٦-12-01", "2026-12-01\n06:00",
        "2026-12-01T06:00:00.Z", "2026-12-01Z", "x" * 1_000, "\x1b[2J", "now\0",
    ],
)  # fmt: skip
def test_what_is_no_time_is_refused_in_one_line(text: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse_time(text, now=NOW, zone=MADRID)
    assert str(caught.value).isprintable()
    assert caught.value.hint
    assert len(str(caught.value)) < 300


@pytest.mark.parametrize(
    ("text", "instant"),
    [
        ("2h", NOW - timedelta(hours=2)),
        ("1d12h", NOW - timedelta(hours=36)),
        ("1.5h", NOW - timedelta(minutes=90)),
        ("-2h", NOW - timedelta(hours=2)),
        ("+2h", NOW + timedelta(hours=2)),
        ("yesterday", at(2026, 11, 19, 23)),
        ("2026-11-01", at(2026, 10, 31, 23)),
    ],
)
def test_since(text: str, instant: datetime) -> None:
    assert parse_since(text, now=NOW, zone=MADRID) == instant


@pytest.mark.parametrize("text", ["2", "2x", "", "h", "1h2", "last week"])
def test_since_refuses(text: str) -> None:
    with pytest.raises(UsageError):
        parse_since(text, now=NOW, zone=MADRID)


@pytest.mark.parametrize("text", ["now", "tomorrow", "+2h"])
def test_a_timestamp_means_the_same_tomorrow(text: str) -> None:
    with pytest.raises(UsageError):
        parse_timestamp(text, zone=MADRID)


@pytest.mark.parametrize(
    ("zone", "wall", "instant"),
    [
        ("Pacific/Apia", datetime(2011, 12, 30, 12), at(2011, 12, 30, 10)),
        ("Australia/Lord_Howe", datetime(2026, 10, 4, 2, 15), at(2026, 10, 3, 15, 30)),
        ("Australia/Lord_Howe", datetime(2026, 4, 5, 1, 45), at(2026, 4, 4, 14, 45)),
        ("Pacific/Chatham", datetime(2026, 9, 27, 3), at(2026, 9, 26, 14)),
        ("Africa/Casablanca", datetime(2026, 3, 22, 2, 30), at(2026, 3, 22, 2)),
        ("America/Sao_Paulo", datetime(2018, 11, 4), at(2018, 11, 4, 3)),
        ("Africa/Monrovia", datetime(1972, 1, 7, 0, 20), at(1972, 1, 7, 0, 44, 30)),
        ("Asia/Kathmandu", datetime(2026, 1, 1, 5, 45), at(2026, 1, 1)),
    ],
)
def test_walls_clocks_in_odd_zones(zone: str, wall: datetime, instant: datetime) -> None:
    assert local_to_instant(wall, ZoneInfo(zone)) == instant


@given(
    st.datetimes(datetime(1973, 1, 1), datetime(2100, 1, 1)),
    st.sampled_from(["Europe/Madrid", "Australia/Lord_Howe", "Pacific/Apia", "Pacific/Chatham", "Africa/Casablanca"]),
)
@settings(deadline=None)
def test_an_instant_shows_the_time_asked_for_or_a_later_one_after_a_gap(wall: datetime, name: str) -> None:
    zone = ZoneInfo(name)
    instant = local_to_instant(wall, zone)
    shown = instant.astimezone(zone).replace(tzinfo=None)
    just_before = (instant - timedelta(microseconds=1)).astimezone(zone).replace(tzinfo=None)
    assert shown == wall or (just_before < wall < shown)


@given(st.text(max_size=80))
@settings(deadline=None)
def test_any_text_is_a_time_or_refused(text: str) -> None:
    try:
        found = parse_since(text, now=NOW, zone=MADRID)
    except UsageError as error:
        message = str(error)
    else:
        assert found.tzinfo is UTC
        return
    assert message.isprintable()


@given(st.datetimes(datetime(3, 1, 1), datetime(9990, 1, 1)))
@settings(deadline=None)
def test_rfc_3339_is_read_back(moment: datetime) -> None:
    assert parse_timestamp(moment.isoformat() + "Z", zone=MADRID) == moment.replace(tzinfo=UTC)
