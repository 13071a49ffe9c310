"""Pauses of jobs, queues and everything: what waits, what stays queued, what goes on, and until when."""

from __future__ import annotations

from datetime import datetime

from samples import NOW, end, later, put, serve, start, states, take

from jobrunner.domain.queue import Pause
from jobrunner.store import Database, pauses, queues
from jobrunner.store.runs import read, steer


def hold(
    db: Database, scope: str = "job", name: str = "job", *, until: datetime | None = None, who: str = "ana"
) -> None:
    pauses.pause(db, Pause(scope=scope, name=name, who=who, since=NOW, until=until, reason="disk"))


class TestJobs:
    def test_queued_runs_wait_and_go_on_in_their_order(self, db: Database) -> None:
        second, first = put(db), put(db, run_after=later(-5), created_at=later(-5))
        other = put(db, "other")
        hold(db)
        assert states(db, first, second, other) == ["waiting", "waiting", "queued"]
        assert read.get(db, first).waiting_detail == "by ana: disk"
        gone, ready = pauses.resume(db, "job", "job", later(60))
        assert gone
        assert [(r.id, r.run_after) for r in ready] == [(first, later(-5)), (second, NOW)]
        assert states(db, first, second) == ["queued", "queued"]
        assert pauses.resume(db, "job", "job", later(60)) == (False, [])

    def test_running_attempts_go_on(self, db: Database) -> None:
        server = serve(db)
        claimed = start(db, put(db), server)
        hold(db)
        assert states(db, claimed.id) == ["running"]
        assert end(db, claimed, server) is not None

    def test_what_waits_for_something_else_goes_on_waiting_for_that(self, db: Database) -> None:
        parent = put(db, "parent")
        child, scheduled = put(db, parents=(parent,)), put(db, run_after=later(500))
        hold(db)
        assert (read.get(db, child).waiting_reason, states(db, scheduled)) == ("after", ["scheduled"])
        assert pauses.resume(db, "job", "job", NOW) == (True, [])
        assert read.get(db, child).waiting_reason == "after"

    def test_a_second_pause_takes_the_place_of_the_first(self, db: Database) -> None:
        hold(db, until=later(5))
        hold(db, who="bob")
        (pause,) = pauses.everything(db)
        assert (pause.who, pause.until, pause.since, pause.reason) == ("bob", None, NOW, "disk")

    def test_a_waiting_run_can_be_cancelled(self, db: Database) -> None:
        run_id = put(db)
        hold(db)
        steer.cancel(db, run_id, at_once=False, now=NOW)
        assert pauses.resume(db, "job", "job", NOW) == (True, [])
        assert states(db, run_id) == ["cancelled"]


class TestQueues:
    def test_runs_stay_queued_and_the_queue_is_closed(self, db: Database) -> None:
        run_id = put(db, queue="low")
        hold(db, "queue", "low")
        assert states(db, run_id) == ["queued"]
        assert pauses.open_queues(db, ["high", "low", "default"]) == ["high", "default"]
        assert pauses.resume(db, "queue", "low", NOW) == (True, [])
        assert pauses.open_queues(db, ["high", "low"]) == ["high", "low"]

    def test_a_job_of_the_same_name_is_not_meant(self, db: Database) -> None:
        run_id = put(db, "low")
        hold(db, "queue", "low")
        assert pauses.over_job(db, "low") is None
        assert states(db, run_id) == ["queued"]
        hold(db, "job", "default")
        assert pauses.open_queues(db, ["default"]) == ["default"]


class TestEverything:
    def test_no_queue_is_open_and_no_job_fires(self, db: Database) -> None:
        hold(db, "all", "")
        assert pauses.open_queues(db, ["high", "low"]) == []
        pause = pauses.over_job(db, "any")
        assert pause is not None
        assert pause.scope == "all"
        assert [queue.paused for queue in queues.statuses(db, ["default"], {}, NOW)] == [True]

    def test_that_of_the_job_itself_is_named_first(self, db: Database) -> None:
        hold(db, "all", "")
        hold(db, "job", "job", who="bob")
        pause = pauses.over_job(db, "job")
        assert pause is not None
        assert (pause.scope, pause.who) == ("job", "bob")


class TestUntil:
    def test_it_ends_by_itself_at_its_time(self, db: Database) -> None:
        held, other = put(db), put(db, "other")
        hold(db, until=later(60))
        hold(db, "job", "other", until=later(90))
        hold(db, "queue", "low", until=later(60))
        assert pauses.resume_due(db, later(59)) == []
        assert [ready.id for ready in pauses.resume_due(db, later(60))] == [held]
        assert [(p.scope, p.name) for p in pauses.everything(db)] == [("job", "other")]
        assert states(db, held, other) == ["queued", "waiting"]

    def test_one_without_an_end_stays(self, db: Database) -> None:
        hold(db)
        assert pauses.resume_due(db, later(10**8)) == []
        assert len(pauses.everything(db)) == 1


def test_what_was_held_is_claimed_afterwards(db: Database) -> None:
    server = serve(db)
    run_id = put(db)
    hold(db)
    assert take(db, server) == []
    pauses.resume(db, "job", "job", NOW)
    assert [run.id for run in take(db, server)] == [run_id]
