"""What is ahead of a job that is edited: fires with changes of the clock, days off and other jobs of the minute."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

from jobrunner.domain.job import Command, Job, ScheduleSpec
from jobrunner.domain.outlook import Others, outlook

BEFORE = datetime(2026, 10, 23, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


def job(name: str, *expressions: str, zone: str = "Europe/Madrid", **more: Any) -> Job:
    specs = tuple(map(ScheduleSpec, expressions))
    return Job(
        name=name, kind=Command(line="true"), folder="/", timezone=zone, definition="", schedules=specs
    )._replace(**more)


def test_a_change_of_the_clock_is_marked_at_the_fire_behind_it() -> None:
    value = outlook(job("a", "0 12 * * *"), {}, Others([], {}), BEFORE)
    assert [fire.moved for fire in value.fires] == [timedelta(0), -HOUR, timedelta(0), timedelta(0), timedelta(0)]
    assert value.fires[1].at.isoformat() == "2026-10-25T12:00:00+01:00"
    assert value.planned[0].words == "At 12:00"
    assert value.planned[0].zone == "Europe/Madrid"


def test_what_may_surprise_is_told() -> None:
    value = outlook(job("a", "30 2 * * *"), {}, Others([], {}), BEFORE)
    assert any("the first time only" in remark for remark in value.planned[0].remarks)


def test_others_of_the_same_minute_are_counted_and_the_job_itself_is_not() -> None:
    jobs = [
        job("a", "0 12 * * *"),
        job("b", "0 12 * * *"),
        job("c", "30 0 12 * * *", "@hourly"),
        job("late", "1 12 * * *"),
        job("off", "0 12 * * *", enabled=False),
        job("shadow", "0 12 * * *", shadow=True),
        job("by hand"),
        *(job(f"d{number}", "0 10 * * *", zone="UTC") for number in range(3)),
    ]
    value = outlook(jobs[0], {}, Others(jobs, {}), BEFORE)
    assert value.fires[0].others == 5
    assert value.fires[0].names == ("b", "c", "d0")
    assert value.fires[1].others == 2, "in winter ten o'clock UTC is an hour earlier"


def test_a_job_that_does_not_fire_on_a_day_is_no_other_of_it_and_its_own_days_are_marked() -> None:
    calendars = {"holidays": (date(2026, 10, 24),)}
    resting = job("b", "0 12 * * *", blackout=("holidays",))
    value = outlook(job("a", "0 12 * * *"), calendars, Others([resting], calendars), BEFORE)
    assert [fire.others for fire in value.fires[:2]] == [0, 1]
    own = outlook(resting, calendars, Others([], {}), BEFORE)
    assert [fire.day_off for fire in own.fires[:2]] == ["holidays", None]


def test_a_job_under_another_name_does_not_collide_with_what_it_was() -> None:
    value = outlook(job("new", "0 12 * * *"), {}, Others([job("old", "0 12 * * *")], {}), BEFORE, but="old")
    assert value.fires[0].others == 0


def test_one_that_never_fires_again_has_no_fires_and_one_that_is_disabled_says_so() -> None:
    assert outlook(job("a", "at 2020-01-01T00:00:00Z"), {}, Others([], {}), BEFORE).fires == ()
    assert outlook(job("a", "@daily", enabled=False), {}, Others([], {}), BEFORE).idle == "it is disabled"
    assert outlook(job("a"), {}, Others([], {}), BEFORE).planned == ()
