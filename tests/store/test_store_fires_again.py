"""A fire that was decided stays so, by other servers, wrong clocks, and pauses that came and went meanwhile."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from samples import NOW, at_once, later, missed, new

from jobrunner.domain.clock import to_micros
from jobrunner.domain.job import Overlap
from jobrunner.domain.queue import Pause
from jobrunner.domain.state import Ready, Trigger
from jobrunner.store import Database, pauses, schedules
from jobrunner.store import decisions as spans
from jobrunner.store.runs import read

YEAR = timedelta(days=365)


def fire(db: Database, at: datetime, **changes: object) -> list[Ready]:
    run = new(trigger=Trigger.SCHEDULE, fire_time=at, created_at=NOW, run_after=at, **changes)
    return schedules.fire(db, schedules.Fire(run=run, schedule=1, overlap=Overlap.ALLOW), NOW)


def decisions(db: Database) -> list[str]:
    return [decision for (decision,) in db.execute("SELECT decision FROM decisions ORDER BY first_fire")]


def hold(db: Database, since: datetime, until: datetime, scope: str = "job", name: str = "job") -> None:
    pauses.pause(db, Pause(scope=scope, name=name, who="ana", since=since, until=None, reason=""))
    pauses.resume(db, scope, name, until)


@pytest.mark.parametrize("unique_for", [None, timedelta(hours=1)])
def test_the_second_server_does_not_find_the_fire_not_unique(db: Database, unique_for: timedelta | None) -> None:
    assert len(fire(db, NOW, unique_key="key", unique_for=unique_for)) == 1
    assert fire(db, NOW, unique_key="key", unique_for=unique_for) == []
    assert decisions(db) == []


def test_servers_at_once_decide_a_unique_fire_once(store_url: str, db: Database) -> None:
    schedules.apply(db, {"job": 1}, later(-3600))

    def work(mine: Database, _: int) -> list[Ready]:
        return fire(mine, NOW, unique_key="key")

    assert len([ready for some in at_once(store_url, 4, work) for ready in some]) == 1
    assert decisions(db) == []


def test_a_pause_that_comes_between_two_servers_decides_nothing_again(db: Database) -> None:
    assert len(fire(db, NOW)) == 1
    pauses.pause(db, Pause(scope="job", name="job", who="ana", since=NOW, until=None, reason=""))
    assert fire(db, NOW) == []
    assert decisions(db) == []


def test_a_resume_that_comes_between_two_servers_makes_no_run(db: Database) -> None:
    pauses.pause(db, Pause(scope="all", name="", who="ana", since=later(-9), until=None, reason=""))
    assert fire(db, NOW) == []
    pauses.resume(db, "all", "", NOW)
    assert fire(db, NOW) == []
    assert (decisions(db), read.ids(db, 9)) == (["paused"], [])


def test_what_another_server_fired_was_not_missed(db: Database) -> None:
    fire(db, later(-60))
    missed(db, later(-120), later(-60))
    assert decisions(db) == ["missed"]


class TestPausesThatAreOver:
    """Nothing that fell due in a pause is caught up, when no server ran to see it either."""

    @pytest.mark.parametrize(("scope", "name"), [("job", "job"), ("all", "")])
    def test_a_fire_in_one_makes_no_run(self, db: Database, scope: str, name: str) -> None:
        hold(db, later(-600), later(-300), scope, name)
        for at in (-700, -600, -301, -300, -200):
            fire(db, later(at))
        assert sorted(read.get(db, run).fire_time for run in read.ids(db, 9)) == [later(-700), later(-300), later(-200)]
        assert decisions(db) == ["paused", "paused"]

    def test_one_of_another_job_or_of_a_queue_holds_nothing(self, db: Database) -> None:
        hold(db, later(-600), later(-300), "job", "other")
        hold(db, later(-600), later(-300), "queue", "job")
        assert len(fire(db, later(-400))) == 1

    def test_one_that_ended_by_itself_ended_when_it_said(self, db: Database) -> None:
        pause = Pause(scope="job", name="job", who="ana", since=later(-600), until=later(-300), reason="")
        pauses.pause(db, pause)
        pauses.resume_due(db, NOW)
        fire(db, later(-301))
        assert len(fire(db, later(-299))) == 1
        assert decisions(db) == ["paused"]

    def test_one_that_another_took_the_place_of(self, db: Database) -> None:
        pauses.pause(db, Pause(scope="job", name="job", who="ana", since=later(-600), until=None, reason=""))
        hold(db, later(-400), later(-300))
        fire(db, later(-500))
        assert decisions(db) == ["paused"]


def test_a_clock_that_was_wrong_does_not_silence_a_schedule(db: Database) -> None:
    pairs = {"job": 1}
    schedules.apply(db, pairs, NOW)
    missed(db, NOW + 10 * YEAR, now=NOW + 10 * YEAR)
    assert schedules.apply(db, pairs, later(60)) == ({"job": later(60)}, [])
    fire(db, later(120))
    assert schedules.apply(db, pairs, later(180)) == ({"job": later(120)}, [])


def test_what_a_clock_that_was_wrong_decided_of_the_future_is_no_answer(db: Database) -> None:
    missed(db, later(60), later(120), now=NOW + YEAR)
    fire(db, later(60))
    assert (read.ids(db, 9), decisions(db)) == ([1], [])
    missed(db, later(30), later(180), now=NOW + YEAR)
    missed(db, later(180), later(240))
    assert [(span.first_fire, span.fires) for span in spans.of(db, "job", NOW, later(999))] == [(later(180), 2)]


def test_a_decision_over_many_fires_answers_each_of_its_schedule_and_of_another_its_ends(db: Database) -> None:
    missed(db, later(-180), later(-120), later(-60))
    assert fire(db, later(-120)) == []
    other = new(trigger=Trigger.SCHEDULE, fire_time=later(-150), created_at=NOW, run_after=NOW)
    assert len(schedules.fire(db, schedules.Fire(run=other, schedule=2, overlap=Overlap.ALLOW), NOW)) == 1
    at_its_end = other._replace(fire_time=later(-60))
    assert schedules.fire(db, schedules.Fire(run=at_its_end, schedule=2, overlap=Overlap.ALLOW), NOW) == []


def test_only_what_is_still_to_come_of_it_is_forgotten(db: Database) -> None:
    times = [later(-120), later(-60), NOW, later(60)]
    missed(db, *times, now=NOW + YEAR)

    def fires(since: int, until: int) -> list[int]:
        return [at for at in map(to_micros, times) if since <= at < until]

    run = new(trigger=Trigger.SCHEDULE, fire_time=NOW, created_at=NOW, run_after=NOW)
    schedules.fire(db, schedules.Fire(run=run, schedule=1, overlap=Overlap.ALLOW, fires=fires), NOW)
    (span,) = spans.of(db, "job", later(-999), later(999))
    assert (span.first_fire, span.last_fire, span.fires, len(read.ids(db, 9))) == (times[0], times[1], 2, 1)
