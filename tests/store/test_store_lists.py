"""Runs as people read them: lists newest first by every filter, latest per job, ids; queues, audit, definitions."""

from __future__ import annotations

import pytest
from samples import NOW, end, later, new, put, run_to, serve, start

from jobrunner.domain.filter import RunFilter
from jobrunner.domain.queue import Pause
from jobrunner.domain.state import RunState
from jobrunner.store import Database, audit, definitions, pauses, queues
from jobrunner.store.runs import add, claim, read, steer


def listed(db: Database, **wanted: object) -> list[int]:
    return [run.id for run in read.find(db, RunFilter(**wanted))]


@pytest.fixture
def one_of_each(db: Database) -> dict[RunState, int]:
    """A run in every state, of the jobs ``even`` and ``odd`` in turn."""
    from datetime import timedelta

    server = serve(db)
    made = {}
    for number, state in enumerate(RunState):
        job = "odd" if number % 2 else "even"
        changes: dict[str, object] = {}
        if state is RunState.SCHEDULED:
            changes = {"run_after": later(99)}
        elif state is RunState.WAITING:
            changes = {"parents": (put(db, "parent", run_after=later(99)),)}
        elif state is RunState.EXPIRED:
            changes = {"expires": timedelta(0)}
        made[state] = put(db, job, **changes)
        match state:
            case RunState.RUNNING:
                start(db, made[state], server)
            case RunState.SUCCEEDED | RunState.FAILED | RunState.RETRYING:
                run_to(db, made[state], server, state)
            case RunState.CANCELLED:
                steer.cancel(db, made[state], at_once=False, now=NOW)
            case RunState.SKIPPED:
                db.execute("UPDATE runs SET state = 'skipped' WHERE id = ?", (made[state],))
            case RunState.EXPIRED:
                claim.expire(db, NOW)
    return made


class TestFilters:
    @pytest.mark.parametrize("state", list(RunState))
    def test_by_state(self, db: Database, one_of_each: dict[RunState, int], state: RunState) -> None:
        assert one_of_each[state] in listed(db, states=(state,))
        assert {run.state for run in read.find(db, RunFilter(states=(state,)))} == {state}

    def test_by_states_of_different_indexes(self, db: Database, one_of_each: dict[RunState, int]) -> None:
        wanted = (RunState.FAILED, RunState.RUNNING, RunState.QUEUED, RunState.SUCCEEDED, RunState.WAITING)
        assert listed(db, states=wanted) == sorted((one_of_each[state] for state in wanted), reverse=True)
        assert listed(db, states=wanted, limit=2) == listed(db, states=wanted)[:2]

    def test_by_state_and_job(self, db: Database, one_of_each: dict[RunState, int]) -> None:
        for number, (state, run_id) in enumerate(one_of_each.items()):
            job, other = ("odd", "even") if number % 2 else ("even", "odd")
            assert listed(db, jobs=(job,), states=(state,)) == [run_id]
            assert listed(db, jobs=(other,), states=(state,)) == []
            assert listed(db, jobs=(other, job), states=(state,)) == [run_id]

    def test_by_job(self, db: Database, one_of_each: dict[RunState, int]) -> None:
        both = listed(db, jobs=("even", "odd"))
        assert both == sorted(one_of_each.values(), reverse=True)
        assert listed(db, jobs=("none",)) == []

    def test_everything_is_newest_first_and_at_most_so_many(self, db: Database) -> None:
        ids = [put(db) for _ in range(60)]
        assert listed(db) == ids[:-51:-1]
        assert listed(db, limit=0) == ids[::-1]
        assert listed(db, limit=3) == ids[:-4:-1]

    def test_pages_leave_nothing_out(self, db: Database) -> None:
        add.add_batch(db, new(), "many", [("{}", None)] * 2_500, [])
        assert listed(db, limit=0) == list(range(2_500, 0, -1))
        assert listed(db, states=(RunState.QUEUED,), limit=0) == list(range(2_500, 0, -1))
        assert listed(db, batch=1, limit=0) == list(range(2_500, 0, -1))

    def test_since_a_time(self, db: Database) -> None:
        ids = [put(db, created_at=later(seconds)) for seconds in (0, 100, 90, 200)]
        assert listed(db, since=later(100)) == [ids[3], ids[1]]
        assert listed(db, since=later(90), limit=2) == [ids[3], ids[2]]
        assert listed(db, since=later(0)) == ids[::-1]
        assert listed(db, since=later(201)) == []

    def test_dead_letters(self, db: Database) -> None:
        server = serve(db)
        ids = [put(db, job) for job in ("a", "b", "a")]
        for run_id in ids:
            run_to(db, run_id, server, RunState.FAILED)
        put(db)
        assert listed(db, dead=True) == ids[::-1]
        assert listed(db, dead=True, jobs=("a",)) == [ids[2], ids[0]]
        assert listed(db, dead=True, states=(RunState.FAILED,), limit=1) == [ids[2]]
        assert listed(db, dead=True, states=(RunState.CANCELLED,)) == []

    def test_a_list_names_servers_and_reads_no_definitions(self, db: Database) -> None:
        server = serve(db, "blue")
        start(db, put(db), server)
        (run,) = read.find(db, RunFilter())
        assert (run.server, run.definition, run.attempts) == ("blue", None, ())


def test_the_latest_run_of_each_job(db: Database) -> None:
    put(db, "a")
    newest = [put(db, "a"), put(db, "b")]
    found = read.latest(db, ["a", "b", "never"])
    assert {job: run.id for job, run in found.items()} == {"a": newest[0], "b": newest[1]}


def test_the_newest_ids(db: Database) -> None:
    ids = [put(db) for _ in range(5)]
    assert read.ids(db, 3) == ids[:1:-1]


def test_what_stands_in_the_queues(db: Database) -> None:
    server = serve(db)
    for seconds in (-30, -10):
        put(db, created_at=later(seconds))
    start(db, put(db, queue="low"), server)
    put(db, queue="low", run_after=later(60))
    put(db, queue="gone", parents=(1,))
    retrying = put(db, queue="low", max_attempts=2)
    run_to(db, retrying, server, RunState.RETRYING, run_after=later(60))
    pauses.pause(db, Pause(scope="queue", name="low", who="ana", since=NOW, until=None, reason=""))
    found = {queue.name: queue for queue in queues.statuses(db, ["default", "low", "empty"], {"low": 4}, NOW)}
    assert list(found) == ["default", "empty", "gone", "low"]
    default, low, gone, empty = (found[name] for name in ("default", "low", "gone", "empty"))
    assert (default.queued, default.oldest_wait, default.paused, default.max_running) == (2, 30.0, False, None)
    assert (low.queued, low.running, low.scheduled, low.retrying) == (0, 1, 1, 1)
    assert (low.oldest_wait, low.paused, low.max_running) == (None, True, 4)
    assert (gone.waiting, empty.queued, empty.oldest_wait) == (1, 0, None)


class TestAudit:
    def record(self, db: Database, count: int) -> None:
        for number in range(count):
            audit.record(
                db,
                at=later(number),
                who="ana",
                host="here",
                action="cancel",
                target=f"run {number}",
                detail="now",
                outcome="done",
            )

    def test_an_entry_comes_back_as_it_was_written(self, db: Database) -> None:
        self.record(db, 1)
        (entry,) = audit.find(db, None, 0)
        assert (entry.id, entry.at, entry.who, entry.host) == (1, NOW, "ana", "here")
        assert (entry.action, entry.target, entry.detail, entry.outcome) == ("cancel", "run 0", "now", "done")

    def test_newest_first_up_to_a_limit_and_since_a_time(self, db: Database) -> None:
        with db.transaction():
            self.record(db, 1_203)
        assert [entry.target for entry in audit.find(db, None, 2)] == ["run 1202", "run 1201"]
        assert len(audit.find(db, None, 0)) == 1_203
        assert [entry.target for entry in audit.find(db, later(1_201), 0)] == ["run 1202", "run 1201"]
        assert len(audit.find(db, later(600), 0)) == 603

    def test_it_belongs_to_the_transaction_of_its_action(self, db: Database) -> None:
        def act() -> None:
            with db.transaction():
                self.record(db, 1)
                raise ValueError("boom")

        with pytest.raises(ValueError, match="boom"):
            act()
        assert audit.find(db, None, 0) == []


class TestDefinitions:
    def test_each_is_kept_once_and_found_by_its_number(self, db: Database) -> None:
        number = definitions.keep(db, "a", '{"command":["true"]}')
        assert definitions.keep(db, "a", '{"command":["true"]}') == number
        assert definitions.keep(db, "b", '{"command":["true"]}') != number
        assert definitions.body(db, number) == '{"command":["true"]}'
        assert definitions.body(db, 5) is None
        assert db.execute("SELECT count(*) FROM definitions").fetchone() == (2,)

    def test_numbers_are_the_same_in_every_store(self) -> None:
        assert definitions.number("a", "b") == 6_032_278_102_983_363_503
        assert 0 <= definitions.number("x", "y") < 2**63

    def test_a_run_keeps_the_one_that_it_was_created_with(self, db: Database) -> None:
        first, second = put(db, definition="old"), put(db, definition="new")
        assert (read.get(db, first).definition, read.get(db, second).definition) == ("old", "new")
        server = serve(db)
        claimed = start(db, first, server)
        assert definitions.body(db, claimed.definition_id) == "old"
        end(db, claimed, server)
