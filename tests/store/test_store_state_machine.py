"""Random actions of people, servers and schedules: no transition beyond the table, nothing lost, nothing stuck."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import ClassVar

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from samples import end, later, new, put, serve, take

from jobrunner.domain.job import Overlap, When
from jobrunner.domain.queue import Pause
from jobrunner.domain.run import Claimed
from jobrunner.domain.state import FINAL, TRANSITIONS, Outcome, RunState, Trigger
from jobrunner.errors import Refused
from jobrunner.store import Database, open_store, pauses, schedules
from jobrunner.store.runs import add, claim, steer

JOBS = st.sampled_from(["a", "b"])
ENDS = st.sampled_from([RunState.SUCCEEDED, RunState.FAILED, RunState.RETRYING, RunState.QUEUED])
SECONDS = st.sampled_from([0, 0, 0, 5, 60])

_LOG = (
    "CREATE TABLE log (id INTEGER, before TEXT, after TEXT)",
    "CREATE TRIGGER logged AFTER UPDATE OF state ON runs WHEN old.state <> new.state"
    " BEGIN INSERT INTO log VALUES (new.id, old.state, new.state); END",
)


class Store(RuleBasedStateMachine):
    """One store, two servers, time that goes on; ``expected`` counts what was created."""

    template: ClassVar[Path]

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp(prefix="jobrunner-states-"))
        shutil.copy(self.template, self.folder / "jobrunner.db")
        self.db: Database = open_store(f"sqlite:///{self.folder / 'jobrunner.db'}")
        self.db.execute("PRAGMA synchronous = off")
        for statement in _LOG:
            self.db.execute(statement)
        self.seconds = 0.0
        self.fires = 0
        self.created = set[int]()
        self.held = list[tuple[int, Claimed]]()

    @property
    def now(self) -> datetime:
        return later(self.seconds)

    @initialize()
    def begin(self) -> None:
        self.servers = [serve(self.db, "one"), serve(self.db, "two")]

    @rule(seconds=st.sampled_from([1, 10, 120]))
    def time_goes_on(self, seconds: int) -> None:
        self.seconds += seconds

    @rule(job=JOBS, delay=SECONDS, expires=st.sampled_from([None, None, 30]), key=st.sampled_from([None, "k"]))
    def someone_adds_a_run(self, job: str, delay: int, expires: int | None, key: str | None) -> None:
        added = add.add(
            self.db,
            new(
                job,
                created_at=self.now,
                run_after=self.now + timedelta(seconds=delay),
                expires=None if expires is None else timedelta(seconds=expires),
                unique_key=key,
                max_attempts=2,
            ),
        )
        assert added.existing == (added.id in self.created)
        self.created.add(added.id)

    @precondition(lambda self: self.created)
    @rule(job=JOBS, data=st.data(), when=st.sampled_from(When))
    def someone_adds_a_continuation(self, job: str, data: st.DataObject, when: When) -> None:
        parents = data.draw(st.lists(st.sampled_from(sorted(self.created)), min_size=1, max_size=3, unique=True))
        self.created.add(put(self.db, job, parents=tuple(parents), when=when, created_at=self.now))

    @rule(job=JOBS, size=st.integers(1, 3), delay=SECONDS)
    def someone_adds_a_batch(self, job: str, size: int, delay: int) -> None:
        template = new(job, created_at=self.now, run_after=self.now + timedelta(seconds=delay))
        then = [new("a", created_at=self.now), new("b", created_at=self.now, when=When.FAILURE)]
        add.add_batch(self.db, template, "batch", [("{}", None)] * size, then)
        self._note_new()

    @rule(job=JOBS, overlap=st.sampled_from(Overlap), one_by_one=st.booleans())
    def a_job_fires(self, job: str, overlap: Overlap, one_by_one: bool) -> None:
        self.fires += 1
        at = self.now + timedelta(microseconds=self.fires)
        run = new(job, trigger=Trigger.SCHEDULE, fire_time=at, created_at=self.now)
        for _ in range(2):
            due = schedules.Fire(run=run, schedule=1, overlap=overlap, one_by_one=one_by_one)
            schedules.fire(self.db, due, self.now)
        self._note_new()

    @rule(server=st.integers(0, 1), limit=st.integers(1, 4))
    def a_server_claims(self, server: int, limit: int) -> None:
        taken = take(self.db, self.servers[server], limit=limit, now=self.now)
        assert len(taken) <= limit
        self.held += [(self.servers[server], run) for run in taken]

    @precondition(lambda self: self.held)
    @rule(data=st.data(), state=ENDS)
    def an_attempt_ends(self, data: st.DataObject, state: RunState) -> None:
        server, run = self.held.pop(data.draw(st.integers(0, len(self.held) - 1)))
        self._stale(run, server)
        due = self.now + timedelta(seconds=20)
        finished = end(self.db, run, server, state, at=self.now, run_after=due if state == "retrying" else None)
        assert finished is not None
        assert finished.state in (state, RunState.CANCELLED, RunState.WAITING)
        assert end(self.db, run, server, state) is None

    @precondition(lambda self: self.created)
    @rule(data=st.data(), action=st.sampled_from(["cancel", "retry", "discard"]))
    def someone_steers(self, data: st.DataObject, action: str) -> None:
        run_id = data.draw(st.sampled_from(sorted(self.created)))
        act: dict[str, Callable[[], object]] = {
            "cancel": lambda: steer.cancel(self.db, run_id, at_once=False, now=self.now),
            "retry": lambda: steer.retry(self.db, run_id, retries=1, now=self.now),
            "discard": lambda: steer.discard(self.db, run_id),
        }
        before = self._rows()
        try:
            act[action]()
        except Refused:
            assert self._rows() == before

    @rule(job=JOBS, seconds=st.sampled_from([None, 30]))
    def someone_pauses(self, job: str, seconds: int | None) -> None:
        until = None if seconds is None else self.now + timedelta(seconds=seconds)
        pauses.pause(self.db, Pause(scope="job", name=job, who="ana", since=self.now, until=until, reason=""))

    @rule(job=JOBS)
    def someone_resumes(self, job: str) -> None:
        pauses.resume(self.db, "job", job, self.now)

    @rule()
    def a_server_looks(self) -> None:
        pauses.resume_due(self.db, self.now)
        claim.promote(self.db, self.now)
        claim.expire(self.db, self.now)

    @invariant()
    def no_transition_is_beyond_the_table(self) -> None:
        for run_id, before, after in self.db.execute("SELECT id, before, after FROM log"):
            assert RunState(after) in TRANSITIONS[RunState(before)], f"run {run_id}: {before} to {after}"
        self.db.execute("DELETE FROM log")

    @invariant()
    def every_row_makes_sense(self) -> None:
        rows = self._rows()
        assert {row[0] for row in rows} == self.created
        for run_id, state, reason, dead, server, attempt, ended in rows:
            where = f"run {run_id} ({state})"
            assert (reason is not None) == (state == "waiting"), where
            assert not dead or state == "failed", where
            assert ended == attempt - (1 if state == "running" else 0), where
            assert server is not None or attempt == 0, where
        held = sorted(run.id for _, run in self.held)
        assert [row[0] for row in rows if row[1] == "running"] == held
        assert not [row for row in rows if row[1] == "queued" and self._is_paused(row[0])]

    def teardown(self) -> None:
        try:
            self._everything_ends()
        finally:
            self.db.close()
            shutil.rmtree(self.folder)

    def _everything_ends(self) -> None:
        for job in ("a", "b"):
            pauses.resume(self.db, "job", job, self.now)
        for _ in range(200):
            self.seconds += 200
            self.a_server_looks()
            self.a_server_claims(0, 100)
            if not self.held and not claim.anything_to_claim(self.db, self.now, ["default"]):
                break
            while self.held:
                server, run = self.held.pop()
                end(self.db, run, server, at=self.now)
        self.no_transition_is_beyond_the_table()
        stuck = [row[:3] for row in self._rows() if RunState(row[1]) not in FINAL]
        assert not stuck
        assert self.db.execute("SELECT count(*) FROM batches WHERE finished_at IS NULL").fetchone() == (0,)

    def _stale(self, run: Claimed, server: int) -> None:
        """Nobody but the holder of the attempt changes anything."""
        before = self._rows()
        other = next(one for one in self.servers if one != server)
        assert end(self.db, run, other) is None
        assert end(self.db, run, server, RunState.QUEUED, attempt=run.attempt + 1, outcome=Outcome.LOST) is None
        assert self._rows() == before

    def _note_new(self) -> None:
        found = {run_id for (run_id,) in self.db.execute("SELECT id FROM runs")}
        assert self.created <= found
        self.created = found

    def _is_paused(self, run_id: int) -> bool:
        sql = "SELECT 1 FROM runs r JOIN pauses p ON p.scope = 'job' AND p.name = r.job WHERE r.id = ?"
        return self.db.execute(sql, (run_id,)).fetchone() is not None

    def _rows(self) -> list[tuple[object, ...]]:
        return self.db.execute(
            "SELECT id, state, waiting_reason, dead, server_id, attempt,"
            " (SELECT count(*) FROM attempts WHERE run_id = id) FROM runs ORDER BY id"
        ).fetchall()


@pytest.mark.parametrize("steps", [15, 50])
def test_states(sqlite_template: Path, steps: int) -> None:
    Store.template = sqlite_template
    run_state_machine_as_test(
        Store,
        settings=settings(
            max_examples=600 // steps,
            stateful_step_count=steps,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
