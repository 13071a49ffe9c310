"""What comes right before and right after runs and batches."""

from __future__ import annotations

import pytest
from samples import new, put

from jobrunner.domain.chain import Kind, Step
from jobrunner.domain.job import When
from jobrunner.store import Database
from jobrunner.store.runs import add, chain


def run(number: int, when: When | None = None) -> Step:
    return Step(Kind.RUN, number, when)


def batch(number: int, when: When | None = None) -> Step:
    return Step(Kind.BATCH, number, when)


def test_runs_that_follow_runs(db: Database) -> None:
    first, other = put(db), put(db)
    child = put(db, "child", parents=(first, other), when=When.DONE)
    assert chain.before(db, run(child), 9) == [run(first), run(other)]
    assert chain.before(db, run(child), 1) == [run(first)]
    assert chain.after(db, run(first), 9) == [run(child, When.DONE)]
    assert chain.after(db, run(child), 9) == []
    assert chain.terms(db, child) is When.DONE
    assert chain.terms(db, first) is None


def test_what_follows_a_batch_follows_its_members(db: Database) -> None:
    number, _ = add.add_batch(db, new("member"), "load", [("{}", None)] * 3, [new("then", when=When.SUCCESS)])
    members = [row[0] for row in db.execute("SELECT id FROM runs WHERE batch_id = ? ORDER BY id", (number,))]
    (then,) = (row[0] for row in db.execute("SELECT id FROM runs WHERE after_batch_id = ?", (number,)))
    assert chain.after(db, run(members[0]), 9) == [batch(number, When.DONE)]
    assert chain.after(db, batch(number), 9) == [run(then, When.SUCCESS)]
    assert chain.before(db, run(then), 9) == [batch(number)]
    assert chain.before(db, batch(number), 9) == []


@pytest.mark.parametrize("size", [1, 20])
def test_a_batch_that_follows_a_run_is_one_step(db: Database, size: int) -> None:
    parent = put(db)
    number, _ = add.add_batch(db, new("member", parents=(parent,)), "load", [("{}", None)] * size, [])
    assert chain.after(db, run(parent), 9) == [batch(number, When.SUCCESS)]
    assert chain.before(db, batch(number), 9) == [run(parent)]


def test_a_batch_that_nothing_follows_is_no_step(db: Database) -> None:
    number, _ = add.add_batch(db, new("member"), "load", [("{}", None)] * 3, [])
    (member, *_) = (row[0] for row in db.execute("SELECT id FROM runs WHERE batch_id = ?", (number,)))
    assert chain.after(db, run(member), 9) == []
