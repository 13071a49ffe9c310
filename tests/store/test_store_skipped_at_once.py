"""Runs that are skipped when they are created, and runs that fall due in a pause: both say why."""

from __future__ import annotations

from datetime import timedelta

from samples import NOW, end, later, new, put, run_to, serve, start

from jobrunner.domain.queue import Pause
from jobrunner.domain.state import RunState
from jobrunner.store import Database, pauses
from jobrunner.store.runs import add, claim, read, steer


def test_a_run_whose_parent_has_ended_otherwise_has_ended_too(db: Database) -> None:
    parent = put(db, "parent")
    run_to(db, parent, serve(db), RunState.FAILED)
    child = put(db, "child", parents=(parent,), created_at=later(9), expires=timedelta(seconds=5))
    shown = read.get(db, child)
    assert (shown.state, shown.finished_at, shown.error, shown.waiting_detail) == (
        RunState.SKIPPED,
        later(9),
        "its parents ended without success",
        None,
    )
    steer.retry(db, parent, retries=0, now=later(10))
    shown = read.get(db, child)
    assert (shown.state, shown.finished_at, shown.error, shown.waiting_detail) == (
        RunState.WAITING,
        None,
        None,
        f"run {parent}",
    )


def test_so_have_the_members_of_a_batch(db: Database) -> None:
    parent = put(db, "parent")
    run_to(db, parent, serve(db), RunState.FAILED)
    batch, ready = add.add_batch(db, new("child", parents=(parent,)), "many", [("{}", None)] * 2, [])
    members = [read.get(db, run) for run in read.ids(db, 2)]
    assert ready == []
    assert {(run.state, run.batch_id, run.finished_at, run.error) for run in members} == {
        (RunState.SKIPPED, batch, NOW, "its parents ended without success")
    }


def test_what_falls_due_in_a_pause_says_who_and_why(db: Database) -> None:
    run = put(db, run_after=later(5))
    pauses.pause(db, Pause(scope="job", name="job", who="ana", since=NOW, until=None, reason="disk"))
    assert claim.promote(db, later(6)) == []
    assert read.get(db, run).waiting_detail == "by ana: disk"


def test_a_cancelled_run_that_was_lost_has_no_attempt_more(db: Database) -> None:
    server = serve(db)
    claimed = start(db, put(db), server)
    steer.cancel(db, claimed.id, at_once=False, now=NOW)
    end(db, claimed, server, RunState.QUEUED)
    shown = read.get(db, claimed.id)
    assert (shown.state, shown.attempt, shown.max_attempts) == (RunState.CANCELLED, 1, 1)
