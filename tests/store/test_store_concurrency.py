"""What two transactions can only do wrong together: each pair runs at once, many times, on both databases."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from project import until
from samples import NOW, at_once, end, later, new, put, serve, start, states

from jobrunner.domain.job import Overlap
from jobrunner.domain.queue import Pause
from jobrunner.domain.state import RunState, Trigger
from jobrunner.errors import Refused
from jobrunner.store import Database, batches, open_store, pauses, schedules
from jobrunner.store.database import Collision
from jobrunner.store.runs import add, read, steer

ROUNDS = range(12)


def test_two_parents_that_end_at_once_release_their_child(store_url: str, db: Database) -> None:
    server = serve(db)
    rounds = []
    for _ in ROUNDS:
        parents = (put(db, "one"), put(db, "two"))
        child = put(db, "child", parents=parents)
        rounds.append(([start(db, parent, server) for parent in parents], child))

    def work(mine: Database, number: int) -> None:
        for parents, _ in rounds:
            end(mine, parents[number], server)

    at_once(store_url, 2, work)
    assert states(db, *(child for _, child in rounds)) == ["queued"] * len(rounds)


def test_a_child_that_is_added_while_its_parent_ends_is_not_forgotten(store_url: str, db: Database) -> None:
    server = serve(db)
    parents = [start(db, put(db), server) for _ in ROUNDS]

    def work(mine: Database, number: int) -> list[int]:
        if number:
            return [put(mine, "child", parents=(parent.id,)) for parent in parents]
        for parent in parents:
            end(mine, parent, server)
        return []

    _, children = at_once(store_url, 2, work)
    assert states(db, *children) == ["queued"] * len(parents)


def test_the_last_two_members_of_a_batch(store_url: str, db: Database) -> None:
    server = serve(db)
    rounds = []
    for _ in ROUNDS:
        batch_id, ready = add.add_batch(db, new(), "batch", [("{}", None)] * 2, [new("then", trigger=Trigger.AFTER)])
        rounds.append((batch_id, [start(db, run.id, server) for run in ready]))

    def work(mine: Database, number: int) -> None:
        for _, members in rounds:
            end(mine, members[number], server)

    at_once(store_url, 2, work)
    for batch_id, members in rounds:
        assert batches.finished(db, batch_id)
        assert states(db, members[-1].id + 1) == ["queued"]


def test_a_fire_that_waits_for_a_run_that_ends_at_that_moment(store_url: str, db: Database) -> None:
    server = serve(db)
    active = [start(db, put(db, f"job{number}"), server) for number in ROUNDS]

    def work(mine: Database, number: int) -> None:
        for run in active:
            if number:
                fire = new(run.job, trigger=Trigger.SCHEDULE, fire_time=NOW)
                schedules.fire(mine, schedules.Fire(run=fire, schedule=1, overlap=Overlap.QUEUE), NOW)
            else:
                end(mine, run, server)

    at_once(store_url, 2, work)
    assert db.execute("SELECT state, count(*) FROM runs WHERE fire_time IS NOT NULL GROUP BY state").fetchall() == [
        ("queued", len(active))
    ]


def test_two_runs_that_a_fire_waits_for_end_at_once(store_url: str, db: Database) -> None:
    server = serve(db)
    rounds = []
    for number in ROUNDS:
        rounds.append([start(db, put(db, f"job{number}"), server) for _ in range(2)])
        fire = new(f"job{number}", trigger=Trigger.SCHEDULE, fire_time=NOW)
        schedules.fire(db, schedules.Fire(run=fire, schedule=1, overlap=Overlap.QUEUE), NOW)

    def work(mine: Database, number: int) -> None:
        for active in rounds:
            end(mine, active[number], server)

    at_once(store_url, 2, work)
    assert db.execute("SELECT count(*) FROM runs WHERE state = 'queued'").fetchone() == (len(rounds),)


def test_a_fire_waits_for_every_run_that_is_active_when_it_comes(
    postgresql_store: Callable[[], str],
) -> None:
    """The ends of two runs and a fire, each seen by none of the others until all have been decided."""
    url = postgresql_store()
    db = open_store(url)
    server = serve(db)
    first, second = (start(db, put(db), server) for _ in range(2))
    ended, go_on = threading.Event(), threading.Event()

    def end_unseen() -> None:
        mine = open_store(url)
        with mine.transaction():
            end(mine, second, server)
            ended.set()
            go_on.wait(30)
        mine.close()

    def end_first() -> None:
        mine = open_store(url)
        end(mine, first, server)
        mine.close()

    def waiting() -> int:
        return int(db.execute("SELECT count(*) FROM pg_locks WHERE NOT granted").fetchone()[0])

    due = schedules.Fire(run=new(trigger=Trigger.SCHEDULE, fire_time=NOW), schedule=1, overlap=Overlap.QUEUE)
    with ThreadPoolExecutor(2) as threads:
        with db.transaction():
            schedules.fire(db, due, NOW)
            ends = [threads.submit(end_unseen)]
            until(lambda: waiting() == 1 or ended.is_set(), "an end that waits for the fire")
        ends.append(threads.submit(end_first))
        until(lambda: ends[1].done() or waiting() == 1, "an end that looks, or waits to look")
        go_on.set()
        for each in ends:
            each.result(30)
    assert states(db, first.id, second.id, 3) == ["succeeded", "succeeded", "queued"]
    db.close()


def test_identical_unique_runs_are_created_once(store_url: str, db: Database) -> None:
    def work(mine: Database, _: int) -> list[add.Added]:
        return [add.add(mine, new(unique_key=f"key {number}")) for number in ROUNDS]

    added = [one for some in at_once(store_url, 3, work) for one in some]
    assert len({one.id for one in added}) == len(ROUNDS) == len(read.ids(db, 99))
    assert sum(one.existing for one in added) == 2 * len(ROUNDS)


def test_retries_of_runs_with_the_same_uniqueness(store_url: str, db: Database) -> None:
    pairs = []
    for number in ROUNDS:
        pairs.append([])
        for _ in range(2):
            run_id = put(db, unique_key=f"key {number}")
            steer.cancel(db, run_id, at_once=False, now=NOW)
            pairs[-1].append(run_id)

    def work(mine: Database, number: int) -> int:
        refused = 0
        for pair in pairs:
            try:
                steer.retry(mine, pair[number], retries=0, now=NOW)
            except Refused:
                refused += 1
        return refused

    assert sum(at_once(store_url, 2, work)) == len(pairs)


def test_a_pause_holds_every_run_that_is_created_meanwhile(store_url: str, db: Database) -> None:
    def work(mine: Database, number: int) -> None:
        for job in (f"job{round_}" for round_ in ROUNDS):
            if number:
                put(mine, job)
            else:
                pauses.pause(mine, Pause(scope="job", name=job, who="ana", since=NOW, until=None, reason=""))

    at_once(store_url, 3, work)
    assert db.execute("SELECT DISTINCT state FROM runs").fetchall() == [("waiting",)]


def test_a_resume_frees_every_run_that_is_created_meanwhile(store_url: str, db: Database) -> None:
    for number in ROUNDS:
        pauses.pause(db, Pause(scope="job", name=f"job{number}", who="ana", since=NOW, until=NOW, reason=""))

    def work(mine: Database, number: int) -> None:
        if number == 0:
            pauses.resume_due(mine, NOW)
        else:
            for round_ in ROUNDS:
                put(mine, f"job{round_}")

    at_once(store_url, 3, work)
    assert db.execute("SELECT DISTINCT state FROM runs").fetchall() == [("queued",)]


@pytest.mark.parametrize("by", ["finish", "cancel"])
def test_an_end_and_a_cancel_at_once_leave_one_of_both(store_url: str, db: Database, by: str) -> None:
    server = serve(db)
    runs = [start(db, put(db, expires=timedelta(seconds=9)), server) for _ in ROUNDS]

    def work(mine: Database, number: int) -> int:
        changed = 0
        for run in runs if by == "finish" else reversed(runs):
            if number:
                changed += end(mine, run, server, RunState.FAILED, at=later(2)) is not None
            else:
                try:
                    steer.cancel(mine, run.id, at_once=False, now=NOW)
                except Refused:
                    pass
        return changed

    assert sum(at_once(store_url, 2, work)) == len(runs)
    ended = {(run.state, run.dead, run.cancelling) for run in (read.get(db, run.id) for run in runs)}
    assert ended <= {(RunState.FAILED, True, False), (RunState.CANCELLED, False, False)}


def test_two_that_wait_for_each_other_are_told_so(store_url: str, db: Database) -> None:
    if db.dialect == "sqlite":
        return  # a transaction is alone
    first, second = put(db), put(db)
    both = threading.Barrier(2)

    def work(mine: Database, number: int) -> str:
        try:
            with mine.transaction():
                steer.cancel(mine, (first, second)[number], at_once=False, now=NOW)
                both.wait(20)
                steer.cancel(mine, (second, first)[number], at_once=False, now=NOW)
        except Collision as error:
            return str(error)
        return ""

    told = sorted(at_once(store_url, 2, work))
    assert told[0] == ""
    assert told[1].endswith(" is too busy: deadlock detected; try again")
    assert states(db, first, second) == ["cancelled", "cancelled"]
