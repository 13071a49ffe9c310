"""Ends of attempts: what is recorded, fencing, cancels that win, dead letters and what supersedes them."""

from __future__ import annotations

import pytest
from samples import NOW, end, ending, later, new, put, run_to, serve, start, states, take

from jobrunner.domain.clock import to_micros
from jobrunner.domain.filter import RunFilter
from jobrunner.domain.queue import Pause
from jobrunner.domain.run import Attempt, Claimed, Progress
from jobrunner.domain.state import Outcome, RunState
from jobrunner.store import Database, pauses
from jobrunner.store.runs import add, finish, read, steer


def test_a_success_is_recorded_whole(db: Database) -> None:
    server = serve(db)
    run_id = put(db)
    finished = end(
        db,
        start(db, run_id, server),
        server,
        exit_code=0,
        result='{"rows":[1,null,"ü"]}',
        at=later(9),
        peak_memory=12_345_678,
        cpu_time=0.25,
    )
    assert finished == finish.Finished(RunState.SUCCEEDED, [])
    run = read.get(db, run_id)
    assert (run.state, run.exit_code, run.error, run.result) == (RunState.SUCCEEDED, 0, None, {"rows": [1, None, "ü"]})
    assert (run.started_at, run.finished_at, run.dead) == (NOW, later(9), False)
    (attempt,) = run.attempts
    assert (attempt.outcome, attempt.exit_code, attempt.finished_at) == (Outcome.SUCCEEDED, 0, later(9))
    assert db.execute("SELECT peak_memory, cpu_time FROM attempts").fetchall() == [(12_345_678, 250_000)]


def test_it_started_when_its_server_says_it_did(db: Database) -> None:
    server = serve(db)
    run_id = put(db)
    end(db, start(db, run_id, server), server, started_at=later(2), at=later(3))
    run = read.get(db, run_id)
    assert (run.started_at, run.attempts[0].started_at, run.finished_at) == (later(2), later(2), later(3))


def test_results_of_all_kinds_come_back(db: Database) -> None:
    server = serve(db)
    for text, value in (("null", None), ("0", 0), ('""', ""), ("[]", []), ("false", False), ("1e300", 1e300)):
        run_id = put(db)
        run_to(db, run_id, server, result=text)
        assert read.get(db, run_id).result == value


def test_a_failure_may_be_repeated_and_counts(db: Database) -> None:
    server = serve(db)
    run_id = put(db, max_attempts=2)
    run_to(db, run_id, server, RunState.RETRYING, exit_code=75, error="busy", run_after=later(60))
    run = read.get(db, run_id)
    assert (run.state, run.run_after, run.max_attempts, run.dead) == (RunState.RETRYING, later(60), 2, False)
    assert db.execute("SELECT failures, losses FROM runs").fetchall() == [(1, 0)]


@pytest.mark.parametrize("outcome", [Outcome.LOST, Outcome.INTERRUPTED])
def test_an_attempt_that_was_lost_or_interrupted_is_repeated_and_does_not_count(db: Database, outcome: Outcome) -> None:
    server = serve(db)
    run_id = put(db, max_attempts=2)
    (ready,) = run_to(db, run_id, server, RunState.QUEUED, outcome=outcome)
    assert (ready.id, ready.attempt) == (run_id, 1)
    run = read.get(db, run_id)
    assert (run.state, run.attempt, run.max_attempts) == (RunState.QUEUED, 1, 3)
    assert db.execute("SELECT failures, losses FROM runs").fetchall() == [(0, int(outcome is Outcome.LOST))]


def test_one_of_a_paused_job_waits(db: Database) -> None:
    server = serve(db)
    claimed = start(db, put(db), server)
    pauses.pause(db, Pause(scope="job", name="job", who="ana", since=NOW, until=None, reason="disk"))
    assert end(db, claimed, server, RunState.QUEUED) == finish.Finished(RunState.WAITING, [])
    run = read.get(db, claimed.id)
    assert (run.waiting_reason, run.waiting_detail) == ("paused", "by ana: disk")
    assert [(ready.id, ready.attempt) for ready in pauses.resume(db, "job", "job", NOW)[1]] == [(claimed.id, 1)]


class TestFencing:
    def test_another_server_changes_nothing(self, db: Database) -> None:
        server, other = serve(db), serve(db, "two")
        claimed = start(db, put(db), server)
        assert end(db, claimed, other) is None
        assert states(db, claimed.id) == ["running"]
        assert read.get(db, claimed.id).attempts[0].outcome is None

    def test_an_end_that_comes_twice_is_recorded_once(self, db: Database) -> None:
        server = serve(db)
        claimed = start(db, put(db, max_attempts=3), server)
        assert end(db, claimed, server, RunState.RETRYING, run_after=later(5)) is not None
        assert end(db, claimed, server) is None
        assert db.execute("SELECT state, failures FROM runs").fetchall() == [("retrying", 1)]

    def test_an_attempt_that_was_given_to_another_is_over_for_the_first(self, db: Database) -> None:
        server, other = serve(db), serve(db, "two")
        run_id = put(db)
        first = start(db, run_id, server)
        end(db, first, server, RunState.QUEUED)
        second = start(db, run_id, other)
        assert end(db, first, server, RunState.FAILED) is None
        assert end(db, first, other, RunState.FAILED) is None
        assert end(db, second, other, result="2") is not None
        run = read.get(db, run_id)
        assert [(a.number, a.outcome) for a in run.attempts] == [(1, Outcome.LOST), (2, Outcome.SUCCEEDED)]

    def test_progress_is_fenced_too(self, db: Database) -> None:
        server, other = serve(db), serve(db, "two")
        claimed = start(db, put(db), server)
        progress = Progress(done=30, total=100, message="reading ü")
        finish.report_progress(db, claimed.id, 1, other, progress)
        finish.report_progress(db, claimed.id, 2, server, progress)
        assert read.get(db, claimed.id).progress is None
        finish.report_progress(db, claimed.id, 1, server, progress)
        assert read.get(db, claimed.id).progress == progress
        end(db, claimed, server)
        finish.report_progress(db, claimed.id, 1, server, Progress(done=31))
        assert read.get(db, claimed.id).progress == progress


class TestCancels:
    @pytest.mark.parametrize("state", [RunState.SUCCEEDED, RunState.FAILED, RunState.RETRYING, RunState.QUEUED])
    def test_a_cancel_that_was_asked_for_wins_over_any_end(self, db: Database, state: RunState) -> None:
        server = serve(db)
        claimed = start(db, put(db, max_attempts=5), server)
        assert steer.cancel(db, claimed.id, at_once=False, now=NOW) == steer.Steered(RunState.RUNNING, True, [])
        assert read.get(db, claimed.id).cancelling
        assert steer.cancels(db, server) == [(claimed.id, 1, False)]
        steer.cancel(db, claimed.id, at_once=True, now=NOW)
        steer.cancel(db, claimed.id, at_once=False, now=NOW)
        assert steer.cancels(db, server) == [(claimed.id, 1, True)]
        finished = end(db, claimed, server, state, run_after=later(5))
        assert finished == finish.Finished(RunState.CANCELLED, [])
        run = read.get(db, claimed.id)
        assert (run.state, run.dead, run.cancelling) == (RunState.CANCELLED, False, False)
        assert steer.cancels(db, server) == []

    def test_the_attempt_says_how_it_ended(self, db: Database) -> None:
        server = serve(db)
        outcomes = []
        for state in (RunState.SUCCEEDED, RunState.FAILED, RunState.QUEUED):
            claimed = start(db, put(db), server)
            steer.cancel(db, claimed.id, at_once=False, now=NOW)
            end(db, claimed, server, state)
            outcomes.append(read.get(db, claimed.id).attempts[0].outcome)
        assert outcomes == [Outcome.SUCCEEDED, Outcome.CANCELLED, Outcome.LOST]

    def test_other_servers_are_not_asked(self, db: Database) -> None:
        server, other = serve(db), serve(db, "two")
        claimed = start(db, put(db), server)
        steer.cancel(db, claimed.id, at_once=False, now=NOW)
        assert steer.cancels(db, other) == []


class TestDeadLetters:
    def test_a_failure_for_good_is_one_until_it_is_discarded(self, db: Database) -> None:
        server = serve(db)
        dead, quiet = put(db), put(db, "quiet")
        run_to(db, dead, server, RunState.FAILED)
        run_to(db, quiet, server, RunState.FAILED, dead=False)
        assert [run.id for run in read.find(db, RunFilter(dead=True))] == [dead]
        assert read.dead_ids(db, []) == [dead]
        assert steer.discard(db, dead)
        assert not steer.discard(db, dead)
        assert read.dead_ids(db, []) == []
        assert states(db, dead) == ["failed"]

    def test_a_success_supersedes_those_of_its_job_and_parameters(self, db: Database) -> None:
        server = serve(db)
        same = put(db, params='{"id":1}', secret_params='{"key":"a"}')
        other_secret = put(db, params='{"id":1}', secret_params='{"key":"b"}')
        no_secret = put(db, params='{"id":1}')
        other_params = put(db, params='{"id":2}', secret_params='{"key":"a"}')
        other_job = put(db, "another", params='{"id":1}', secret_params='{"key":"a"}')
        for run_id in (same, other_secret, no_secret, other_params, other_job):
            run_to(db, run_id, server, RunState.FAILED)
        run_to(db, put(db, params='{"id":1}', secret_params='{"key":"a"}'), server)
        assert read.dead_ids(db, []) == [other_secret, no_secret, other_params, other_job]
        run_to(db, put(db, params='{"id":1}'), server)
        assert read.dead_ids(db, ["job"]) == [other_secret, other_params]
        assert read.dead_ids(db, ["job", "another"]) == [other_secret, other_params, other_job]

    def test_a_later_failure_supersedes_nothing(self, db: Database) -> None:
        server = serve(db)
        ids = [put(db), put(db)]
        for run_id in ids:
            run_to(db, run_id, server, RunState.FAILED)
        assert read.dead_ids(db, []) == ids

    def test_a_retried_one_is_one_no_more(self, db: Database) -> None:
        server = serve(db)
        run_id = put(db)
        run_to(db, run_id, server, RunState.FAILED)
        steer.retry(db, run_id, retries=0, now=NOW)
        assert read.dead_ids(db, []) == []


def test_ends_and_claims_that_come_together_need_no_more_statements_than_one(db: Database) -> None:
    def counted(count: int) -> list[int]:
        needed = list[int]()
        for action in (
            lambda: claimed.extend(take(db, server, limit=count)),
            lambda: finish.finish_all(db, [ending(run, server) for run in claimed]),
        ):
            ran = list[object]()
            hooks = db._connections.query_hooks
            hooks.append(ran.append)
            action()
            hooks.clear()
            needed.append(len(ran))
        assert [read.state(db, run.id) for run in claimed] == [RunState.SUCCEEDED] * count
        claimed.clear()
        return needed

    server, claimed = serve(db), list[Claimed]()
    add.add_batch(db, new(), "b", [("{}", None)] * 20, [])
    assert counted(1) == counted(9) == [3, 6 if db.dialect == "postgresql" else 5]


def test_of_ends_that_come_together_each_has_its_own_guard(db: Database) -> None:
    server, other = serve(db), serve(db, "other")
    runs = [start(db, put(db, f"job{n}"), server) for n in range(5)]
    steer.cancel(db, runs[2].id, at_once=False, now=NOW)
    endings = [
        ending(runs[0], server, result="7", at=later(3)),
        ending(runs[1], other),
        ending(runs[2], server, RunState.RETRYING, run_after=later(60)),
        ending(runs[3], server, RunState.RETRYING, run_after=later(60), error="busy", signal=9),
        ending(runs[4], server, attempt=2),
    ]
    found = finish.finish_all(db, endings)
    assert found.states == {
        runs[0].id: RunState.SUCCEEDED,
        runs[2].id: RunState.CANCELLED,
        runs[3].id: RunState.RETRYING,
    }
    assert states(db, *(run.id for run in runs)) == ["succeeded", "running", "cancelled", "retrying", "running"]
    sql = "SELECT run_id, outcome, error, signal FROM attempts ORDER BY run_id"
    assert db.execute(sql).fetchall() == [
        (runs[0].id, "succeeded", None, None),
        (runs[2].id, "cancelled", None, None),
        (runs[3].id, "failed", "busy", 9),
    ]
    assert (read.get(db, runs[0].id).result, read.get(db, runs[0].id).finished_at) == (7, later(3))


def test_an_attempt_that_an_older_server_noted_when_it_began_is_one_attempt(db: Database) -> None:
    server = serve(db)
    run = start(db, put(db), server)
    sql = "INSERT INTO attempts (run_id, number, server_id, started_at) VALUES (?, ?, ?, ?)"
    db.execute(sql, (run.id, 1, server, to_micros(NOW)))
    assert read.get(db, run.id).attempts == (Attempt(number=1, server="one", started_at=NOW),)
    assert finish.finish(db, ending(run, server, at=later(3), exit_code=0)) is not None
    (attempt,) = read.get(db, run.id).attempts
    assert (attempt.outcome, attempt.started_at, attempt.finished_at) == (Outcome.SUCCEEDED, NOW, later(3))


@pytest.mark.parametrize("first", [RunState.FAILED, RunState.SUCCEEDED])
def test_a_success_supersedes_dead_letters_before_it_also_where_they_end_together(
    db: Database, first: RunState
) -> None:
    server = serve(db)
    one, two = (start(db, put(db), server) for _ in range(2))
    second = RunState.SUCCEEDED if first is RunState.FAILED else RunState.FAILED
    finish.finish_all(db, [ending(one, server, first), ending(two, server, second)])
    assert [read.get(db, run.id).dead for run in (one, two)] == [False, second is RunState.FAILED]


def test_what_two_ends_set_free_together_is_set_free_once(db: Database) -> None:
    server = serve(db)
    batch, _ = add.add_batch(db, new(), "b", [("{}", None)] * 2, [new("then")])
    members = take(db, server)
    child = put(db, "child", parents=tuple(run.id for run in members))
    found = finish.finish_all(db, [ending(members[0], server), ending(members[1], server, at=later(5))])
    assert [ready.id for ready in found.ready] == [child, child - 1]
    assert states(db, child, child - 1) == ["queued", "queued"]
    assert db.execute("SELECT finished_at FROM batches WHERE id = ?", (batch,)).fetchone() == (to_micros(later(5)),)
