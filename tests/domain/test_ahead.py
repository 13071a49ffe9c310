"""What fires next, over all jobs: in order, jobs of one instant together, without who does not start then."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from random import Random

import pytest
from samples import NOW

from jobrunner.domain.ahead import Ahead, Moment
from jobrunner.domain.job import Command, Job, ScheduleSpec
from jobrunner.domain.queue import Pause
from jobrunner.domain.timetable import Timed

EXPRESSIONS = ("every 1m", "*/2 * * * *", "* * * * *", "7-59/10 * * * *", "*/20 * * * * *", "H * * * *", "every 90s")


def timed(name: str, *expressions: str, blackout: tuple[date, ...] = ()) -> Timed:
    specs = tuple(ScheduleSpec(expression) for expression in expressions)
    job = Job(name=name, kind=Command(line="true"), folder="/", timezone="UTC", definition="", schedules=specs)
    return Timed.of(job, calendars={"days": blackout} if blackout else None)


def pause(scope: str, name: str, until: datetime | None) -> Pause:
    return Pause(scope=scope, name=name, who="ana", since=NOW, until=until, reason="")


@pytest.mark.parametrize("seed", range(10))
def test_it_says_what_the_schedules_say_also_when_time_has_passed(seed: int) -> None:
    random = Random(seed)
    jobs = [timed(f"job{n}", *random.sample(EXPRESSIONS, random.choice((1, 2, 3)))) for n in range(8)]
    ahead, now = Ahead(jobs, NOW), NOW
    for _ in range(6):
        now += timedelta(seconds=random.choice((0, 0.5, 20, 61, 4_000)))
        fires = {(at, one.job.name) for one in jobs for at in one.between(now, now + timedelta(hours=2))}
        found = ahead.moments(now, 10, (), names=99)
        assert [moment.at for moment in found] == sorted({at for at, _ in fires})[:10]
        for moment in found:
            assert moment.jobs == tuple(sorted(name for at, name in fires if at == moment.at))
            assert moment.total == len(moment.jobs)


def test_of_many_jobs_at_one_instant_some_are_named() -> None:
    jobs = [timed(f"job{n}", "0 3 * * *") for n in range(1_000)]
    (moment,) = Ahead(jobs, NOW).moments(NOW, 1, (), names=2)
    assert (moment.jobs, moment.total) == (("job0", "job1"), 1_000)


def test_who_is_paused_or_in_a_blackout_then_is_left_out() -> None:
    today = NOW.date()
    jobs = [timed("a", "every 10m"), timed("b", "every 10m"), timed("c", "@hourly", blackout=(today,))]
    ahead = Ahead(jobs, NOW)
    first, second = (moment.at for moment in ahead.moments(NOW, 2, ()))
    assert ahead.moments(NOW, 2, [pause("job", "a", None)]) == (Moment(first, ("b",), 1), Moment(second, ("b",), 1))
    found = ahead.moments(NOW, 2, [pause("job", "b", second)])
    assert found == (Moment(first, ("a",), 1), Moment(second, ("a", "b"), 2))
    assert [moment.at for moment in ahead.moments(NOW, 1, [pause("all", "", second)])] == [second]
    assert ahead.moments(NOW, 1, [pause("all", "", None)]) == ()
    (hourly,) = Ahead(jobs[2:], NOW).moments(NOW, 1, ())
    assert hourly.at.date() > today
