"""What people do to runs: cancel, retry, discard; what is refused, and in which words."""

from __future__ import annotations

import pytest
from samples import NOW, end, later, put, run_to, serve, start

from jobrunner.domain.queue import Pause
from jobrunner.domain.state import RunState
from jobrunner.errors import NotFound, Refused
from jobrunner.store import Database, pauses
from jobrunner.store.runs import claim, read, steer


def _expired(db: Database) -> int:
    from datetime import timedelta

    run_id = put(db, expires=timedelta(seconds=1))
    claim.expire(db, later(1))
    return run_id


def _skipped(db: Database) -> int:
    parent = put(db)
    child = put(db, parents=(parent,))
    steer.cancel(db, parent, at_once=False, now=NOW)
    return child


class TestCancel:
    def test_what_has_not_started_ends_at_once(self, db: Database) -> None:
        server = serve(db)
        scheduled, queued = put(db, run_after=later(9)), put(db)
        waiting = put(db, parents=(queued,))
        retrying = put(db, max_attempts=2)
        run_to(db, retrying, server, RunState.RETRYING, run_after=later(9), error="first failure")
        for run_id in (scheduled, waiting, queued, retrying):
            steered = steer.cancel(db, run_id, at_once=False, now=later(3), why=None)
            assert (steered.state, steered.changed) == (RunState.CANCELLED, True)
            run = read.get(db, run_id)
            assert (run.state, run.finished_at, run.waiting_reason) == (RunState.CANCELLED, later(3), None)
        assert read.get(db, retrying).error == "first failure"

    def test_a_reason_is_kept(self, db: Database) -> None:
        run_id = put(db)
        steer.cancel(db, run_id, at_once=False, now=NOW, why="replaced by the next fire")
        assert read.get(db, run_id).error == "replaced by the next fire"

    def test_again_is_no_error(self, db: Database) -> None:
        run_id = put(db)
        steer.cancel(db, run_id, at_once=False, now=NOW)
        assert steer.cancel(db, run_id, at_once=False, now=later(9)) == steer.Steered(RunState.CANCELLED, False, [])
        assert read.get(db, run_id).finished_at == NOW

    def test_what_ended_otherwise_is_refused(self, db: Database) -> None:
        server = serve(db)
        succeeded, failed = put(db), put(db)
        run_to(db, succeeded, server)
        run_to(db, failed, server, RunState.FAILED)
        for run_id, words in (
            (succeeded, "succeeded"),
            (failed, "failed"),
            (_expired(db), "expired"),
            (_skipped(db), "been skipped"),
        ):
            with pytest.raises(Refused, match=f"^run {run_id} has already {words}$"):
                steer.cancel(db, run_id, at_once=True, now=NOW)

    def test_no_such_run(self, db: Database) -> None:
        for action in (
            lambda: steer.cancel(db, 7, at_once=False, now=NOW),
            lambda: steer.retry(db, 7, retries=0, now=NOW),
            lambda: steer.discard(db, 7),
            lambda: read.get(db, 7),
            lambda: read.state(db, 7),
        ):
            with pytest.raises(NotFound, match=r"^no run 7;"):
                action()


class TestRetry:
    @pytest.mark.parametrize("state", [RunState.FAILED, RunState.CANCELLED])
    def test_the_same_run_gets_further_attempts_at_once(self, db: Database, state: RunState) -> None:
        server = serve(db)
        run_id = put(db, max_attempts=1)
        run_to(db, run_id, server, state, error="boom")
        steered = steer.retry(db, run_id, retries=2, now=later(50))
        assert (steered.state, steered.changed) == (RunState.QUEUED, True)
        (ready,) = steered.ready
        assert (ready.id, ready.attempt, ready.run_after) == (run_id, 1, later(50))
        run = read.get(db, run_id)
        assert (run.attempt, run.max_attempts, run.dead, run.run_after) == (1, 4, False, later(50))
        assert db.execute("SELECT failures, losses, cancel FROM runs").fetchall() == [(0, 0, 0)]
        claimed = start(db, run_id, server, later(51))
        assert claimed.attempt == 2
        assert len(read.get(db, run_id).attempts) == 2

    def test_any_other_state_is_refused_and_says_what_to_do(self, db: Database) -> None:
        server = serve(db)
        succeeded, running, scheduled = put(db), put(db), put(db, run_after=later(5))
        run_to(db, succeeded, server)
        start(db, running, server)
        with pytest.raises(Refused) as refused:
            steer.retry(db, succeeded, retries=0, now=NOW)
        assert str(refused.value) == (
            f"run {succeeded} is succeeded; only failed and cancelled runs can be retried;"
            f" `jobrunner trigger job --like {succeeded}` repeats it"
        )
        for run_id in (running, scheduled, put(db), _expired(db), _skipped(db)):
            with pytest.raises(Refused, match="only failed and cancelled runs can be retried"):
                steer.retry(db, run_id, retries=0, now=NOW)

    def test_a_run_of_a_paused_job_waits(self, db: Database) -> None:
        server = serve(db)
        run_id = put(db)
        run_to(db, run_id, server, RunState.FAILED)
        pauses.pause(db, Pause(scope="job", name="job", who="ana", since=NOW, until=None, reason=""))
        assert steer.retry(db, run_id, retries=0, now=NOW) == steer.Steered(RunState.WAITING, True, [])
        assert read.get(db, run_id).waiting_detail == "by ana"
        assert [ready.id for ready in pauses.resume(db, "job", "job", NOW)[1]] == [run_id]

    def test_a_cancel_that_was_asked_for_before_is_forgotten(self, db: Database) -> None:
        server = serve(db)
        run_id = put(db)
        claimed = start(db, run_id, server)
        steer.cancel(db, run_id, at_once=True, now=NOW)
        end(db, claimed, server)
        steer.retry(db, run_id, retries=0, now=NOW)
        start(db, run_id, server)
        assert steer.cancels(db, server) == []


def test_only_failed_runs_can_be_discarded(db: Database) -> None:
    run_id = put(db)
    with pytest.raises(Refused, match=f"^run {run_id} is queued; only failed runs can be discarded$"):
        steer.discard(db, run_id)
