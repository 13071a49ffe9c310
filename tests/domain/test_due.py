"""The fire times of all schedules of a job together, against those of each schedule."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jobrunner.domain.clock import from_micros, to_micros
from jobrunner.domain.due import Due
from jobrunner.domain.job import Command, Job, ScheduleSpec

START = to_micros(datetime(2026, 10, 24, tzinfo=UTC))
DAY = 86_400_000_000
EXPRESSIONS = (
    "*/7 * * * *",
    "0 2 * * *",
    "30 2 * * *",
    "every 90m",
    "0 */3 * * *",
    "at 2026-10-25T01:00:00Z",
    "0 0 1 1 *",
)

some = st.lists(st.sampled_from(EXPRESSIONS), min_size=1, max_size=3)
instants = st.integers(START - 2 * DAY, START + 3 * DAY)


def due(*expressions: str, zone: str = "Europe/Madrid", **bounds: datetime) -> Due:
    specs = tuple(ScheduleSpec(expression, **bounds) for expression in expressions)
    return Due(Job(name="job", kind=Command(line="true"), folder="/", timezone=zone, definition="", schedules=specs))


@settings(deadline=None)
@given(some, instants, st.integers(0, DAY))
def test_fires_are_those_of_each_schedule_once_and_in_order(texts: list[str], after: int, length: int) -> None:
    both = due(*texts)
    each = {
        to_micros(at) for one in both.schedules for at in one.between(from_micros(after), from_micros(after + length))
    }
    found = list(both.fires(after, after + length))
    assert found == sorted(each)
    assert all(both.schedule_at(at) for at in found)
    assert both.last_until(after + length, after) == (found[-1] if found else None)
    following = both.next_after(after)
    assert not found or following == found[0]


def test_the_last_fire_is_found_years_back() -> None:
    yearly = due("0 0 29 2 *")
    assert yearly.last_until(START, 0) == to_micros(datetime(2024, 2, 28, 23, tzinfo=UTC))
    assert yearly.last_until(START, START - DAY) is None
    assert yearly.next_after(START) == to_micros(datetime(2028, 2, 28, 23, tzinfo=UTC))


def test_bounds_hold() -> None:
    start = from_micros(START)
    bound = due("every 1h", start=start, end=start + timedelta(hours=2))
    assert list(bound.fires(START - DAY, START + DAY)) == [START, START + DAY // 24, START + DAY // 12]
    assert bound.next_after(START - DAY) == START
    assert bound.next_after(START + DAY // 12) is None
    assert bound.schedule_at(START + DAY // 8) is None


@pytest.mark.parametrize(("texts", "same"), [(["@daily"], True), (["0 0 * * *", "@daily"], True), (["@weekly"], False)])
def test_equal_keys_are_equal_fires(texts: list[str], same: bool) -> None:
    assert (due("0 0 * * *").key == due(*texts).key) is same


def test_no_schedule_is_never_due() -> None:
    assert (list(due().fires(0, START)), due().next_after(0), due().schedule_at(START)) == ([], None, None)
