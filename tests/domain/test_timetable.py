"""The timetable gives out each fire of each job once, whatever the jobs share and however seldom it is asked."""

from __future__ import annotations

from datetime import datetime, timedelta
from random import Random

import pytest
from samples import NOW

from jobrunner.domain.decision import LATE
from jobrunner.domain.job import Command, Job, ScheduleSpec
from jobrunner.domain.timetable import Timed, Timetable

EXPRESSIONS = ("every 1m", "*/2 * * * *", "* * * * *", "7-59/10 * * * *", "*/20 * * * * *", "H * * * *", "every 90s")


def timed(name: str, *expressions: str, zone: str = "UTC") -> Timed:
    specs = tuple(ScheduleSpec(expression) for expression in expressions)
    kind = Command(line="true")
    return Timed.of(Job(name=name, kind=kind, folder="/", timezone=zone, definition="", schedules=specs))


def given_out(table: Timetable, now: datetime) -> list[tuple[str, datetime]]:
    return [(found.job.name, at) for found, _, fires in table.due(now) for at in fires]


def test_jobs_with_the_same_times_share_an_entry() -> None:
    jobs = [timed(f"job{n}", ("0 3 * * *", "0 3 * * ?", "0 0 3 * * *")[n % 3]) for n in range(300)]
    jobs += [timed(f"hashed{n}", "H * * * *") for n in range(1_000)]
    jobs += [timed("elsewhere", "0 3 * * *", zone="Europe/Madrid"), timed("twice", "@hourly", "0 * * * *")]
    table = Timetable(jobs, {entry.job.name: NOW for entry in jobs})
    assert len(table) == 1 + 60 + 1


@pytest.mark.parametrize("seed", range(20))
def test_each_fire_is_given_out_once_and_in_order(seed: int) -> None:
    random = Random(seed)
    jobs = [timed(f"job{n}", *random.sample(EXPRESSIONS, random.choice((1, 1, 2, 3)))) for n in range(12)]
    attended = {entry.job.name: NOW - timedelta(seconds=random.randrange(400)) for entry in jobs}
    table = Timetable(jobs, attended)
    now, found = NOW, list[tuple[str, datetime]]()
    while now < NOW + timedelta(minutes=40):
        now += timedelta(seconds=random.choice((0.5, 3, 20, 59, 61, 200, 700)))
        found += given_out(table, now)
        assert table.next is not None
        assert table.next > now
    for entry in jobs:
        name = entry.job.name
        expected = sorted({at for rule, _ in entry.rules for at in rule.between(attended[name], now)})
        assert [at for of, at in found if of == name] == expected


@pytest.mark.parametrize("seed", range(20))
def test_who_is_coming_is_known(seed: int) -> None:
    random = Random(seed)
    jobs = [timed(f"job{n}", *random.sample(EXPRESSIONS, random.choice((1, 1, 2)))) for n in range(30)]
    table = Timetable(jobs, {entry.job.name: NOW for entry in jobs})
    for _ in range(50):
        coming = {entry.job.name for entry in table.coming()}
        assert table.next is not None
        assert {name for name, _ in given_out(table, table.next)} == coming
    assert list(Timetable().coming()) == []


def test_what_is_late_comes_whole_and_what_is_not_one_by_one() -> None:
    entry = timed("job", "every 10s", "0 * * * *")
    table = Timetable([entry], {"job": NOW})
    assert [fires for _, _, fires in table.due(NOW + LATE)] == [[NOW + timedelta(seconds=10 * n)] for n in range(1, 7)]
    (late,) = [fires for _, _, fires in table.due(NOW + 2 * LATE + timedelta(seconds=11))]
    assert late == [NOW + timedelta(seconds=10 * n) for n in range(7, 14)]


def test_one_that_was_down_for_longer_does_not_repeat_what_others_have_behind_them() -> None:
    jobs = [timed("ahead", "every 1m"), timed("behind", "every 1m")]
    table = Timetable(jobs, {"ahead": NOW, "behind": NOW - timedelta(minutes=3)})
    assert given_out(table, NOW) == [("behind", NOW - timedelta(minutes=n)) for n in (2, 1, 0)]
    assert given_out(table, NOW) == []


def test_going_back_gives_out_anew() -> None:
    table = Timetable([timed("job", "every 1m")], {"job": NOW})
    assert len(given_out(table, NOW + timedelta(seconds=60))) == 1
    table.go_back(NOW - timedelta(seconds=30))
    assert given_out(table, NOW + timedelta(seconds=60)) == [("job", NOW), ("job", NOW + timedelta(minutes=1))]


def test_a_schedule_that_has_ended_leaves() -> None:
    once = timed("once", f"at {(NOW + LATE).isoformat()}")
    table = Timetable([once], {"once": NOW})
    assert given_out(table, NOW + LATE) == [("once", NOW + LATE)]
    assert table.next is None
    assert Timetable([once], {"once": NOW + LATE}).next is None
    assert Timetable().next is None
