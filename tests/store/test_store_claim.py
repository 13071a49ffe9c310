"""Claims: their order, their guards, due and expired runs, and what a broker that forgot is told again."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import timedelta

import pytest
from samples import NOW, at_once, end, later, new, put, run_to, serve, start, states, take

from jobrunner.domain.queue import Pause
from jobrunner.domain.state import RunState
from jobrunner.store import Database, open_store, pauses
from jobrunner.store.runs import add, claim, read, steer
from jobrunner.store.runs.unclaim import unclaim


def test_the_order_is_queue_then_priority_then_due_time_then_id(db: Database) -> None:
    server = serve(db)
    low_early = put(db, queue="low", run_after=later(-9), created_at=later(-9))
    late = put(db, run_after=later(-1), created_at=later(-1))
    early_b = put(db, run_after=later(-5), created_at=later(-5))
    early_a = put(db, run_after=later(-5), created_at=later(-5))
    urgent = put(db, priority=3)
    lazy = put(db, priority=-3, run_after=later(-99), created_at=later(-99))
    taken = take(db, server, queues=("default", "low"))
    assert [run.id for run in taken] == [urgent, early_b, early_a, late, lazy, low_early]


def test_the_limit_goes_over_all_queues_and_earlier_queues_come_first(db: Database) -> None:
    server = serve(db)
    low = [put(db, queue="low") for _ in range(2)]
    high = [put(db, queue="high") for _ in range(2)]
    assert [run.id for run in take(db, server, queues=("high", "low"), limit=3)] == [*high, low[0]]
    assert [run.id for run in take(db, server, queues=("high",), limit=3)] == []
    assert [run.id for run in take(db, server, queues=("low",), limit=3)] == [low[1]]


def test_the_first_of_many_are_taken_in_that_order(db: Database) -> None:
    server = serve(db)
    lazy = put(db, priority=-1, run_after=later(-9), created_at=later(-9))
    late, early = put(db), put(db, run_after=later(-1), created_at=later(-1))
    urgent = put(db, priority=1)
    taken = [take(db, server, limit=1)[0].id for _ in range(4)]
    assert taken == [urgent, early, late, lazy]


def test_a_claim_starts_an_attempt_and_holds_what_it_needs(db: Database) -> None:
    server = serve(db, "blue")
    run_id = put(db, "invoice", params='{"id":1}', secret_params='{"key":"x"}', max_attempts=3, fire_time=later(-60))
    (claimed,) = take(db, server, now=later(2))
    assert (claimed.id, claimed.job, claimed.attempt, claimed.max_attempts) == (run_id, "invoice", 1, 3)
    assert (claimed.params, claimed.secret_params, claimed.fire_time) == ('{"id":1}', '{"key":"x"}', later(-60))
    assert (claimed.failures, claimed.losses, claimed.queue, claimed.trigger) == (0, 0, "default", "manual")
    assert (claimed.batch_id, claimed.parent_results, claimed.started_at) == (None, None, later(2))
    run = read.get(db, run_id)
    assert (run.state, run.attempt, run.server, run.started_at) == (RunState.RUNNING, 1, "blue", later(2))
    (attempt,) = run.attempts
    assert (attempt.number, attempt.server, attempt.started_at, attempt.outcome) == (1, "blue", later(2), None)


def test_a_later_attempt_forgets_what_the_one_before_left(db: Database) -> None:
    server = serve(db)
    run_id = put(db, max_attempts=2)
    run_to(db, run_id, server, RunState.RETRYING, exit_code=3, error="boom", run_after=later(5))
    claim.promote(db, later(5))
    start(db, run_id, server, later(6))
    run = read.get(db, run_id)
    assert (run.attempt, run.exit_code, run.error, run.finished_at, run.progress) == (2, None, None, None, None)
    assert [(a.number, a.exit_code, a.error) for a in run.attempts] == [(1, 3, "boom"), (2, None, None)]


def test_what_is_not_queued_is_not_claimed(db: Database) -> None:
    server = serve(db)
    put(db, run_after=later(1))
    put(db, parents=(put(db, queue="other"),))
    put(db, queue="another")
    assert take(db, server) == []


@pytest.mark.parametrize("workers", [2, 4])
def test_claimers_at_once_never_get_the_same_run(store_url: str, db: Database, workers: int) -> None:
    servers = [serve(db, f"s{number}") for number in range(workers)]
    ids = {put(db) for _ in range(60)}

    def work(mine: Database, number: int) -> list[int]:
        taken = list[int]()
        while claimed := take(mine, servers[number], limit=3):
            taken += [run.id for run in claimed]
        return taken

    taken = [run_id for some in at_once(store_url, workers, work) for run_id in some]
    assert sorted(taken) == sorted(ids)
    assert {read.get(db, run_id).attempt for run_id in ids} == {1}


class TestNamed:
    def test_only_what_was_named_and_is_still_queued_is_taken(self, db: Database) -> None:
        server = serve(db)
        first, second, third = put(db), put(db), put(db)
        steer.cancel(db, second, at_once=False, now=NOW)
        taken = claim.claim_named(db, server_id=server, wanted=[(first, 0), (second, 0), (99, 0)], now=NOW)
        assert [run.id for run in taken] == [first]
        assert states(db, first, second, third) == ["running", "cancelled", "queued"]

    def test_a_message_that_comes_twice_or_late_does_nothing(self, db: Database) -> None:
        server = serve(db)
        run_id = put(db, max_attempts=2)
        assert len(claim.claim_named(db, server_id=server, wanted=[(run_id, 0), (run_id, 0)], now=NOW)) == 1
        assert claim.claim_named(db, server_id=server, wanted=[(run_id, 0)], now=NOW) == []
        claimed = read.get(db, run_id)
        assert claimed.attempt == 1

    def test_a_message_of_an_earlier_attempt_does_not_start_a_later_one(self, db: Database) -> None:
        server = serve(db)
        run_id = put(db, max_attempts=3)
        run_to(db, run_id, server, RunState.QUEUED)
        assert claim.claim_named(db, server_id=server, wanted=[(run_id, 0)], now=NOW) == []
        assert len(claim.claim_named(db, server_id=server, wanted=[(run_id, 1)], now=NOW)) == 1

    def test_an_expired_run_is_not_taken(self, db: Database) -> None:
        server = serve(db)
        run_id = put(db, expires=timedelta(seconds=5))
        assert claim.claim_named(db, server_id=server, wanted=[(run_id, 0)], now=later(5)) == []


class TestDue:
    def test_scheduled_and_retrying_runs_are_queued_when_they_are_due(self, db: Database) -> None:
        server = serve(db)
        scheduled = put(db, run_after=later(10))
        retrying = put(db, max_attempts=2)
        run_to(db, retrying, server, RunState.RETRYING, run_after=later(20))
        assert claim.next_due(db) == later(10)
        assert claim.promote(db, later(9)) == []
        assert [ready.id for ready in claim.promote(db, later(10))] == [scheduled]
        assert claim.next_due(db) == later(20)
        (ready,) = claim.promote(db, later(30))
        assert (ready.id, ready.attempt, ready.run_after) == (retrying, 1, later(20))
        assert claim.next_due(db) is None
        assert states(db, scheduled, retrying) == ["queued", "queued"]

    def test_those_of_a_paused_job_wait(self, db: Database) -> None:
        run_id = put(db, run_after=later(10))
        pauses.pause(db, Pause(scope="job", name="job", who="ana", since=NOW, until=None, reason=""))
        assert claim.promote(db, later(10)) == []
        run = read.get(db, run_id)
        assert (run.state, run.waiting_reason, run.waiting_detail) == (RunState.WAITING, "paused", "by ana")

    def test_no_more_than_the_limit_at_once_the_earliest_first(self, db: Database) -> None:
        ids = [put(db, run_after=later(seconds)) for seconds in (30, 10, 20)]
        assert [ready.id for ready in claim.promote(db, later(60), limit=2)] == [ids[1], ids[2]]
        assert [ready.id for ready in claim.promote(db, later(60), limit=2)] == [ids[0]]


class TestExpiry:
    def test_a_run_that_did_not_start_in_time_is_expired_and_never_claimed(self, db: Database) -> None:
        server = serve(db)
        run_id = put(db, expires=timedelta(seconds=60))
        assert [run.id for run in take(db, server, now=later(60))] == []
        claim.expire(db, later(59))
        assert states(db, run_id) == ["queued"]
        claim.expire(db, later(60))
        run = read.get(db, run_id)
        assert (run.state, run.finished_at, run.error) == (RunState.EXPIRED, later(60), "not started in time")
        assert not run.dead

    def test_it_counts_from_when_the_run_is_due(self, db: Database) -> None:
        run_id = put(db, run_after=later(100), expires=timedelta(seconds=10))
        claim.expire(db, later(109))
        assert states(db, run_id) == ["scheduled"]
        claim.expire(db, later(110))
        assert states(db, run_id) == ["expired"]

    def test_of_a_child_it_counts_from_the_end_of_its_parents(self, db: Database) -> None:
        server = serve(db)
        parent = put(db)
        child = put(db, "child", parents=(parent,), expires=timedelta(seconds=10))
        claim.expire(db, later(1000))
        assert states(db, child) == ["waiting"]
        run_to(db, parent, server, at=later(2000))
        claim.expire(db, later(2009))
        assert states(db, child) == ["queued"]
        claim.expire(db, later(2010))
        assert states(db, child) == ["expired"]

    def test_waiting_counts_and_retrying_does_not(self, db: Database) -> None:
        server = serve(db)
        paused, retrying = (
            put(db, "held", expires=timedelta(seconds=60)),
            put(db, expires=timedelta(seconds=60), max_attempts=2),
        )
        pauses.pause(db, Pause(scope="job", name="held", who="ana", since=NOW, until=None, reason=""))
        run_to(db, retrying, server, RunState.RETRYING, run_after=later(600))
        claim.expire(db, later(60))
        assert states(db, paused, retrying) == ["expired", "retrying"]
        claim.promote(db, later(600))
        assert [run.id for run in take(db, server, now=later(9999))] == [retrying]

    def test_a_run_that_a_person_retries_before_it_ever_started_has_its_time_again(self, db: Database) -> None:
        run_id = put(db, expires=timedelta(seconds=60))
        steer.cancel(db, run_id, at_once=False, now=NOW)
        steer.retry(db, run_id, retries=0, now=later(500))
        claim.expire(db, later(559))
        assert states(db, run_id) == ["queued"]
        claim.expire(db, later(560))
        assert states(db, run_id) == ["expired"]

    def test_the_end_sets_free_what_waited_for_it(self, db: Database) -> None:
        parent = put(db, expires=timedelta(seconds=1))
        child = put(db, "child", parents=(parent,))
        claim.expire(db, later(1))
        assert states(db, parent, child) == ["expired", "skipped"]


class TestLooking:
    def test_there_is_something_to_do_when_a_served_queue_has_a_run(self, db: Database) -> None:
        put(db, queue="low")
        assert not claim.anything_to_claim(db, NOW, ["default"])
        assert claim.anything_to_claim(db, NOW, ["default", "low"])
        assert not claim.anything_to_claim(db, NOW, [])

    def test_or_when_a_run_is_due_or_expired(self, db: Database) -> None:
        run_id = put(db, run_after=later(10), expires=timedelta(seconds=5))
        assert not claim.anything_to_claim(db, later(9), [])
        assert claim.anything_to_claim(db, later(10), [])
        pauses.pause(db, Pause(scope="job", name="job", who="ana", since=NOW, until=None, reason=""))
        claim.promote(db, later(10))
        assert states(db, run_id) == ["waiting"]
        assert not claim.anything_to_claim(db, later(14), [])
        assert claim.anything_to_claim(db, later(15), [])

    def test_queued_runs_are_told_in_order_page_by_page(self, db: Database) -> None:
        for number in range(5):
            put(db, priority=number % 2, run_after=later(-number), created_at=later(-number))
        put(db, queue="low")
        everything = [ready.id for ready in claim.queued(db, "default")]
        assert everything == [4, 2, 5, 3, 1]
        page, paged = claim.queued(db, "default", limit=2), list[int]()
        while page:
            paged += [ready.id for ready in page]
            page = claim.queued(db, "default", after=page[-1], limit=2)
        assert paged == everything
        assert claim.count_queued(db) == {"default": 5, "low": 1}

    def test_pages_go_on_from_a_run_that_has_been_taken_meanwhile(self, db: Database) -> None:
        server = serve(db)
        ids = [put(db) for _ in range(4)]
        page = claim.queued(db, "default", limit=2)
        start(db, page[-1].id, server)
        assert [ready.id for ready in claim.queued(db, "default", after=page[-1], limit=2)] == ids[2:]


def test_a_child_is_given_the_results_of_its_parents(db: Database) -> None:
    server = serve(db)
    first, second = put(db, "extract"), put(db, "load")
    child = put(db, "report", parents=(first, second))
    run_to(db, first, server, result='{"rows":3}')
    run_to(db, second, server)
    claimed = start(db, child, server)
    assert claimed.parent_results == {"extract": {"rows": 3}, "load": None}
    end(db, claimed, server)


def test_a_run_created_again_and_again_is_claimed_once_each(db: Database) -> None:
    server = serve(db)
    for _ in range(5):
        added = add.add(db, new())
        assert [run.id for run in take(db, server)] == [added.id]


def test_what_another_server_is_about_to_take_is_passed_over(postgresql_store: Callable[[], str]) -> None:
    url = postgresql_store()
    mine, other = open_store(url, patience=0.3), open_store(url)
    first, second = put(mine), put(mine)
    one, two = serve(mine), serve(mine, "two")
    with other.transaction():
        assert [run.id for run in take(other, two, limit=1)] == [first]
        assert [run.id for run in take(mine, one)] == [second]
    assert take(mine, one) == []
    mine.close()
    other.close()


def test_ahead_so_many_of_the_next_are_taken_as_their_jobs_allow(db: Database) -> None:
    server = serve(db)
    low, late, urgent = put(db, "c", queue="low"), put(db, "b"), put(db, "a", priority=1)
    seen = list[list[str]]()

    def reach(jobs: Sequence[str]) -> int:
        seen.append(list(jobs))
        return len(jobs) - 1

    asked = {"server_id": server, "queues": ("default", "low"), "now": NOW}
    assert [run.id for run in claim.claim_ahead(db, limit=9, reach=reach, **asked)] == [urgent, late]
    assert [
        run.id for run in claim.claim_ahead(db, limit=1, reach=lambda jobs: seen.append(list(jobs)) or 0, **asked)
    ] == []
    assert seen == [["a", "b", "c"], ["c"]]
    assert read.state(db, low) is RunState.QUEUED


def test_what_was_never_begun_is_as_it_was(db: Database) -> None:
    server, other = serve(db), serve(db, "other")
    fresh, again, cancelled, paused = put(db), put(db, max_attempts=3), put(db), put(db, "paused")
    first = start(db, again, other)
    end(db, first, other, RunState.RETRYING, run_after=later(1), error="no", exit_code=3)
    claim.promote(db, later(2))
    before = {run: read.get(db, run) for run in (fresh, again)}
    taken = take(db, server, now=later(3))
    assert len(taken) == 4
    steer.cancel(db, cancelled, at_once=False, now=later(4))
    pauses.pause(db, Pause(scope="job", name="paused", who="ana", since=NOW, until=None, reason=""))
    ready = unclaim(db, taken, server_id=server, now=later(5))
    assert {run: read.get(db, run) for run in (fresh, again)} == before
    assert sorted(run.id for run in ready) == [fresh, again]
    assert read.state(db, cancelled) is RunState.CANCELLED
    assert (read.state(db, paused), read.get(db, paused).attempts) == (RunState.WAITING, ())


def test_what_another_holds_is_not_put_back(db: Database) -> None:
    server, other = serve(db), serve(db, "other")
    run = put(db)
    taken = take(db, server)
    assert unclaim(db, taken, server_id=other, now=NOW) == []
    end(db, taken[0], server)
    assert unclaim(db, taken, server_id=server, now=NOW) == []
    assert read.state(db, run) is RunState.SUCCEEDED
