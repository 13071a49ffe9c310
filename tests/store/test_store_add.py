"""Creating runs: what is kept of them, in which state they begin, uniqueness, and secrets."""

from __future__ import annotations

from datetime import timedelta

import pytest
from samples import NOW, later, new, put, run_to, serve, start, states

from jobrunner.domain.job import When
from jobrunner.domain.queue import Pause
from jobrunner.domain.state import Ready, RunState, Trigger, WaitingReason
from jobrunner.errors import NotFound, Refused
from jobrunner.store import Database, pauses
from jobrunner.store.runs import add, read, steer


def test_a_run_is_kept_as_it_was_asked_for(db: Database) -> None:
    added = add.add(
        db,
        new(
            "invoice",
            definition="the definition",
            queue="low",
            priority=-7,
            trigger=Trigger.API,
            params='{"id":7,"name":"Ünï \\"x\\"","key":"***"}',
            secret_params='{"key":"s3cret"}',
            max_attempts=4,
            expires=timedelta(hours=2),
        ),
    )
    run = read.get(db, added.id)
    assert (run.id, run.job, run.state, run.queue, run.priority) == (1, "invoice", RunState.QUEUED, "low", -7)
    assert (run.trigger, run.max_attempts, run.attempt) == (Trigger.API, 4, 0)
    assert run.params == {"id": 7, "name": 'Ünï "x"', "key": "***"}
    assert (run.created_at, run.run_after, run.definition) == (NOW, NOW, "the definition")
    assert (run.started_at, run.finished_at, run.result, run.server, run.batch_id) == (None, None, None, None, None)
    assert read.secrets_of(db, added.id) == {"key": "s3cret"}
    assert added.ready == Ready(added.id, 0, "low", -7, NOW)
    assert not added.existing


def test_a_run_without_secrets_has_none(db: Database) -> None:
    assert read.secrets_of(db, put(db)) == {}
    assert read.secrets_of(db, 99) == {}


def test_ids_grow_and_are_never_used_again(db: Database) -> None:
    assert [put(db) for _ in range(3)] == [1, 2, 3]
    db.execute("DELETE FROM runs")
    assert put(db) == 4


def test_a_run_whose_time_has_not_come_is_scheduled_and_not_ready(db: Database) -> None:
    added = add.add(db, new(run_after=later(60)))
    assert added.ready is None
    assert states(db, added.id) == ["scheduled"]


def test_a_run_of_a_paused_job_waits_and_says_for_what(db: Database) -> None:
    pauses.pause(db, Pause(scope="job", name="job", who="ana", since=NOW, until=None, reason="disk"))
    added = add.add(db, new())
    run = read.get(db, added.id)
    assert added.ready is None
    assert (run.state, run.waiting_reason, run.waiting_detail) == (
        RunState.WAITING,
        WaitingReason.PAUSED,
        "by ana: disk",
    )
    assert states(db, put(db, "other")) == ["queued"]


def test_text_that_a_database_cannot_hold_does_not_keep_a_run_from_being_recorded(db: Database) -> None:
    server = serve(db)
    run_id = put(db)
    run_to(db, run_id, server, RunState.FAILED, error="no file 'caf\udce9\ud800'")
    assert read.get(db, run_id).error == "no file 'caf\ufffd\ufffd'"
    other = put(db)
    run_to(db, other, server, RunState.FAILED, error="nul \0 here")
    assert read.get(db, other).error in ("nul \0 here", "nul \ufffd here")


class TestUnique:
    def test_a_second_run_gives_back_the_first_while_it_is_scheduled_or_active(self, db: Database) -> None:
        server = serve(db)
        first = put(db, unique_key="k", run_after=later(5))
        assert add.add(db, new(unique_key="k")) == add.Added(first, True, None)
        second = put(db, unique_key="other")
        start(db, second, server)
        assert add.add(db, new(unique_key="other")) == add.Added(second, True, None)

    @pytest.mark.parametrize("state", [RunState.SUCCEEDED, RunState.FAILED, RunState.CANCELLED])
    def test_a_run_that_has_ended_holds_it_no_longer(self, db: Database, state: RunState) -> None:
        server = serve(db)
        first = put(db, unique_key="k")
        run_to(db, first, server, state)
        assert not add.add(db, new(unique_key="k")).existing

    def test_within_a_window_a_success_holds_it_too(self, db: Database) -> None:
        server = serve(db)
        first = put(db, unique_key="k", unique_for=timedelta(minutes=10))
        run_to(db, first, server)
        again = new(unique_key="k", unique_for=timedelta(minutes=10), created_at=later(599))
        assert add.add(db, again).id == first
        over = new(unique_key="k", unique_for=timedelta(minutes=10), created_at=later(600))
        assert add.add(db, over).id == first + 1

    def test_within_a_window_a_failure_does_not_hold_it(self, db: Database) -> None:
        server = serve(db)
        run_to(db, put(db, unique_key="k", unique_for=timedelta(minutes=10)), server, RunState.FAILED)
        assert not add.add(db, new(unique_key="k", unique_for=timedelta(minutes=10))).existing

    def test_a_retry_that_would_break_it_is_refused(self, db: Database) -> None:
        server = serve(db)
        first = put(db, unique_key="k")
        run_to(db, first, server, RunState.FAILED)
        second = put(db, unique_key="k")
        with pytest.raises(Refused, match=f"run {second} is already under way"):
            steer.retry(db, first, retries=0, now=NOW)
        run_to(db, second, server)
        assert steer.retry(db, first, retries=0, now=NOW).changed

    def test_runs_without_a_key_are_never_merged(self, db: Database) -> None:
        assert put(db) != put(db)


class TestParents:
    def test_a_child_waits_for_its_parents_and_names_them(self, db: Database) -> None:
        parents = tuple(put(db) for _ in range(7))
        run = read.get(db, put(db, "child", parents=parents))
        assert (run.state, run.waiting_reason) == (RunState.WAITING, WaitingReason.AFTER)
        assert run.waiting_detail == "runs 1, 2, 3, 4, 5 …"
        assert run.parent_ids == parents

    def test_a_parent_that_does_not_exist_leaves_nothing_behind(self, db: Database) -> None:
        with pytest.raises(NotFound, match="no run 99"):
            put(db, parents=(99,))
        assert read.ids(db, 10) == []

    @pytest.mark.parametrize(
        ("end", "when", "begins"),
        [
            (RunState.SUCCEEDED, When.SUCCESS, "queued"),
            (RunState.SUCCEEDED, When.FAILURE, "skipped"),
            (RunState.FAILED, When.SUCCESS, "skipped"),
            (RunState.FAILED, When.FAILURE, "queued"),
            (RunState.FAILED, When.DONE, "queued"),
            (RunState.CANCELLED, When.ANY, "skipped"),
        ],
    )
    def test_a_parent_that_has_ended_decides_at_once(
        self, db: Database, end: RunState, when: When, begins: str
    ) -> None:
        server = serve(db)
        parent = put(db)
        run_to(db, parent, server, end)
        assert states(db, put(db, "child", parents=(parent,), when=when)) == [begins]
