"""Schedules against what the documentation of other schedulers says of its own examples, in words."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from itertools import islice
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from debian_cron import Entry, Night
from documented_examples import (
    CRON,
    QUARTZ,
    REFUSED,
    SYSTEMD,
    SYSTEMD_REFUSED,
    SYSTEMD_YEARS,
    Example,
    Refused,
)

from jobrunner.domain.job import ScheduleSpec
from jobrunner.domain.schedule import parse
from jobrunner.domain.traps import traps
from jobrunner.errors import ScheduleError
from jobrunner.jobfile.imports.calendar_events import NotSaid, schedule_of

STARTS = (datetime(2026, 11, 20, 23, 59, 59), datetime(2028, 2, 27, 11, 30))
"""An ordinary day, and one before the end of a February that has 29."""

FIRES = 150
LONGEST = 3 * 366
"""Days."""


def told(example: Example, start: datetime) -> Iterator[str]:
    """The fires after a local time, by the words of the documentation."""
    for number in range(LONGEST):
        day = start.date() + timedelta(days=number)
        if example.day(day):
            yield from (text for time in sorted(example.times) if (text := f"{day} {time}") > f"{start}")


def holds(example: Example, expression: str, zone: str) -> None:
    schedule = parse(ScheduleSpec(expression), job="job", timezone=zone)
    for start in STARTS:
        expected = list(islice(told(example, start), FIRES))
        assert len(expected) > 2
        after = start.replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)
        ours = islice(schedule.between(after, after + timedelta(days=LONGEST)), len(expected))
        assert [f"{fire.astimezone(ZoneInfo(zone)):%Y-%m-%d %H:%M:%S}" for fire in ours] == expected


@pytest.mark.parametrize("example", [*CRON, *QUARTZ], ids=lambda example: f"{example.source}: {example.printed}")
def test_an_example_fires_as_its_documentation_says(example: Example) -> None:
    holds(example, example.ours, "UTC")


@pytest.mark.parametrize("example", SYSTEMD, ids=lambda example: example.printed)
def test_a_calendar_event_fires_as_its_documentation_says(example: Example) -> None:
    found = schedule_of(example.printed)
    holds(example, found["cron"], found.get("timezone", "UTC"))


@pytest.mark.parametrize(("printed", "keys"), SYSTEMD_YEARS.items())
def test_a_calendar_event_of_past_years(printed: str, keys: dict[str, Any]) -> None:
    assert schedule_of(printed) == keys


@pytest.mark.parametrize("example", REFUSED, ids=lambda example: example.printed)
def test_what_is_not_taken_is_told_with_what_to_write(example: Refused) -> None:
    with pytest.raises(ScheduleError) as caught:
        parse(ScheduleSpec(example.printed), job="job", timezone="UTC")
    assert example.words in f"{caught.value}; {caught.value.hint}"


@pytest.mark.parametrize("example", SYSTEMD_REFUSED, ids=lambda example: example.printed)
def test_a_calendar_event_that_no_schedule_says(example: Refused) -> None:
    with pytest.raises(NotSaid, match=example.words):
        schedule_of(example.printed)


def test_what_is_printed_and_fires_at_other_times_here_is_remarked_on() -> None:
    """Nobody who takes an expression of Quartz along is left to find out on a Saturday that it said Friday."""
    for example in QUARTZ:
        try:
            schedule = parse(ScheduleSpec(example.printed), job="job", timezone="UTC")
        except ScheduleError:
            assert example.printed != example.ours
        else:
            notes = traps(schedule, after=datetime(2026, 1, 1, tzinfo=UTC))
            assert any("in Quartz" in note for note in notes) == (example.printed != example.ours), example


@lru_cache
def night() -> Night:
    """Three weeks in Madrid, over the end of summer time and of a month."""
    return Night(ZoneInfo("Europe/Madrid"), datetime(2026, 10, 16, tzinfo=UTC), datetime(2026, 11, 6, tzinfo=UTC))


@pytest.mark.parametrize("example", [one for one in CRON if one.ours[0] not in "@e" and "L" not in one.ours])
def test_an_example_fires_as_debians_cron_would(example: Example) -> None:
    schedule = parse(ScheduleSpec(example.ours), job="job", timezone="Europe/Madrid")
    assert list(schedule.between(night().start, night().end)) == night().fires(Entry(example.ours))
