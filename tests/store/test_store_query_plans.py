"""Every statement that runs often finds its rows by an index, with 200,000 finished runs in the store.

The statements are collected while the store's own functions run, through peewee's query hook, and SQLite explains each
of them with the values that it was run with.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import timedelta
from itertools import islice

import pytest
from samples import NOW, end, ending, later, missed, new, put, serve, start, take

from jobrunner.domain.chain import Kind, Step
from jobrunner.domain.filter import RunFilter
from jobrunner.domain.job import Overlap, When
from jobrunner.domain.lanes import Window
from jobrunner.domain.queue import Pause
from jobrunner.domain.retention import Retention
from jobrunner.domain.run import Progress
from jobrunner.domain.server import Server
from jobrunner.domain.state import FINAL, RunState, Trigger
from jobrunner.store import (
    Database,
    audit,
    backfills,
    batches,
    decisions,
    definitions,
    due_fires,
    durations,
    fires,
    happened,
    lanes,
    line,
    listeners,
    open_store,
    outlook,
    output,
    pauses,
    queues,
    retention,
    schedules,
    servers,
    versions,
)
from jobrunner.store.output import Place, Row, Segment
from jobrunner.store.runs import add, chain, claim, exceptions, finish, of_jobs, read, recent, steer, under_way
from jobrunner.store.runs.unclaim import unclaim

FINISHED = 200_000
MICROS = 1_000_000
LONG_AGO = int(NOW.timestamp()) * MICROS - 10**12


@pytest.fixture(scope="session")
def full_url(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A store with many finished runs, of 50 jobs, in 200 batches, with attempts, output, dead letters."""
    url = f"sqlite:///{tmp_path_factory.mktemp('full') / 'jobrunner.db'}"
    db = open_store(url, durability="normal")
    db.execute("PRAGMA synchronous = off")
    with db.transaction():
        db.execute(
            "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?)"
            " INSERT INTO runs (job, definition_id, state, attempt, max_attempts, queue, priority, source, params,"
            " created_at, run_after, started_at, finished_at, server_id, batch_id, fire_time, unique_key, dead)"
            " SELECT 'job' || (i % 50), 1, CASE WHEN i % 100 = 0 THEN 'failed' WHEN i % 333 = 0 THEN 'skipped'"
            " ELSE 'succeeded' END, 1, 1, 'default', 0, 'schedule', '{}', ? + i, ? + i, ? + i, ? + i, i % 7,"
            " CASE WHEN i % 10 = 0 THEN i / 1000 END, ? + i, 'key' || i, i % 1000 = 0 FROM n",
            (FINISHED, *[LONG_AGO] * 5),
        )
        db.execute(
            "INSERT INTO attempts (run_id, number, server_id, started_at, finished_at, outcome)"
            " SELECT id, 1, server_id, started_at, finished_at, 'succeeded' FROM runs"
        )
        db.execute("INSERT INTO run_parents (parent_id, child_id) SELECT id, id + 1 FROM runs WHERE id % 10 = 0")
        db.execute(
            "INSERT INTO batches (id, name, created_at, finished_at) SELECT id, 'b', 1, 2 FROM runs WHERE id <= 201"
        )
        db.execute(
            "INSERT INTO output (run_id, attempt, seq, start, segments, data)"
            " SELECT id, 1, 0, 0, '[0,[[0,0,3]]]', x'414243' FROM runs WHERE id % 10 = 0"
        )
        db.execute(
            "INSERT INTO audit (at, who, host, action, target, detail, outcome)"
            " SELECT id, 'ana', 'here', 'cancel', 'run', '', 'done' FROM runs WHERE id % 10 = 0"
        )
    db.close()
    return url


@pytest.fixture
def full(full_url: str) -> Iterator[Database]:
    """The store with many runs; what a test does to it is undone."""
    db = open_store(full_url)
    db.execute("BEGIN")
    db._open.transaction = True
    yield db
    db._open.transaction = False
    db.execute("ROLLBACK")
    db.close()


PAUSE = Pause(scope="job", name="job1", who="ana", since=NOW, until=None, reason="")
ROW = Row(0, 0, (Segment(0, NOW, 1),), b"x")
FEW = {"runs_queue", "runs_running", "runs_waiting", "runs_active", "runs_timed", "runs_dead", "servers_live"}
"""Partial indexes that may be walked whole: what they hold is at work, or waits for a person."""
SMALL = {"pauses", "schedules", "servers", "item", "latest", "each", "CONSTANT"}
"""Tables of a few rows, and what was limited to a few before."""
KEY = "INTEGER PRIMARY KEY"
FOLLOWING = {"runs_waiting", "runs_batch", "runs_dead"}
"""What is looked into at every end."""


def plans(db: Database, action: Callable[[], object]) -> dict[str, list[str]]:
    """The statements that an action runs, each with the steps of its plan."""
    ran = dict[str, object]()
    hooks = db._connections.query_hooks
    hooks.append(lambda event: ran.setdefault(event.sql, event.params))
    try:
        action()
    finally:
        hooks.clear()
    return {
        sql: [row[3] for row in db.execute(f"EXPLAIN QUERY PLAN {sql}", params)]
        for sql, params in ran.items()
        if re.match("SELECT|UPDATE|INSERT|DELETE|WITH", sql)
    }


def faults(found: dict[str, list[str]], *, sorts: bool) -> list[str]:
    """The steps that grow with the history."""
    return [f"{step}: {sql}" for sql, steps in found.items() for step in steps if _grows(step, sorts=sorts)]


def _grows(step: str, *, sorts: bool) -> bool:
    if "TEMP B-TREE" in step:
        return not sorts
    scan = re.match(r"SCAN (?:\d+ (?=CONSTANT))?(\w+)(?: USING (?:COVERING )?INDEX (\w+))?", step)
    return scan is not None and scan[1] not in SMALL and scan[2] not in FEW


def used(found: dict[str, list[str]]) -> set[str]:
    """The indexes of runs that were used; ``KEY`` for the primary key of any table."""
    steps = " ".join(step for steps in found.values() for step in steps)
    return set(re.findall(r"\b(runs_\w+|INTEGER PRIMARY KEY)", steps))


def servers_of(db: Database) -> list[Server]:
    return servers.find(db, NOW)


FIRES = {KEY, "runs_fire", "runs_active"}


def _due(job: str) -> schedules.Fire:
    run = new(job, trigger=Trigger.SCHEDULE, fire_time=later(9))
    return schedules.Fire(run=run, schedule=1, overlap=Overlap.SKIP)


def _fire(db: Database, overlap: Overlap) -> None:
    run = new("job1", trigger=Trigger.SCHEDULE, fire_time=later(9), unique_key="key77")
    schedules.fire(db, schedules.Fire(run=run, schedule=1, overlap=overlap), NOW)


Case = tuple[Callable[[Database, int], object], set[str]]

WRITES: dict[str, Case] = {
    "add": (lambda db, _: put(db), {KEY}),
    "add unique": (lambda db, _: put(db, unique_key="key5"), {KEY, "runs_unique"}),
    "add unique for a time": (
        lambda db, _: put(db, unique_key="key5", unique_for=timedelta(minutes=1)),
        {KEY, "runs_unique"},
    ),
    "add a child": (lambda db, _: put(db, parents=(5, 6)), {KEY}),
    "add a batch": (lambda db, _: add.add_batch(db, new(), "b", [("{}", None)] * 9, [new("then")]), set()),
    "claim": (lambda db, server: take(db, server, queues=("high", "default"), limit=8), {KEY, "runs_queue"}),
    "claim by name": (
        lambda db, server: claim.claim_named(db, server_id=server, wanted=[(200_001, 0)], now=NOW),
        {KEY},
    ),
    "ends of several": (
        lambda db, server: finish.finish_all(db, [ending(run, server) for run in take(db, server, limit=8)]),
        {KEY, "runs_queue"} | FOLLOWING,
    ),
    "claim ahead": (
        lambda db, server: claim.claim_ahead(
            db, server_id=server, queues=["default"], limit=9, now=NOW, reach=lambda jobs: len(jobs)
        ),
        {KEY, "runs_queue"},
    ),
    "unclaim": (
        lambda db, server: unclaim(db, take(db, server, queues=["default"], limit=2), server_id=server, now=NOW),
        {KEY, "runs_queue"},
    ),
    "fires of one moment": (lambda db, _: due_fires.fire_all(db, [_due("job8"), _due("job9")], NOW), FIRES),
    "promote": (lambda db, _: claim.promote(db, later(99)), {KEY, "runs_timed"}),
    "expire": (lambda db, _: claim.expire(db, later(99)), {KEY, "runs_startable"} | FOLLOWING),
    "progress": (
        lambda db, server: finish.report_progress(db, 200_002, 1, server, Progress(done=1)),
        {KEY},
    ),
    "write output": (lambda db, server: output.write(db, 200_002, 1, server, [ROW], drop=(0, 1)), {KEY}),
    "fire": (lambda db, _: _fire(db, Overlap.ALLOW), {"runs_fire", "runs_unique"}),
    "fire beside an active run": (
        lambda db, _: _fire(db, Overlap.SKIP),
        {KEY, "runs_fire", "runs_unique", "runs_active"},
    ),
    "fire in place of another": (
        lambda db, _: _fire(db, Overlap.REPLACE),
        {KEY, "runs_fire", "runs_unique", "runs_active"} | FOLLOWING,
    ),
    "pause": (lambda db, _: pauses.pause(db, PAUSE), {"runs_active"}),
    "resume": (
        lambda db, _: (pauses.pause(db, PAUSE), pauses.resume(db, "job", "job1", NOW)),
        {KEY, "runs_active", "runs_waiting"},
    ),
    "cancel": (lambda db, _: steer.cancel(db, 200_001, at_once=False, now=NOW), {KEY} | FOLLOWING),
    "retry": (lambda db, _: steer.retry(db, 1000, retries=0, now=NOW), {KEY, "runs_after_batch", "runs_unique"}),
    "discard": (lambda db, _: steer.discard(db, 1000), {KEY}),
    "heartbeat": (lambda db, server: servers.heartbeat(db, server, busy=1, now=NOW), {KEY}),
}

READS: dict[str, Case] = {
    "is there anything to do": (
        lambda db, _: claim.anything_to_claim(db, NOW, ["high", "default"]),
        {"runs_queue", "runs_timed", "runs_startable"},
    ),
    "when is the next due": (lambda db, _: claim.next_due(db), {"runs_timed"}),
    "before a claim": (lambda db, server: outlook.outlook(db, server, ["high", "default"]), {KEY, "runs_timed"}),
    "queued": (
        lambda db, _: claim.queued(db, "default", after=claim.queued(db, "default")[0]),
        {"runs_queue"},
    ),
    "count queued": (lambda db, _: claim.count_queued(db), {"runs_queue"}),
    "cancels": (lambda db, server: steer.cancels(db, server), {"runs_running"}),
    "in the hands of a server": (lambda db, server: servers.running_runs(db, server), {"runs_running"}),
    "state": (lambda db, _: read.state(db, 77), {KEY}),
    "what a batch follows": (lambda db, _: chain.before(db, Step(Kind.BATCH, 5), 9), {KEY, "runs_batch"}),
    "what follows a batch": (lambda db, _: chain.after(db, Step(Kind.BATCH, 5), 9), {"runs_after_batch"}),
    "latest of jobs": (lambda db, _: read.latest(db, ["job1", "job2"]), {KEY, "runs_job"}),
    "durations": (lambda db, _: durations.measured(db, ["job1", "job2"]), {"runs_job"}),
    "output": (lambda db, _: output.read(db, 10, 1, place=Place()), set()),
    "output from its end": (lambda db, _: list(output.newest(db, 10, 1)), set()),
    "batch": (lambda db, _: batches.get(db, 5), {KEY, "runs_batch"}),
    "has a batch ended": (lambda db, _: batches.finished(db, 5), {KEY}),
    "audit": (lambda db, _: audit.find(db, None, 5), {KEY}),
    "definition": (lambda db, _: definitions.body(db, 1), {KEY}),
    "what people did to a run": (lambda db, _: audit.steered(db, ["run 7", "batch b1"]), set()),
    "active runs of a job": (lambda db, _: read.active(db, "job1"), {KEY, "runs_active"}),
    "some runs": (lambda db, _: read.some(db, [3, 4]), {KEY}),
    "runs by fire time": (lambda db, _: list(fires.runs(db, "job1", 0, LONG_AGO + 9_000)), {"runs_fire"}),
    "decisions by fire time": (lambda db, _: list(fires.decided(db, "job1", 0, LONG_AGO)), set()),
    "runs of a window to backfill": (
        lambda db, _: backfills.answered(db, "job1", NOW - timedelta(days=12), NOW),
        {"runs_fire"},
    ),
    "jobs that ever fired": (lambda db, _: fires.jobs(db), {"runs_fire"}),
    "the run of a fire": (lambda db, _: fires.run_at(db, "job1", NOW), {"runs_fire"}),
    "the last answer": (lambda db, _: fires.last_answered(db, "job1", NOW), {"runs_fire"}),
    "how far a job was attended to": (lambda db, _: fires.attended_of(db, "job1"), set()),
    "the version at a moment": (lambda db, _: versions.at(db, "job1", NOW), {KEY}),
    "the success before": (lambda db, _: read.success_before(db, read.some(db, [51])[0]), {KEY, "runs_job"}),
    "terms": (lambda db, _: line.terms(db, 77), {KEY}),
    "who listens": (lambda db, _: listeners.wakes(db), set()),
    "who lives": (lambda db, _: servers.peers(db), {"runs_running"}),
    "runs of dead servers": (lambda db, _: servers.stranded(db, NOW), {KEY, "runs_running"}),
    "whether anything fires": (lambda db, _: servers.have_schedules(db), set()),
    "how many dead letters": (lambda db, _: read.dead_count(db), {"runs_dead"}),
    "all runs": (lambda db, _: read.find(db, RunFilter()), {KEY}),
    "runs of a job": (lambda db, _: read.find(db, RunFilter(jobs=("job1",))), {KEY, "runs_job"}),
    "runs of a batch": (lambda db, _: read.find(db, RunFilter(batch=5)), {KEY, "runs_batch"}),
    "failed runs of a batch": (
        lambda db, _: read.find(db, RunFilter(batch=5, states=(RunState.FAILED,))),
        {KEY, "runs_batch"},
    ),
}

READS |= {
    "counts": (lambda db, _: under_way.counts(db, 190_000), {"runs_queue", "runs_running", "runs_dead", "runs_listed"}),
    "the first of a day": (lambda db, _: under_way.Since(timedelta(days=1)).first(db, NOW), {KEY}),
    "running now": (lambda db, _: under_way.running(db, 50), {KEY, "runs_running"}),
    "in line": (lambda db, _: under_way.in_line(db, "default", 50), {KEY, "runs_queue"}),
    "failed lately": (lambda db, _: under_way.failed(db, 50), {KEY, "runs_listed"}),
    "servers lately": (lambda db, _: happened.servers(db, 50), set()),
    "files lately": (lambda db, _: happened.files(db, 5), set()),
    "decisions lately": (lambda db, _: decisions.newest(db, 50), set()),
    "rows of a day": (lambda db, _: recent.rows(db, 199_000, 200_000), {KEY}),
    "what has not succeeded in a day": (lambda db, _: list(recent.others(db, 199_000, 200_000)), {KEY}),
    "rows by id": (lambda db, _: list(recent.some(db, [1, 2, 3])), {KEY}),
    "what has not ended": (lambda db, _: recent.unended(db), {"runs_active", "runs_listed"}),
    "when a run was created": (lambda db, _: recent.created_at(db, 77), {KEY}),
    "durations lately": (lambda db, _: durations.lately(db, 500), {KEY}),
    "the last runs of a job": (lambda db, _: of_jobs.last(db, "job1", 14), {"runs_job"}),
    "whether a job has news": (lambda db, _: of_jobs.mark(db, "job1"), {"runs_job", "runs_active"}),
    "definitions of jobs": (lambda db, _: versions.definitions_of(db, ["job1"]), {KEY}),
    "versions of a job": (lambda db, _: versions.count(db, "job1"), set()),
    "heads of lines": (lambda db, _: exceptions.heads(db), {"runs_queue"}),
    "tried again": (lambda db, _: exceptions.retrying(db, 50), {KEY, "runs_listed"}),
    "a success since": (lambda db, _: exceptions.succeeded_since(db, "job1", NOW), {"runs_job"}),
    "decisions of a job lately": (lambda db, _: decisions.newest(db, 50, job="job1"), set()),
}

SORTED_READS: dict[str, Case] = {
    "what a run follows": (lambda db, _: chain.before(db, Step(Kind.RUN, 77), 9), {KEY}),
    "what follows a run": (lambda db, _: chain.after(db, Step(Kind.RUN, 200_001), 9), {KEY}),
    "run": (lambda db, _: read.get(db, 77), {KEY}),
    "the line": (
        lambda db, _: line.line(db, line.Place("default", 0, NOW), servers_of(db)),
        {"runs_queue", "runs_running"},
    ),
    "when it was served": (lambda db, _: fires.served(db, NOW, timedelta(seconds=30)), set()),
    "dead letters": (lambda db, _: read.find(db, RunFilter(dead=True)), {KEY, "runs_dead"}),
    "dead letters of a job": (lambda db, _: read.find(db, RunFilter(dead=True, jobs=("job0",))), {KEY, "runs_dead"}),
    "ids of dead letters": (lambda db, _: read.dead_ids(db, []), {"runs_dead"}),
    "ids of dead letters of jobs": (lambda db, _: read.dead_ids(db, ["job0", "job1"]), {"runs_dead"}),
    "queued runs": (lambda db, _: read.find(db, RunFilter(states=(RunState.QUEUED,))), {KEY, "runs_queue"}),
    "running runs": (lambda db, _: read.find(db, RunFilter(states=(RunState.RUNNING,))), {KEY, "runs_running"}),
    "members of a batch": (lambda db, _: batches.member_ids(db, 5, ["failed", "queued"]), {KEY, "runs_batch"}),
    "what waits": (
        lambda db, _: exceptions.waits(db, [("default", 0, NOW)], later(99), {}, 50),
        {"runs_queue", "runs_waiting"},
    ),
    "the newest run of each job": (lambda db, _: of_jobs.newest(db), {"runs_job"}),
    "the state of each job": (lambda db, _: of_jobs.states(db), {"runs_job"}),
    "news of jobs": (lambda db, _: of_jobs.newer(db, 199_990, 200_000), {KEY}),
    "what became of fires": (
        lambda db, _: lanes.fired(db, "job1", Window(LONG_AGO, LONG_AGO + 200_000, 9), 1),
        {"runs_fire", "runs_job_listed", "runs_active"},
    ),
    "flows": (lambda db, _: queues.flows(db, NOW, 5, 199_000), {KEY, "runs_running"}),
    "successes of a day": (lambda db, _: list(recent.succeeded(db, 199_000, 200_000)), {KEY}),
    "letters": (lambda db, _: exceptions.letters(db, 50), {KEY, "runs_dead"}),
    "queues": (lambda db, _: queues.statuses(db, ["default"], {}, NOW), {"runs_queue", "runs_running", "runs_listed"}),
}
"""Reads that sort: what they sort is bounded by what is at work, by the dead letters, by one batch, or by how many
runs of a day are looked at."""


@pytest.fixture
def server(full: Database) -> int:
    """A server with a run in its hands, and runs in all lines; what is active is little, none of it of ``job0``."""
    server_id = serve(full)
    put(full, "job1")
    start(full, put(full, "job1"), server_id)
    put(full, "job1", run_after=later(60))
    put(full, "job2", expires=timedelta(seconds=1))
    put(full, "job2", parents=(200_001,))
    for _ in range(20):
        put(full, "job3")
    return server_id


@pytest.mark.parametrize("name", [*WRITES, *READS])
def test_no_statement_grows_with_the_history(full: Database, server: int, name: str) -> None:
    action, indexes = {**WRITES, **READS}[name]
    found = plans(full, lambda: action(full, server))
    # Of the pauses over a job, two at most, the nearer one is taken.
    found = {sql: steps for sql, steps in found.items() if "FROM pauses WHERE (scope" not in sql}
    assert found
    assert faults(found, sorts=False) == []
    assert used(found) == indexes


@pytest.mark.parametrize("name", SORTED_READS)
def test_what_is_sorted_is_little(full: Database, server: int, name: str) -> None:
    action, indexes = SORTED_READS[name]
    found = plans(full, lambda: action(full, server))
    assert faults(found, sorts=True) == []
    assert used(found) == indexes


@pytest.mark.parametrize("state", list(RunState))
def test_lists_of_a_job_by_state(full: Database, state: RunState) -> None:
    found = plans(full, lambda: read.find(full, RunFilter(jobs=("job1",), states=(state,))))
    assert faults(found, sorts=False) == []
    at_work = state in (RunState.QUEUED, RunState.RUNNING)
    index = "runs_active" if at_work else "runs_job" if state is RunState.SUCCEEDED else "runs_job_listed"
    assert used(found) == {KEY, index}


@pytest.mark.parametrize("state", sorted(set(RunState) - {RunState.QUEUED, RunState.RUNNING, RunState.SUCCEEDED}))
def test_lists_by_state(full: Database, state: RunState) -> None:
    found = plans(full, lambda: read.find(full, RunFilter(states=(state,))))
    assert faults(found, sorts=False) == []
    assert used(found) == {KEY, "runs_listed"}


@pytest.mark.parametrize("state", [RunState.SUCCEEDED, RunState.FAILED, RunState.QUEUED, RunState.RETRYING])
def test_an_end(full: Database, server: int, state: RunState) -> None:
    parent = put(full, "job0", fire_time=later(1))
    put(full, "job2", parents=(parent,))
    put(full, "job2", parents=(parent,), when=When.FAILURE)
    claimed = start(full, parent, server)
    found = plans(full, lambda: end(full, claimed, server, state, run_after=later(9)))
    assert faults(found, sorts=False) == []
    assert used(found) == {KEY} | (FOLLOWING if state.final else set())


def test_the_end_of_a_fire_that_others_wait_for(full: Database, server: int) -> None:
    claimed = start(full, put(full, "job0"), server)
    fire = new("job0", trigger=Trigger.SCHEDULE, fire_time=later(9))
    schedules.fire(full, schedules.Fire(run=fire, schedule=1, overlap=Overlap.QUEUE), NOW)
    found = plans(full, lambda: end(full, claimed, server))
    assert faults(found, sorts=False) == []
    assert {"runs_waiting", "runs_active"} <= used(found)


def test_a_fire_of_a_job_whose_runs_may_be_delayed(full: Database) -> None:
    run = new("job1", trigger=Trigger.SCHEDULE, fire_time=later(9))
    due = schedules.Fire(run=run, schedule=1, overlap=Overlap.REPLACE, delayed=True)
    found = plans(full, lambda: schedules.fire(full, due, NOW))
    assert faults(found, sorts=False) == []
    assert {"runs_fire", "runs_active", "runs_job_listed"} <= used(found)


def test_a_gap_of_fires(full: Database) -> None:
    found = plans(full, lambda: missed(full, later(-60), later(-30)))
    assert {fault for fault in faults(found, sorts=True) if "SCAN servers" not in fault} == set()
    assert "runs_fire" in used(found)


def test_the_end_of_a_batch(full: Database, server: int) -> None:
    _, ready = add.add_batch(full, new("job0"), "b", [("{}", None)], [new("job2")])
    claimed = start(full, ready[0].id, server)
    found = plans(full, lambda: end(full, claimed, server))
    assert faults(found, sorts=False) == []
    assert {"runs_batch", "runs_after_batch"} <= used(found)


@pytest.mark.parametrize(
    ("days", "most", "indexes"),
    [
        (1, {}, {KEY, "runs_job", "runs_batch", "runs_after_batch"}),
        (90, {"job1": 100}, {KEY, "runs_job"}),
    ],
)
def test_what_is_kept_no_longer(full: Database, days: int, most: dict[str, int], indexes: set[str]) -> None:
    ages = dict.fromkeys(FINAL, timedelta(days=days))
    rules = Retention(ages=ages, most=most, jobs=("job1",), unique_for=timedelta())
    full.execute("UPDATE batches SET created_at = ?, finished_at = ?", (LONG_AGO, LONG_AGO))

    def walk() -> None:
        # Past the batches, and so far that runs have been removed.
        gone = islice((part for part in retention.due(full, lambda: rules, lambda: NOW) if part.counts), 205)
        assert sum((part.remove(full) for part in gone), Counter()).keys() >= {"succeeded"}

    found = plans(full, walk)
    # Once in a walk the jobs in force are read, of which there are few; of a job's runs a thousand at most are sorted.
    assert [fault for fault in faults(found, sorts=bool(most)) if "versions_current" not in fault] == []
    assert used(found) == indexes


def test_a_statement_without_an_index_would_be_seen(full: Database) -> None:
    found = plans(full, lambda: full.execute("SELECT id FROM runs WHERE error = 'x' ORDER BY job"))
    assert len(faults(found, sorts=False)) == 1
    assert len(faults(found, sorts=True)) == 1
