"""Quieter times for a job: where the others leave room, and what cannot be helped."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from jobrunner.domain.estimate import Basis, Estimate
from jobrunner.domain.forecast import Plan, PlannedJob, Suggestion
from jobrunner.domain.job import Command, Job, ScheduleSpec
from jobrunner.domain.schedule import parse
from jobrunner.domain.suggestion import suggest
from jobrunner.errors import NotFound, UsageError

START = datetime(2026, 5, 4, tzinfo=UTC)  # a Monday


def job(name: str, *schedules: str, minutes: float, zone: str = "UTC") -> PlannedJob:
    length = timedelta(minutes=minutes)
    specs = tuple(map(ScheduleSpec, schedules))
    return PlannedJob(
        job=Job(name=name, kind=Command(line="true"), folder="/", timezone=zone, definition="", schedules=specs),
        estimate=Estimate(median=length, p95=length, basis=Basis.GUESS),
    )


def quieter(*jobs: PlannedJob, days: float = 7, **more: str) -> Suggestion:
    """Suggestions for the first of these jobs."""
    plan = Plan(
        jobs=jobs,
        workers=99,
        queues=("default",),
        start=START,
        end=START + timedelta(days=days),
        timezone=more.get("timezone", "UTC"),
        seed=1,
    )
    return suggest(plan, jobs[0].job.name)


def expressions(found: Suggestion) -> list[str]:
    return [choice.expression for choice in found.choices]


def test_a_crowded_minute_has_quieter_ones_in_its_hour() -> None:
    mine = job("mine", "0 2 * * *", minutes=1)
    found = quieter(mine, *(job(f"other{n}", "0 2 * * *", minutes=20) for n in range(3)))
    assert (found.job, found.present.expression, found.present.load) == ("mine", "0 2 * * *", 3)
    own = next(choice for choice in found.choices if choice.expression.split()[1] == "2")
    assert own.load == 0
    assert 21 <= int(own.expression.split()[0]) <= 59
    assert all(choice.load == 0 for choice in found.choices)


def test_the_best_comes_first_and_the_own_hour_is_always_there() -> None:
    busy = [job(f"hour{hour}", f"0 {hour} * * *", minutes=60) for hour in range(24) if hour not in (5, 6, 7, 20)]
    also = [job("two", "0 2 * * *", minutes=30)]
    found = quieter(job("mine", "0 2 * * *", minutes=10), *busy, *also)
    hours = [int(expression.split()[1]) for expression in expressions(found)]
    assert hours[:3] == [5, 6, 7]
    assert hours[3:] == [2]
    assert found.choices[3].load == pytest.approx(1, abs=0.2)


def test_room_is_needed_for_as_long_as_the_job_takes() -> None:
    every = [job("each", "*/30 * * * *", minutes=10)]
    long = quieter(job("mine", "0 2 * * *", minutes=45), *every)
    assert long.present.load == pytest.approx(22 / 45, abs=0.1)
    short = quieter(job("mine", "0 2 * * *", minutes=5), *every)
    assert short.choices[0].load == 0


def test_only_the_minute_is_another_where_a_job_runs_at_several_hours() -> None:
    found = quieter(
        job("mine", "0 2,14 * * 1-5", minutes=1),
        job("other", "0 2 * * *", minutes=30),
        job("more", "30 14 * * *", minutes=20),
    )
    (choice,) = found.choices
    minute, *rest = choice.expression.split()
    assert rest == ["2,14", "*", "*", "1-5"]
    assert 50 < int(minute) < 60


def test_only_the_days_on_which_the_job_runs_count() -> None:
    weekend = [job(f"weekend{n}", "0 2 * * 6", minutes=30) for n in range(5)]
    assert quieter(job("mine", "0 2 * * 1", minutes=10), *weekend).present.load == 0
    assert quieter(job("mine", "0 2 * * 6", minutes=10), *weekend).present.load == 5


def test_what_is_quiet_has_nothing_quieter() -> None:
    assert quieter(job("mine", "0 2 * * *", minutes=10)).choices == ()


def test_days_are_those_of_the_job() -> None:
    tokyo = job("mine", "0 2 * * *", minutes=1, zone="Asia/Tokyo")
    found = quieter(tokyo, job("other", "0 17 * * *", minutes=30))
    assert found.present.load == 1
    assert all(choice.load == 0 for choice in found.choices)


@pytest.mark.parametrize("expression", ["@daily", "5 0 0 * * *", "H(0-0) 0 L * *", "0 0 29 2 *", "0 0-23/4 * * *"])
def test_what_is_suggested_is_an_expression_with_the_same_days(expression: str) -> None:
    found = quieter(job("mine", expression, minutes=1), job("other", "0 * * * *", minutes=0.5), days=800)
    assert found.choices
    for choice in found.choices:
        schedule = parse(ScheduleSpec(choice.expression), job="mine", timezone="UTC")
        before = parse(ScheduleSpec(expression), job="mine", timezone="UTC")
        moment = timedelta(microseconds=1)
        window = START - moment, START + timedelta(days=800) - moment
        assert [at.date() for at in schedule.between(*window)] == [at.date() for at in before.between(*window)]


@pytest.mark.parametrize(
    ("schedules", "complaint"),
    [
        ((), "has no schedule"),
        (("0 2 * * *", "0 3 * * *"), "has several schedules"),
        (("every 15m",), "does not run at a fixed minute"),
        (("*/5 * * * *",), "does not run at a fixed minute"),
        (("0,30 2 * * *",), "does not run at a fixed minute"),
        (("at 2026-05-05T00:00:00Z",), "does not run at a fixed minute"),
        (("0 2 1 1 *",), "does not fire in the window"),
    ],
)
def test_what_has_no_quieter_time(schedules: tuple[str, ...], complaint: str) -> None:
    with pytest.raises(UsageError, match=complaint):
        quieter(job("mine", *schedules, minutes=1))


def test_a_job_that_is_not_there() -> None:
    plan = Plan(jobs=(), workers=1, queues=(), start=START, end=START + timedelta(days=1), timezone="UTC", seed=1)
    with pytest.raises(NotFound):
        suggest(plan, "nobody")
