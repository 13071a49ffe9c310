"""What a server has to write: its order, and what becomes of an operation that fails or gives way."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from samples import ending, put, serve, start, states

from jobrunner.domain.state import Ready
from jobrunner.errors import StoreUnavailable
from jobrunner.queue.operations import End, Operation, Operations, Submitted
from jobrunner.store import Database
from jobrunner.store.database import Collision


class Written(list[str]):
    """Operations that note that they were done."""

    def operation(self, name: str) -> Operation:
        def note(_: Database) -> Sequence[Ready]:
            self.append(name)
            return ()

        return note


def test_ends_of_batches_come_last_and_by_batch(sqlite_db: Database) -> None:
    written, operations = Written(), Operations()
    for name, batch in (("b3", 3), ("first", None), ("b1", 1), ("b3 again", 3), ("second", None)):
        operations.add(Submitted(written.operation(name), batch=batch))
    assert operations.take()
    operations.add(Submitted(written.operation("b2"), batch=2))
    assert (len(operations), operations.fresh) == (6, True)
    operations.take()
    operations.write(sqlite_db)
    assert written == ["first", "second", "b1", "b2", "b3", "b3 again"]
    operations.committed()
    assert (len(operations), operations.take()) == (0, False)


def test_many_are_written_in_parts_and_in_their_order(sqlite_db: Database) -> None:
    written, operations = Written(), Operations()
    names = [f"operation {n}" for n in range(150)]
    for name in names:
        operations.add(Submitted(written.operation(name)))
    parts = list[int]()
    while operations.take():
        before = len(written)
        operations.write(sqlite_db)
        operations.committed()
        parts.append(len(written) - before)
    assert (parts, written) == ([64, 64, 22], names)


def test_what_comes_after_ends_finds_them_written_and_what_came_before_does_not(sqlite_db: Database) -> None:
    operations, server = Operations(), serve(sqlite_db)
    runs = [put(sqlite_db) for _ in range(3)]
    one, two, three = (End(ending(start(sqlite_db, run, server), server)) for run in runs)
    seen = list[list[str]]()

    def look(db: Database) -> Sequence[Ready]:
        seen.append(states(db, *runs))
        return ()

    for operation in (look, one, two, look, three, look):
        operations.add(Submitted(operation))
    operations.take()
    operations.write(sqlite_db)
    done = "succeeded"
    assert seen == [["running"] * 3, [done, done, "running"], [done] * 3]


def test_one_that_gives_way_again_and_again_is_kept(sqlite_db: Database) -> None:
    operations = Operations()

    def collides(_: Database) -> Sequence[Ready]:
        raise Collision("deadlock")

    operations.add(Submitted(collides))
    operations.take()
    with pytest.raises(StoreUnavailable):
        operations.write_singly(sqlite_db)
    assert len(operations) == 1
