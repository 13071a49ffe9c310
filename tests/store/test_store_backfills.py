"""Backfills: a run for each fire time that has none, one after another, in nobody's way."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from samples import NOW, later, new, run_to, serve, states

from jobrunner.domain.backfill import Answered
from jobrunner.domain.job import Overlap
from jobrunner.domain.state import Ready, RunState, Trigger
from jobrunner.store import Database, backfills, batches, schedules
from jobrunner.store.runs import read, steer


def backfill(db: Database, *fire_times: datetime) -> tuple[int, list[Ready]]:
    with db.transaction():
        return backfills.create(db, new(trigger=Trigger.BACKFILL), "backfill of job", fire_times)


def fire(db: Database, at: datetime, overlap: Overlap = Overlap.SKIP) -> list[Ready]:
    run = new(trigger=Trigger.SCHEDULE, fire_time=at, created_at=at)
    return schedules.fire(db, schedules.Fire(run=run, schedule=1, overlap=overlap), at)


def days(*numbers: int) -> list[datetime]:
    return [NOW - timedelta(days=number) for number in numbers]


def test_its_runs_start_one_after_another_in_the_order_of_their_fire_times(db: Database) -> None:
    server = serve(db)
    batch, ready = backfill(db, *days(4, 3, 2))
    assert [one.id for one in ready] == [1]
    assert [read.get(db, run_id).fire_time for run_id in (1, 2, 3)] == days(4, 3, 2)
    assert {read.get(db, run_id).trigger for run_id in (1, 2, 3)} == {Trigger.BACKFILL}
    assert states(db, 1, 2, 3) == ["queued", "waiting", "waiting"]
    assert [one.id for one in run_to(db, 1, server)] == [2]
    assert [one.id for one in run_to(db, 2, server, RunState.FAILED)] == [3]
    assert run_to(db, 3, server) == []
    found = batches.get(db, batch)
    assert (found.name, found.total, found.succeeded, found.failed) == ("backfill of job", 3, 2, 1)
    assert found.finished_at is not None


def test_what_is_answered_is_found_by_its_fire_time(db: Database) -> None:
    backfill(db, *days(4, 3, 2))
    assert backfills.answered(db, "job", days(3)[0], days(2)[0]) == [Answered(days(3)[0], 2, RunState.WAITING)]
    assert backfills.answered(db, "other", days(9)[0], NOW) == []


def test_it_waits_for_what_is_active(db: Database) -> None:
    server = serve(db)
    fire(db, NOW)
    assert backfill(db, *days(2))[1] == []
    assert [one.id for one in run_to(db, 1, server)] == [2]


@pytest.mark.parametrize("overlap", [Overlap.SKIP, Overlap.QUEUE, Overlap.REPLACE])
def test_a_fire_waits_for_the_run_under_way_and_goes_before_the_rest(db: Database, overlap: Overlap) -> None:
    server = serve(db)
    backfill(db, *days(4, 3))
    assert fire(db, later(1), overlap) == []
    assert states(db, 1, 2, 3) == ["queued", "waiting", "waiting"]
    assert [one.id for one in run_to(db, 1, server, at=later(2))] == [3]
    assert [one.id for one in run_to(db, 3, server, at=later(3))] == [2]


def test_of_two_fires_that_meet_it_the_second_is_skipped(db: Database) -> None:
    backfill(db, *days(4, 3))
    fire(db, later(1))
    fire(db, later(2))
    assert states(db, 1, 2, 3, 4) == ["queued", "waiting", "waiting", "skipped"]


def test_a_fire_that_is_allowed_to_overlap_does(db: Database) -> None:
    backfill(db, *days(4, 3))
    assert [one.id for one in fire(db, later(1), Overlap.ALLOW)] == [3]


def test_what_waits_of_it_holds_no_fire_up(db: Database) -> None:
    """Between two of its runs, or while the first is due for another attempt elsewhere."""
    backfill(db, *days(4, 3))
    db.execute("UPDATE runs SET state = 'succeeded' WHERE id = 1")
    assert [one.id for one in fire(db, later(1))] == [3]


def test_a_fire_time_that_a_server_answers_meanwhile_makes_the_whole_fail(db: Database) -> None:
    fire(db, NOW)
    with pytest.raises(Exception, match=r"(?i)unique"):
        backfill(db, days(1)[0], NOW)
    assert read.ids(db, 9) == [1]
    assert batches.find(db, 0) == []


def test_cancelling_one_lets_the_next_go_on(db: Database) -> None:
    backfill(db, *days(4, 3, 2))
    assert [one.id for one in steer.cancel(db, 1, at_once=False, now=NOW).ready] == [2]
