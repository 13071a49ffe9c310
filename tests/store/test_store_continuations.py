"""What the end of a run sets free: children by each rule, chains, retries that reopen them, batches and their ends."""

from __future__ import annotations

import pytest
from samples import NOW, end, later, new, put, run_to, serve, start, states, take

from jobrunner.domain.batch import BatchState
from jobrunner.domain.filter import RunFilter
from jobrunner.domain.job import When
from jobrunner.domain.queue import Pause
from jobrunner.domain.state import RunState, Trigger
from jobrunner.errors import NotFound
from jobrunner.store import Database, batches, pauses
from jobrunner.store.runs import add, claim, read, steer

S, F, C = RunState.SUCCEEDED, RunState.FAILED, RunState.CANCELLED


class TestChildren:
    @pytest.mark.parametrize(
        ("when", "ends", "becomes"),
        [
            (When.SUCCESS, (S, S), ("waiting", "queued")),
            (When.SUCCESS, (F, S), ("waiting", "skipped")),
            (When.SUCCESS, (S, F), ("waiting", "skipped")),
            (When.FAILURE, (F, S), ("waiting", "queued")),
            (When.FAILURE, (S, C), ("waiting", "queued")),
            (When.FAILURE, (S, S), ("waiting", "skipped")),
            (When.DONE, (S, F), ("waiting", "queued")),
            (When.DONE, (C, C), ("waiting", "queued")),
            (When.ANY, (F, S), ("waiting", "queued")),
            (When.ANY, (S, F), ("queued", "queued")),
            (When.ANY, (F, F), ("waiting", "skipped")),
        ],
    )
    def test_the_ends_of_two_parents(
        self, db: Database, when: When, ends: tuple[RunState, ...], becomes: tuple[str, ...]
    ) -> None:
        server = serve(db)
        parents = (put(db, "one"), put(db, "two"))
        child = put(db, "child", parents=parents, when=when)
        for parent, state, expected in zip(parents, ends, becomes, strict=True):
            run_to(db, parent, server, state)
            assert states(db, child) == [expected]

    def test_a_child_is_due_when_its_parents_have_ended(self, db: Database) -> None:
        server = serve(db)
        parent = put(db)
        child = put(db, "child", parents=(parent,), queue="low", priority=5)
        (ready,) = run_to(db, parent, server, at=later(40))
        assert (ready.id, ready.attempt, ready.queue, ready.priority, ready.run_after) == (
            child,
            0,
            "low",
            5,
            later(40),
        )
        assert read.get(db, child).waiting_reason is None

    def test_a_child_with_a_later_time_is_scheduled(self, db: Database) -> None:
        server = serve(db)
        parent = put(db)
        child = put(db, "child", parents=(parent,), run_after=later(100))
        assert run_to(db, parent, server, at=later(40)) == []
        assert states(db, child) == ["scheduled"]
        assert [ready.id for ready in claim.promote(db, later(100))] == [child]

    def test_a_child_of_a_paused_job_waits_on_for_that(self, db: Database) -> None:
        server = serve(db)
        parent = put(db)
        child = put(db, "child", parents=(parent,))
        pauses.pause(db, Pause(scope="job", name="child", who="ana", since=NOW, until=None, reason=""))
        assert run_to(db, parent, server) == []
        assert read.get(db, child).waiting_reason == "paused"

    def test_a_failure_that_is_retried_sets_nothing_free(self, db: Database) -> None:
        server = serve(db)
        parent = put(db, max_attempts=2)
        child = put(db, "child", parents=(parent,), when=When.DONE)
        run_to(db, parent, server, RunState.RETRYING, run_after=later(5))
        assert states(db, child) == ["waiting"]

    def test_a_chain_is_skipped_to_its_end_and_what_runs_on_failure_starts(self, db: Database) -> None:
        server = serve(db)
        first = put(db, "first")
        second = put(db, "second", parents=(first,))
        third = put(db, "third", parents=(second,))
        rescue = put(db, "rescue", parents=(third,), when=When.FAILURE)
        ready = run_to(db, first, server, F)
        assert [r.id for r in ready] == [rescue]
        assert states(db, first, second, third, rescue) == ["failed", "skipped", "skipped", "queued"]
        assert read.get(db, second).error == "its parents did not end as it needs"
        assert read.get(db, second).finished_at == later(1)

    def test_a_cancelled_parent_and_one_that_never_started(self, db: Database) -> None:
        parent = put(db)
        child, rescue = put(db, parents=(parent,)), put(db, parents=(parent,), when=When.FAILURE)
        steered = steer.cancel(db, parent, at_once=False, now=NOW)
        assert [ready.id for ready in steered.ready] == [rescue]
        assert states(db, child) == ["skipped"]

    def test_a_child_that_was_cancelled_stays_so(self, db: Database) -> None:
        server = serve(db)
        parent = put(db)
        child = put(db, parents=(parent,))
        steer.cancel(db, child, at_once=False, now=NOW)
        assert run_to(db, parent, server) == []
        assert states(db, child) == ["cancelled"]


class TestRetriedParents:
    def test_what_was_skipped_waits_again_and_gets_its_chance(self, db: Database) -> None:
        server = serve(db)
        first, other = put(db, "first"), put(db, "other")
        second = put(db, "second", parents=(first, other))
        third = put(db, "third", parents=(second,))
        run_to(db, other, server)
        run_to(db, first, server, F)
        assert states(db, second, third) == ["skipped", "skipped"]
        steer.retry(db, first, retries=0, now=NOW)
        run = read.get(db, second)
        assert (run.state, run.waiting_reason, run.waiting_detail) == ("waiting", "after", f"runs {first}, {other}")
        assert (run.finished_at, run.error) == (None, None)
        assert states(db, third) == ["waiting"]
        run_to(db, first, server)
        run_to(db, second, server)
        assert states(db, first, second, third) == ["succeeded", "succeeded", "queued"]

    def test_failing_again_skips_them_again(self, db: Database) -> None:
        server = serve(db)
        first = put(db, "first")
        second = put(db, "second", parents=(first,))
        for _ in range(3):
            run_to(db, first, server, F)
            assert states(db, second) == ["skipped"]
            steer.retry(db, first, retries=0, now=NOW)

    def test_a_child_that_has_run_is_left_alone(self, db: Database) -> None:
        server = serve(db)
        first = put(db, "first")
        rescue = put(db, "rescue", parents=(first,), when=When.FAILURE)
        run_to(db, first, server, F)
        run_to(db, rescue, server)
        steer.retry(db, first, retries=0, now=NOW)
        run_to(db, first, server)
        assert states(db, first, rescue) == ["succeeded", "succeeded"]

    def test_a_diamond_is_reopened_once(self, db: Database) -> None:
        server = serve(db)
        top = put(db, "top")
        left, right = put(db, "left", parents=(top,)), put(db, "right", parents=(top,))
        bottom = put(db, "bottom", parents=(left, right))
        run_to(db, top, server, F)
        assert states(db, left, right, bottom) == ["skipped"] * 3
        steer.retry(db, top, retries=0, now=NOW)
        assert states(db, left, right, bottom) == ["waiting"] * 3
        for run_id in (top, left, right):
            run_to(db, run_id, server)
        assert states(db, bottom) == ["queued"]


def _batch(db: Database, size: int = 3, **changes: object) -> tuple[int, list[int], int, int]:
    """A batch with both continuations: its id, its members, what follows success, what follows failure."""
    items = [(f'{{"n":{number}}}', None) for number in range(size)]
    follow = [new("then", trigger=Trigger.AFTER), new("rescue", trigger=Trigger.AFTER, when=When.FAILURE)]
    template = new("member", trigger=Trigger.BATCH, **changes)
    batch_id, _ = add.add_batch(db, template, "nightly", items, follow)
    members = batches.member_ids(db, batch_id, [state.value for state in RunState])
    return batch_id, members, members[-1] + 1, members[-1] + 2


class TestBatches:
    def test_it_is_created_whole_with_what_each_member_was_given(self, db: Database) -> None:
        items = [('{"n":1,"key":"***"}', '{"key":"ä"}'), ('{"n":"\\u0000"}', None)]
        batch_id, ready = add.add_batch(db, new("member", queue="low", priority=2), "nightly", items, [])
        runs = sorted(read.find(db, RunFilter(batch=batch_id)), key=lambda run: run.id)
        assert [run.params for run in runs] == [{"n": 1, "key": "***"}, {"n": "\0"}]
        assert [read.secrets_of(db, run.id) for run in runs] == [{"key": "ä"}, {}]
        assert {(run.state, run.queue, run.priority, run.batch_id) for run in runs} == {("queued", "low", 2, batch_id)}
        assert sorted(r.id for r in ready) == [run.id for run in runs]
        batch = batches.get(db, batch_id)
        assert (batch.name, batch.state, batch.total, batch.created_at) == ("nightly", BatchState.RUNNING, 2, NOW)
        server = serve(db)
        assert {run.batch_id for run in take(db, server, queues=("low",))} == {batch_id}

    def test_ten_thousand_members_are_one_statement(self, db: Database) -> None:
        items = [(f'{{"n":{number}}}', None) for number in range(10_000)]
        batch_id, ready = add.add_batch(db, new("member"), "large", items, [])
        assert len(ready) == 10_000
        assert batches.get(db, batch_id).total == 10_000

    def test_members_of_a_later_time_are_scheduled(self, db: Database) -> None:
        batch_id, ready = add.add_batch(db, new("member", run_after=later(5)), "later", [("{}", None)], [])
        assert ready == []
        assert len(claim.promote(db, later(5))) == 1
        assert batches.get(db, batch_id).state is BatchState.RUNNING

    def test_then_runs_once_when_every_member_has_succeeded(self, db: Database) -> None:
        server = serve(db)
        batch_id, members, then, rescue = _batch(db)
        assert read.get(db, then).waiting_detail == f"batch b{batch_id}"
        for member in members[:-1]:
            assert run_to(db, member, server) == []
        assert not batches.finished(db, batch_id)
        assert [ready.id for ready in run_to(db, members[-1], server, at=later(9))] == [then]
        assert states(db, then, rescue) == ["queued", "skipped"]
        batch = batches.get(db, batch_id)
        assert (batch.state, batch.total, batch.succeeded, batch.failed, batch.other, batch.finished_at) == (
            BatchState.SUCCEEDED,
            3,
            3,
            0,
            0,
            later(9),
        )
        assert batches.finished(db, batch_id)

    def test_the_continuation_knows_its_batch(self, db: Database) -> None:
        server = serve(db)
        batch_id, members, then, _ = _batch(db, 1)
        run_to(db, members[0], server)
        assert start(db, then, server).batch_id == batch_id
        assert read.get(db, then).batch_id is None

    def test_then_on_failure_runs_once_when_all_have_ended_and_some_did_not_succeed(self, db: Database) -> None:
        server = serve(db)
        batch_id, members, then, rescue = _batch(db)
        assert run_to(db, members[0], server, F) == []
        steer.cancel(db, members[1], at_once=False, now=NOW)
        assert states(db, then, rescue) == ["waiting", "waiting"]
        assert [ready.id for ready in run_to(db, members[2], server)] == [rescue]
        batch = batches.get(db, batch_id)
        assert (batch.state, batch.succeeded, batch.failed, batch.other) == (BatchState.FAILED, 1, 1, 1)
        assert states(db, then, rescue) == ["skipped", "queued"]

    def test_after_retries_then_still_runs_and_what_ran_on_failure_does_not_again(self, db: Database) -> None:
        server = serve(db)
        batch_id, members, then, rescue = _batch(db)
        for member in members:
            run_to(db, member, server, F)
        run_to(db, rescue, server)
        for member in members:
            steer.retry(db, member, retries=0, now=NOW)
            assert batches.get(db, batch_id).state is BatchState.RUNNING
        ready = [r.id for member in members for r in run_to(db, member, server)]
        assert ready == [then]
        assert states(db, then, rescue) == ["queued", "succeeded"]
        assert batches.get(db, batch_id).state is BatchState.SUCCEEDED

    def test_one_that_fails_again_ends_it_again_and_starts_nothing_twice(self, db: Database) -> None:
        server = serve(db)
        batch_id, members, then, rescue = _batch(db, 1)
        run_to(db, members[0], server, F)
        run_to(db, rescue, server)
        steer.retry(db, members[0], retries=0, now=NOW)
        assert run_to(db, members[0], server, F, at=later(70)) == []
        assert states(db, then, rescue) == ["skipped", "succeeded"]
        assert batches.get(db, batch_id).finished_at == later(70)
        assert read.get(db, rescue).attempt == 1

    def test_members_by_state(self, db: Database) -> None:
        server = serve(db)
        batch_id, members, _, _ = _batch(db)
        run_to(db, members[0], server, F)
        start(db, members[1], server)
        assert batches.member_ids(db, batch_id, ["failed"]) == [members[0]]
        assert batches.member_ids(db, batch_id, ["queued", "running"]) == members[1:]
        assert [run.id for run in read.find(db, RunFilter(batch=batch_id))] == members[::-1]
        assert [run.id for run in read.find(db, RunFilter(batch=batch_id, states=(F,)))] == [members[0]]
        assert [run.id for run in read.find(db, RunFilter(batch=batch_id, limit=2))] == members[:0:-1]

    def test_lists_are_newest_first(self, db: Database) -> None:
        ids = [_batch(db, 1)[0] for _ in range(3)]
        assert [batch.id for batch in batches.find(db, 0)] == ids[::-1]
        assert [batch.id for batch in batches.find(db, 2)] == ids[:0:-1]

    def test_no_such_batch(self, db: Database) -> None:
        for action in (lambda: batches.get(db, 5), lambda: batches.member_ids(db, 5, ["failed"])):
            with pytest.raises(NotFound, match="no batch b5"):
                action()
        assert not batches.finished(db, 5)

    def test_a_fault_in_the_middle_leaves_nothing(self, db: Database) -> None:
        with pytest.raises(NotFound):
            add.add_batch(db, new("member", parents=(77,)), "bad", [("{}", None)], [])
        assert batches.find(db, 0) == []
        assert read.ids(db, 5) == []


def test_a_chain_through_a_batch(db: Database) -> None:
    server = serve(db)
    _, members, then, _ = _batch(db, 2)
    last = put(db, "last", parents=(then,))
    steer.cancel(db, members[0], at_once=False, now=NOW)
    run_to(db, members[1], server)
    assert states(db, then, last) == ["skipped", "skipped"]
    steer.retry(db, members[0], retries=0, now=NOW)
    assert states(db, then, last) == ["waiting", "waiting"]
    run_to(db, members[0], server)
    claimed = start(db, then, server)
    end(db, claimed, server)
    assert states(db, then, last) == ["succeeded", "queued"]
