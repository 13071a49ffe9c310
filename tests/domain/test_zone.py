from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from jobrunner.domain.zone import Timeline, load_zone, timeline
from jobrunner.errors import UsageError

HOUR = 3_600


def seconds(*parts: int) -> int:
    return int(datetime(*parts, tzinfo=UTC).timestamp())


@pytest.mark.parametrize(
    ("name", "first", "last"),
    [
        ("Europe/Madrid", 2024, 2028), ("Africa/Casablanca", 2024, 2028), ("America/Recife", 1999, 2003),
        ("Asia/Gaza", 2009, 2013), ("Australia/Lord_Howe", 2024, 2026), ("Pacific/Apia", 2010, 2013),
        ("Asia/Kathmandu", 1985, 1987), ("UTC", 2024, 2026),
    ],
)  # fmt: skip
def test_stretches_join_and_have_the_offset_of_the_zone(name: str, first: int, last: int) -> None:
    line, zone = Timeline(name, load_zone(name)), ZoneInfo(name)
    instant, end = seconds(first, 1, 1), seconds(last, 1, 1)
    stretch = line.stretch(instant)
    while instant < end:
        if instant >= stretch.end:
            following = line.stretch(stretch.end)
            assert following.start == stretch.end
            stretch = following
        offset = datetime.fromtimestamp(instant, zone).utcoffset()
        assert offset is not None
        assert stretch.offset == offset.total_seconds()
        instant += HOUR


def test_a_change_is_found_to_the_second() -> None:
    (spring, autumn) = timeline("Europe/Madrid").changes(seconds(2026, 1, 1), seconds(2027, 1, 1))
    assert (spring.start, autumn.start) == (seconds(2026, 3, 29, 1), seconds(2026, 10, 25, 1))
    assert spring.done == seconds(2026, 3, 29, 2) - 1, "what the gap skips is still to be done"
    assert autumn.done == seconds(2026, 10, 25, 3) - 1, "what is repeated has been done"


def test_a_correction_of_the_clock_starts_afresh() -> None:
    (change,) = timeline("Pacific/Kiritimati").changes(seconds(1994, 6, 1), seconds(1995, 6, 1))
    assert change.done == change.start + change.offset - 1


def test_a_change_just_before_a_cut_is_carried_over() -> None:
    """Stretches are cut between two explorations; an overlap that lies across a cut is still known behind it."""
    autumn = timeline("Europe/Madrid").stretch(seconds(2026, 10, 25, 1))
    half = autumn.start + 1_800
    behind = Timeline("Europe/Madrid", load_zone("Europe/Madrid"), block=half).stretch(half)
    assert (behind.start, behind.offset, behind.done) == (half, autumn.offset, autumn.done)


def test_far_away_years_have_stretches() -> None:
    for year in (2, 1500, 2500, 9998):
        stretch = timeline("Europe/Madrid").stretch(seconds(year, 7, 1))
        assert stretch.start <= seconds(year, 7, 1) < stretch.end


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("europe/madrid", "did you mean 'Europe/Madrid'?"),
        ("New York", "did you mean 'America/New_York'?"),
        ("Berlin", "did you mean 'Europe/Berlin'?"),
        ("Mars/Olympus", "use an IANA name"),
        ("", "use an IANA name"),
        ("../UTC", "use an IANA name"),
        ("right/Europe/Madrid", "did you mean"),
    ],
)
def test_a_wrong_zone_is_told(name: str, hint: str) -> None:
    with pytest.raises(UsageError) as caught:
        load_zone(name)
    assert hint in str(caught.value)
