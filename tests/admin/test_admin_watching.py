"""What the dashboard asks again and again, and what it does to many runs at once, on both databases."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from bench import history
from jobrunner import wiring
from jobrunner.admin import Admin
from jobrunner.domain.bulk import Canary
from jobrunner.domain.filter import RunFilter
from jobrunner.domain.run import Run
from jobrunner.domain.state import RunState
from jobrunner.errors import Interrupted, NotFound
from jobrunner.store import open_store

RUNS = 3_000


@pytest.fixture(params=["sqlite", "postgresql"])
def admin(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Admin]:
    """A project with a history."""
    store = request.getfixturevalue("new_schema")() if request.param == "postgresql" else None
    path = history.make(tmp_path, jobs=30, runs=RUNS, lines=10_000, store=store)
    with wiring.open_admin(path) as admin:
        yield admin


def test_tags_are_those_of_the_file(admin: Admin) -> None:
    page = admin.page(admin.filter("tag:etl"))
    assert {run.job for run in page.rows} == {"etl-00001", "etl-00011", "etl-00021"}
    assert [run.id for run in admin.runs(RunFilter(terms=admin.terms("tag:etl"), limit=100))] == [
        run.id for run in page.rows
    ]
    others = admin.page(admin.filter("!tag:etl"))
    assert not {run.job for run in page.rows} & {run.job for run in others.rows}
    assert admin.page(admin.filter("tag:nobody-has-it")).rows == ()


def test_what_is_new_and_about_how_many(admin: Admin) -> None:
    wanted = RunFilter()
    assert admin.newer(wanted, RUNS) == 0
    assert admin.newer(wanted, RUNS - 7) == 7
    assert admin.newer(wanted, 1) == 100
    assert admin.newer(admin.filter("state:running"), 1) == 8
    assert admin.runs_about() == RUNS


def test_names_to_complete_with(admin: Admin) -> None:
    known = admin.filter_names()
    assert len(known.jobs) == 30
    assert "etl" in known.tags
    assert known.queues == ("critical", "default", "low")
    assert {"web1", "web2"} <= set(known.servers)


def long_one(admin: Admin) -> Run:
    """The run with the long output."""
    runs = admin.page(admin.filter("state:succeeded")).rows
    return next(run for run in runs if run.attempt == 1)


def test_output_comes_as_it_is_kept(admin: Admin) -> None:
    run = long_one(admin)
    whole = b"".join(part.data for part in admin.output(run.id))
    first = admin.more_output(run.id)
    assert first.attempt == 1
    assert b"".join(chunk.data for chunk in first.chunks) == whole
    assert not first.ended
    last = admin.more_output(run.id, 1, first.place)
    assert last == ((), first.place, 1, True)
    for chunk in first.chunks:
        assert sum(size for _, _, size in chunk.segments) == len(chunk.data)
        assert {stream for stream, _, _ in chunk.segments} == {0, 1}
    assert [chunk.start for chunk in first.chunks][:2] == [0, len(first.chunks[0].data)]
    parts, kept = list(first.parts()), list(admin.output(run.id))
    assert parts == kept
    times = [at for chunk in first.chunks for _, at, _ in chunk.segments]
    assert times == sorted(times)


def test_output_of_what_is_not_there(admin: Admin) -> None:
    queued = admin.page(admin.filter("state:queued"), n=1).rows[0]
    assert admin.more_output(queued.id)[::2] == ((), 0)
    with pytest.raises(NotFound, match="has no attempt 1"):
        admin.more_output(queued.id, 1)
    with pytest.raises(NotFound, match="no run 99999"):
        admin.more_output(99_999)


def test_a_change_by_another_is_signalled(admin: Admin) -> None:
    changes = admin.changes()
    assert changes.wait(0)  # the first time there is always something to see
    while changes.wait(0):
        pass
    done = threading.Event()

    def other() -> None:
        db = open_store(admin.settings.store)
        db.execute("UPDATE runs SET error = 'changed' WHERE id = 1")
        db.close()
        done.set()

    thread = threading.Thread(target=other)
    thread.start()
    assert changes.wait(30)
    thread.join()
    changes.close()


def test_a_poke_ends_the_wait(admin: Admin) -> None:
    changes = admin.changes()
    while changes.wait(0):
        pass
    thread = threading.Timer(0.05, changes.poke)
    thread.start()
    assert not changes.wait(600)
    thread.join()
    changes.poke()
    assert not changes.wait(600)  # one that came before the wait ends it, too
    changes.close()


def test_a_question_is_broken_off(admin: Admin) -> None:
    db = admin._context.db
    slow = {
        "sqlite": "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n",
        "postgresql": "SELECT pg_sleep(600)",
    }[db.dialect]
    begun = threading.Event()

    def interrupt() -> None:
        begun.wait(30)
        while not over.wait(0.05):
            admin.interrupt()

    over = threading.Event()
    thread = threading.Thread(target=interrupt)
    thread.start()
    with admin.interruptible(), pytest.raises(Interrupted), db.snapshot():
        (begun.set(), db.execute(slow).fetchall())
    over.set()
    thread.join()
    assert admin.run(1).id == 1  # what is asked afterwards is answered
    with admin.interruptible():
        assert admin.page(RunFilter()).rows


def test_between_two_statements_it_is_broken_off_too(admin: Admin) -> None:
    with admin.interruptible():
        admin.interrupt()
        with pytest.raises(Interrupted):
            admin.page(RunFilter())
    admin.interrupt()
    assert admin.page(RunFilter()).rows


def ids(admin: Admin, text: str, n: int = 500) -> list[int]:
    return [run.id for run in admin.page(admin.filter(text), n=n).rows]


def test_many_runs_are_each_retried_or_refused(admin: Admin) -> None:
    failed, seen = ids(admin, "state:failed"), list[int]()
    assert len(failed) > 100
    wanted = [*failed[:-1], 99_999, 1_000_000, *ids(admin, "state:succeeded", 2), failed[-1], failed[-1]]
    done = admin.retry_each(wanted, seen.append)
    assert [each.run_id for each in done] == wanted
    assert [each.run_id for each in done if each.run is not None] == failed
    assert all(each.run.state in (RunState.QUEUED, RunState.WAITING) for each in done if each.run is not None)
    assert [type(each.error).__name__ for each in done if each.error] == ["NotFound"] * 2 + ["Refused"] * 3
    assert seen == [*range(100, len(wanted), 100), len(wanted)]
    trail = admin.audit(None, len(wanted))
    assert {entry.action for entry in trail} == {"retry"}
    assert [entry.target for entry in reversed(trail)] == [f"run {run_id}" for run_id in wanted]
    assert [entry.outcome == "done" for entry in reversed(trail)] == [each.run is not None for each in done]


def test_many_runs_are_cancelled_and_discarded(admin: Admin) -> None:
    queued, dead = ids(admin, "state:queued"), ids(admin, "dead")
    assert {each.run.state for each in admin.cancel_each(queued) if each.run} == {RunState.CANCELLED}
    running = admin.cancel_each(ids(admin, "state:running"), now=True)
    assert all(each.run is not None and each.run.cancelling for each in running)
    assert [each.run_id for each in admin.discard_each(dead) if each.run] == dead
    assert ids(admin, "dead") == []


def test_a_retry_keeps_the_number_of_retries_of_its_job(admin: Admin) -> None:
    failed = ids(admin, "state:failed")
    done = admin.retry_each(failed)
    retries = {status.job.name: status.job.retry.retries for status in admin.jobs()}
    assert [each.run.max_attempts for each in done if each.run] == [
        each.run.attempt + 1 + retries[each.run.job] for each in done if each.run
    ]


def finish(admin: Admin, run_id: int, state: str) -> None:
    admin._context.db.execute("UPDATE runs SET state = ?, attempt = attempt + 1 WHERE id = ?", (state, run_id))


def canary(admin: Admin, run_ids: list[int], at_first: Callable[[int], None]) -> tuple[Canary, list[Canary]]:
    """Retries them; ``at_first`` is called, as by somebody else, when the first one has been retried."""
    steps = list[Canary]()

    def progress(step: Canary) -> None:
        steps.append(step)
        if len(steps) == 1 and step.first is not None:
            at_first(step.first.id)

    return admin.retry_canary(run_ids, progress=progress), steps


def test_the_rest_follows_a_canary_that_succeeds(admin: Admin) -> None:
    succeeded, failed = ids(admin, "state:succeeded", 1), ids(admin, "state:failed", 5)
    end, steps = canary(admin, [*succeeded, *failed], lambda run_id: finish(admin, run_id, "succeeded"))
    assert [each.run_id for each in end.refused] == succeeded
    assert end.first is not None
    assert end.first.id == failed[0]
    assert [each.run_id for each in end.rest if each.run] == failed[1:]
    assert (end.total, end.held, end.ended, end.stopped) == (6, (), True, False)
    assert steps[0].held == tuple(failed[1:])
    assert steps[-1] == end


def test_the_rest_is_left_alone_after_a_canary_that_fails(admin: Admin) -> None:
    failed = ids(admin, "state:failed", 5)
    end, _ = canary(admin, failed, lambda run_id: finish(admin, run_id, "failed"))
    assert end.first is not None
    assert end.first.state is RunState.FAILED
    assert (end.rest, end.held, end.ended) == ((), tuple(failed[1:]), True)
    assert {run.state for run in map(admin.run, failed)} == {RunState.FAILED}


def test_a_canary_is_stopped(admin: Admin) -> None:
    failed = ids(admin, "state:failed", 5)
    end = admin.retry_canary(failed, stopped=lambda: True)
    assert end.stopped
    assert end.held == tuple(failed[1:])
    assert {admin.run(run_id).state for run_id in failed[1:]} == {RunState.FAILED}


def test_a_canary_of_what_cannot_be_retried(admin: Admin) -> None:
    end = admin.retry_canary(ids(admin, "state:succeeded", 3))
    assert (end.first, len(end.refused), end.held, end.ended) == (None, 3, (), True)
