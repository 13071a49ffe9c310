"""Finished runs that are kept no longer: which go, with what, and which stay."""

from __future__ import annotations

from collections import Counter
from contextlib import suppress
from datetime import timedelta

import pytest
from samples import NOW, at_once, later, new, put, run_to, serve, start

from jobrunner.domain.retention import Retention
from jobrunner.domain.state import FINAL, RunState, Trigger
from jobrunner.errors import NotFound
from jobrunner.store import Database, retention
from jobrunner.store.runs import add, steer

DAY = 86_400
HOURS = later(2 * 3600)
MONTH = later(31 * DAY)
SEASON = later(91 * DAY)


def rules(**changes: object) -> Retention:
    ages = {state: timedelta(days=30 if state is RunState.SUCCEEDED else 90) for state in FINAL}
    values = {"ages": ages, "most": {}, "jobs": (), "unique_for": timedelta(), **changes}
    return Retention(**values)


def removed(db: Database, now=MONTH, **changes: object) -> Counter[str]:
    total = Counter[str]()
    for part in retention.due(db, lambda: rules(**changes), lambda: now):
        with db.transaction():
            total += part.remove(db)
    return total


def left(db: Database) -> list[int]:
    return [row[0] for row in db.execute("SELECT id FROM runs ORDER BY id")]


def rows(db: Database, table: str) -> int:
    return int(db.execute(f"SELECT count(*) FROM {table}").fetchone()[0])


def ended(db: Database, server: int, state: RunState = RunState.SUCCEEDED, **changes: object) -> int:
    run_id = put(db, **changes)
    run_to(db, run_id, server, state)
    return run_id


def test_each_state_has_its_age_and_a_run_goes_with_all_that_hangs_on_it(db: Database) -> None:
    server = serve(db)
    gone, failed = ended(db, server), ended(db, server, RunState.FAILED)
    db.execute(
        "INSERT INTO output (run_id, attempt, seq, start, segments, data) VALUES (?, 1, 0, 0, '[0,[[0,0,1]]]', ?)",
        (gone, b"x"),
    )
    queued = put(db)
    assert removed(db, later(29 * DAY)) == {}
    assert removed(db) == {"succeeded": 1}
    assert left(db) == [failed, queued]
    assert (rows(db, "output"), rows(db, "attempts")) == (0, 1)
    assert removed(db, SEASON) == {"failed": 1}
    assert left(db) == [queued]


def test_what_is_followed_stays_until_that_has_succeeded(db: Database) -> None:
    server = serve(db)
    parent = ended(db, server, RunState.FAILED)
    skipped = put(db, parents=(parent,))
    assert removed(db, SEASON, ages={state: timedelta(days=1) for state in FINAL}) == {"skipped": 1}
    assert rows(db, "run_parents") == 0
    assert removed(db, SEASON) == {"failed": 1}
    assert skipped not in left(db)


def test_the_newest_run_and_success_of_a_job_in_force_stay(db: Database) -> None:
    server = serve(db)
    ended(db, server)
    success = ended(db, server)
    ended(db, server, RunState.FAILED)
    newest = ended(db, server, RunState.FAILED)
    ended(db, server, job="other")
    assert removed(db, SEASON, jobs=("job",)) == {"succeeded": 2, "failed": 1}
    assert left(db) == [success, newest]


def test_so_many_of_a_job_are_kept(db: Database) -> None:
    server = serve(db)
    ids = [ended(db, server) for _ in range(5)]
    other = ended(db, server, job="other")
    active = put(db)
    assert removed(db, later(3600), most={"job": 2}) == {}  # they ended less than an hour ago
    assert removed(db, HOURS, most={"job": 2}) == {"succeeded": 3}
    assert left(db) == [*ids[3:], other, active]


def test_dead_letters_outlive_the_count_and_not_their_age(db: Database) -> None:
    server = serve(db)
    dead, discarded = ended(db, server, RunState.FAILED), ended(db, server, RunState.FAILED)
    steer.discard(db, discarded)
    newest = ended(db, server, params='{"other":1}')
    assert removed(db, HOURS, most={"job": 1}) == {"failed": 1}
    assert left(db) == [dead, newest]
    assert removed(db, SEASON, jobs=("job",)) == {"failed": 1}


def test_nothing_goes_within_an_hour_of_its_end(db: Database) -> None:
    ended(db, serve(db))
    ages = dict.fromkeys(FINAL, timedelta(seconds=1))
    assert removed(db, later(3600), ages=ages) == {}
    assert removed(db, later(3601), ages=ages) == {"succeeded": 1}


def test_what_gets_a_child_while_it_is_removed_is_one_of_both(store_url: str, db: Database) -> None:
    server = serve(db)
    parents = [ended(db, server) for _ in range(12)]

    def work(mine: Database, number: int) -> list[int]:
        if number == 0:
            removed(mine)
            return []
        added = []
        for parent in reversed(parents):
            with suppress(NotFound):
                added.append((put(mine, "child", parents=(parent,)), parent)[1])
        return added

    _, followed = at_once(store_url, 2, work)
    assert [run_id for run_id in left(db) if run_id in parents] == sorted(followed)


def test_what_is_active_stays_however_old(db: Database) -> None:
    server = serve(db)
    parent = put(db)
    stay = [parent, put(db, parents=(parent,)), put(db, run_after=later(10**8)), put(db)]
    start(db, stay[3], server)
    assert removed(db, later(10**9), most={"job": 1}) == {}
    assert left(db) == stay


def test_jobs_that_another_server_has_are_left_to_it(db: Database) -> None:
    server = serve(db)
    ours, theirs, nobodys = (ended(db, server, job=job) for job in ("ours", "theirs", "nobodys"))
    db.execute(
        "INSERT INTO versions (job, version, definition_id, applied_at, who, host, server, origin)"
        " VALUES ('theirs', 1, 1, 1, 'ana', 'here', 'other', 'file')"
    )
    add.add_batch(db, new("theirs"), "b", [("{}", None)], [])
    member = left(db)[-1]
    run_to(db, member, server)
    assert removed(db, MONTH, jobs=("ours",)) == {"succeeded": 1}
    assert left(db) == [ours, theirs, member]
    assert nobodys not in left(db)
    assert rows(db, "batches") == 1


def test_a_walk_that_is_killed_leaves_nothing_half(db: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retention, "_AT_ONCE", 2)
    server = serve(db)
    ids = [ended(db, server, fire_time=later(number)) for number in range(5)]
    for run_id in ids:
        db.execute(
            "INSERT INTO output (run_id, attempt, seq, start, segments, data) VALUES (?, 1, 0, 0, '[]', ?)",
            (run_id, b"x"),
        )
    parts = retention.due(db, rules, lambda: MONTH)
    part = next(part for part in parts if part.counts)
    at = 0
    while _killed(db, part, at):
        at += 1
        assert left(db) == ids
        assert (rows(db, "output"), rows(db, "attempts")) == (5, 5)
        assert retention.removed_until(db, "job") is None
    assert at > 6
    assert left(db) == ids[2:]
    assert (rows(db, "output"), rows(db, "attempts")) == (3, 3)
    assert retention.removed_until(db, "job") == int(later(1).timestamp()) * 1_000_000
    assert removed(db) == {"succeeded": 3}
    assert left(db) == []


def _killed(db: Database, part: retention.Due, at: int) -> bool:
    """Whether the transaction that removes a part was cut off after so many statements."""

    def dies(_: object) -> None:
        nonlocal at
        at -= 1
        if at < 0:
            raise KeyboardInterrupt

    hooks = db._connections.query_hooks
    try:
        with db.transaction():
            hooks.append(dies)
            try:
                part.remove(db)
            finally:
                hooks.remove(dies)
    except KeyboardInterrupt:
        return True
    return False


def test_a_member_whose_batch_is_gone_can_be_retried(db: Database) -> None:
    server = serve(db)
    add.add_batch(db, new(), "b", [("{}", None)], [])
    (member,) = left(db)
    run_to(db, member, server, RunState.FAILED)
    assert removed(db, SEASON, jobs=("job",)) == {"batches": 1}
    assert steer.retry(db, member, retries=0, now=SEASON).changed
    run_to(db, member, server)
    assert left(db) == [member]


def test_a_batch_waits_for_what_waits_for_it(db: Database) -> None:
    server = serve(db)
    add.add_batch(db, new(), "b", [("{}", None)], [new("then", trigger=Trigger.AFTER)])
    member, then = left(db)
    run_to(db, member, server)
    assert removed(db, MONTH) == {}
    run_to(db, then, server)
    assert removed(db, MONTH) == {"batches": 1, "succeeded": 2}
    assert left(db) == []


def test_a_batch_goes_whole_when_all_of_it_is_due(db: Database) -> None:
    server = serve(db)
    batch, _ = add.add_batch(db, new(), "b", [("{}", None)] * 2, [])
    first, second = left(db)
    run_to(db, first, server)
    assert removed(db, SEASON) == {}
    run_to(db, second, server, RunState.FAILED)
    assert removed(db, MONTH, most={"job": 1}) == {}
    assert removed(db, SEASON) == {"batches": 1, "succeeded": 1, "failed": 1}
    assert (left(db), rows(db, "batches")) == ([], 0)
    assert batch


def test_members_of_a_batch_that_is_gone_are_found_later(db: Database) -> None:
    server = serve(db)
    add.add_batch(db, new(), "b", [("{}", None)], [])
    (member,) = left(db)
    run_to(db, member, server)
    with db.transaction():
        next(retention.due(db, rules, lambda: MONTH)).remove(db)
    assert (left(db), rows(db, "batches")) == ([member], 0)
    assert removed(db) == {"succeeded": 1}


def test_what_is_retried_meanwhile_stays(db: Database) -> None:
    server = serve(db)
    run_id = ended(db, server, RunState.FAILED)
    (part,) = (part for part in retention.due(db, rules, lambda: SEASON) if part.counts)
    steer.retry(db, run_id, retries=0, now=SEASON)
    with db.transaction():
        assert part.remove(db) == {}
    assert left(db) == [run_id]


def test_a_success_that_stands_for_others_stays_as_long(db: Database) -> None:
    run_id = ended(db, serve(db), unique_key="k")
    assert removed(db, MONTH, unique_for=timedelta(days=40)) == {}
    assert removed(db, later(41 * DAY), unique_for=timedelta(days=40)) == {"succeeded": 1}
    assert run_id not in left(db)


def test_the_last_fire_time_that_was_removed_is_known(db: Database) -> None:
    server = serve(db)
    ended(db, server, fire_time=NOW)
    removed(db)
    assert retention.removed_until(db, "job") == int(NOW.timestamp()) * 1_000_000
    assert retention.removed_until(db, "other") is None


@pytest.mark.parametrize("seconds", [0, 3599])
def test_one_walks_at_a_time(db: Database, seconds: int) -> None:
    hour = timedelta(hours=1)
    assert retention.take(db, NOW, hour)
    assert not retention.take(db, later(seconds), hour)
    assert retention.go_on(db, NOW, later(60))
    assert not retention.go_on(db, NOW, later(61))
    assert retention.take(db, later(60 + 3600), hour)
