"""The coming fires of all jobs, grouped by instant."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

from jobrunner.domain.job import Command, Job, ScheduleSpec
from jobrunner.domain.queue import Pause
from jobrunner.domain.upcoming import Ahead

NOW = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)


def a_job(name: str, *schedules: str, **changes: Any) -> Job:
    specs = tuple(ScheduleSpec(text) for text in schedules)
    values: dict[str, Any] = {"kind": Command(line="true"), "folder": "/", "timezone": "UTC", "definition": ""}
    return Job(name=name, schedules=specs, **(values | changes))


def shown(ahead: Ahead, n: int = 3, now: datetime = NOW, pauses: tuple[Pause, ...] = ()) -> list[Any]:
    return [(f"{each.at:%d %H:%M}", each.jobs, each.more) for each in ahead.next(now, n, pauses)]


def held(scope: str, name: str, until: datetime | None = None) -> Pause:
    return Pause(scope=scope, name=name, who="ana", since=NOW, until=until, reason="")


def test_jobs_of_one_instant_are_one_entry() -> None:
    jobs = [a_job(f"j{n}", "*/5 * * * *") for n in range(5)] + [a_job("hourly", "0 * * * *")]
    ahead = Ahead(jobs, {})
    assert shown(ahead, 1) == [("04 12:05", ("j0", "j1", "j2"), 2)]
    assert shown(ahead, 12)[-1] == ("04 13:00", ("hourly", "j0", "j1"), 3)


def test_two_schedules_of_a_job_at_one_instant_are_one_fire() -> None:
    ahead = Ahead([a_job("a", "*/5 * * * *", "*/10 * * * *")], {})
    assert shown(ahead, 2) == [("04 12:05", ("a",), 0), ("04 12:10", ("a",), 0)]


def test_time_goes_on_and_back() -> None:
    ahead = Ahead([a_job("a", "*/5 * * * *"), a_job("once", "at 2026-05-04T12:07:00Z")], {})
    assert shown(ahead, 2)[1] == ("04 12:07", ("once",), 0)
    assert shown(ahead, 1, NOW + timedelta(minutes=9)) == [("04 12:10", ("a",), 0)]
    assert shown(ahead, 2)[1] == ("04 12:07", ("once",), 0)


def test_what_does_not_fire_is_left_out() -> None:
    jobs = [a_job("a", "0 * * * *"), a_job("off", "0 * * * *", enabled=False), a_job("b", "30 * * * *"), a_job("none")]
    ahead = Ahead(jobs, {})
    assert shown(ahead, 2) == [("04 12:30", ("b",), 0), ("04 13:00", ("a",), 0)]
    assert shown(ahead, 1, pauses=(held("job", "b"),)) == [("04 13:00", ("a",), 0)]
    until = NOW + timedelta(minutes=60)
    assert shown(ahead, 1, pauses=(held("all", "", until),)) == [("04 13:00", ("a",), 0)]
    assert shown(ahead, 1, pauses=(held("all", ""),)) == []
    assert shown(ahead, 1, pauses=(held("queue", "default"),)) == [("04 12:30", ("b",), 0)]


def test_days_off() -> None:
    job = a_job("a", "0 9 * * *", blackout=("holidays",))
    ahead = Ahead([job], {"holidays": [date(2026, 5, 5), date(2026, 5, 6)]})
    assert shown(ahead, 1) == [("07 09:00", ("a",), 0)]


def test_the_next_fire_of_each_job() -> None:
    ahead = Ahead([a_job("a", "0 * * * *", "*/20 * * * *"), a_job("b", "0 * * * *"), a_job("none")], {})
    firsts = {name: (at - int(NOW.timestamp()) * 1_000_000) / 60_000_000 for name, at in ahead.firsts(NOW).items()}
    assert firsts == {"a": 20, "b": 60}
