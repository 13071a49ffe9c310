"""What an attempt's end, or what keeps it from beginning, makes of its run."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from pending import Pending
from samples import NOW, put, serve, start
from turned import Turned

from jobrunner.domain.job import Command, Job, OnLost, PythonCall, RetryPolicy
from jobrunner.domain.run import Claimed, Run
from jobrunner.errors import StoreUnavailable
from jobrunner.execution.attempt import StopReason
from jobrunner.execution.outcome import Failed, Outcome, Stopped, Succeeded, TimedOut
from jobrunner.server.definitions import Definitions
from jobrunner.server.executor import Call, Executor
from jobrunner.server.recorder import Recorders
from jobrunner.store import Database
from jobrunner.store.runs import read

JOB = Job(name="job", kind=Command(argv=("true",)), folder="/", timezone="UTC", definition="{}")


class Working(Pending):
    """An engine that has one claimed run."""

    claim: Claimed | None = None

    @property
    def crew(self) -> Working:
        return self

    def delegate(self, _: Claimed) -> None:
        """It is nobody's here."""

    def turn(self, _: int) -> None:
        """It has no place to lose."""

    def claimed(self, run_id: int) -> Claimed | None:
        found, self.claim = self.claim, None
        return found if found is not None and found.id == run_id else None


@dataclass
class Begun:
    """An attempt that has ended when it is asked."""

    outcome: Any

    def answered(self) -> Any:
        if isinstance(self.outcome, BaseException):
            raise self.outcome
        return self.outcome


class Worker:
    """An executor with one worker; ``does`` is what executing comes to."""

    def __init__(self, db: Database, job: Job | None = JOB) -> None:
        self.db = db
        self.server = serve(db)
        self.engine = Working(db)
        self.does: Outcome | BaseException = Succeeded(exit_code=0)
        self.body: str | Exception | None = None
        clock = self.clock = Turned()

        class File:
            jobs = {} if job is None else {job.name: job}

        self.executor = Executor(
            engine=self.engine,  # type: ignore[arg-type]
            execution=self,  # type: ignore[arg-type]
            recorders=Recorders(self.engine, self.server, clock),  # type: ignore[arg-type]
            definitions=Definitions(File(), self._body),  # type: ignore[arg-type]
            server_id=self.server,
            server_name="one",
            clock=clock,
            environ={},
        )

    def execute(self, spec: Any, control: Any, sink: Any) -> Outcome:
        sink.output("stdout", b"said")
        if isinstance(self.does, BaseException):
            raise self.does
        if control.reason is not None:
            return Stopped(reason=control.reason)
        return self.does

    def begin(self, spec: Any, control: Any, sink: Any, *_: Any) -> Any:
        return Begun(self.does)

    def short(self, times: int) -> None:
        """So many runs begin and end without a worker."""
        for run in [put(self.db) for _ in range(times)]:
            assert self.executor.end(self._begun(run)) is None
        self.engine.commit()

    def left(self) -> None:
        """One begins, is left to a worker, and ends there."""
        call = self._begun(put(self.db))
        self.executor.leave(call)
        self.executor.execute(call.prepared.claimed.id, call.prepared.claimed.attempt, "default")
        self.engine.commit()

    def finish(self, begun: Any, _: Any) -> Outcome:
        return begun.outcome

    def _begun(self, run: int) -> Call:
        call = self.executor.begin([start(self.db, run, self.server)])
        assert call is not None
        return call

    def run(self, run: int) -> Run:
        """Claims and executes, and shows what became of it."""
        self.engine.claim = start(self.db, run, self.server)
        self.executor.execute(run, self.engine.claim.attempt, "default")
        self.engine.commit()
        return read.get(self.db, run)

    def _body(self, number: int) -> str | None:
        if isinstance(self.body, Exception):
            raise self.body
        return self.body


@pytest.fixture
def worker(sqlite_db: Database) -> Worker:
    return Worker(sqlite_db)


def test_a_run_that_is_not_claimed_is_not_executed(worker: Worker) -> None:
    worker.executor.execute(99, 1, "default")
    assert (worker.engine.waiting, worker.engine.freed) == ([], 0)


def test_a_store_that_is_away_fails_no_run(sqlite_db: Database) -> None:
    worker = Worker(sqlite_db, job=None)
    worker.body = StoreUnavailable("the store is away")
    shown = worker.run(put(sqlite_db))
    assert (shown.state, shown.max_attempts, worker.engine.freed) == ("queued", 2, 1)
    assert [attempt.outcome for attempt in shown.attempts] == ["interrupted"]


def test_a_definition_that_is_gone_fails_the_run_for_good(sqlite_db: Database) -> None:
    shown = Worker(sqlite_db, job=None).run(put(sqlite_db, max_attempts=5))
    assert (shown.state, shown.dead) == ("failed", True)
    assert shown.error is not None
    assert "definition is gone" in shown.error


@pytest.mark.parametrize("fault", [ValueError("hunter2\nand more"), SystemExit(1), OSError(24, "Too many open files")])
def test_a_fault_of_ours_is_a_failed_attempt_that_is_repeated(worker: Worker, fault: BaseException) -> None:
    job = JOB._replace(retry=RetryPolicy(retries=1))
    worker = Worker(worker.db, job)
    worker.does = fault
    run = put(worker.db, max_attempts=2)
    shown = worker.run(run)
    assert (shown.state, shown.error) == (
        "retrying",
        f"fault of jobrunner ({type(fault).__name__}); the server's log says more",
    )
    worker.db.execute("UPDATE runs SET state = 'queued'")
    shown = worker.run(run)
    assert (shown.state, shown.dead, worker.engine.freed) == ("failed", True, 2)
    kept = worker.db.execute("SELECT data FROM output WHERE run_id = ? AND attempt = 2", (run,)).fetchall()
    assert [bytes(data) for (data,) in kept] == [b"said"]


class TestLauncherLost:
    """A part of the server dies, it may be by the job's own doing: the run must not go round for ever."""

    def test_it_counts_as_lost(self, worker: Worker) -> None:
        worker.does = Stopped(reason=StopReason.INTERRUPTED, killed=True)
        run = put(worker.db)
        ends = [worker.run(run) for _ in range(3)]
        assert [shown.state for shown in ends] == ["queued", "queued", "failed"]
        assert ends[-1].error == "its processes were killed with their launcher, 3 times"
        assert (ends[-1].attempt, ends[-1].max_attempts, ends[-1].dead) == (3, 3, True)
        assert [attempt.outcome for attempt in ends[-1].attempts] == ["lost"] * 3

    def test_on_lost_fail(self, worker: Worker) -> None:
        worker = Worker(worker.db, JOB._replace(on_lost=OnLost.FAIL))
        worker.does = Stopped(reason=StopReason.INTERRUPTED, killed=True)
        assert worker.run(put(worker.db)).state == "failed"

    def test_a_shutdown_interrupts_and_counts_nothing(self, worker: Worker) -> None:
        worker.executor.stop_all(StopReason.INTERRUPTED, at_once=False)
        run = put(worker.db)
        for _ in range(5):
            shown = worker.run(run)
            assert (shown.state, shown.attempts[-1].outcome) == ("queued", "interrupted")
        (losses,) = worker.db.execute("SELECT losses FROM runs").fetchone()
        assert (losses, shown.attempt, shown.max_attempts) == (0, 5, 6)


def test_a_server_that_was_declared_lost_records_nothing(worker: Worker) -> None:
    worker.executor.stop_all(StopReason.FENCED, at_once=True)
    shown = worker.run(put(worker.db))
    assert (shown.state, worker.engine.freed) == ("running", 1)
    assert worker.db.execute("SELECT count(*) FROM output").fetchone() == (0,)


def test_nothing_begins_at_once_that_is_told_to_end_while_it_is_prepared(worker: Worker) -> None:
    class Jobs(dict[str, Job]):
        def get(self, name: str, default: Any = None) -> Any:
            worker.executor.stop_all(StopReason.INTERRUPTED, at_once=True)
            return super().get(name, default)

    worker.executor._definitions.jobfile.jobs = Jobs({JOB.name: JOB})  # type: ignore[misc]
    assert worker.executor.begin([start(worker.db, put(worker.db), worker.server)]) is None
    assert worker.executor._controls == {}


def test_an_end_that_the_store_refuses_is_a_failure_that_says_so(worker: Worker) -> None:
    heard = list[Any]()
    submit = worker.engine.submit

    def refused(operation: Any, *, instead: Any = None, **more: Any) -> None:
        heard.append(instead)
        submit(instead, **more)

    worker.engine.submit = refused  # type: ignore[method-assign]
    shown = worker.run(put(worker.db))
    assert (shown.state, shown.dead) == ("failed", True)
    assert shown.error == "jobrunner could not record how it ended; the server's log says more"
    assert len(heard) == 1


@pytest.mark.parametrize(
    ("does", "words"),
    [
        (Stopped(reason=StopReason.CANCELLED), "cancelled"),
        (Stopped(reason=StopReason.CANCELLED, killed=True), "cancelled, killed"),
        (Failed(error="no"), "failed: no"),
        (TimedOut(after=timedelta(seconds=2)), "timeout, now failed: timed out after 2s"),
    ],
)
def test_the_log_says_once_how_a_run_ended(
    worker: Worker, caplog: pytest.LogCaptureFixture, does: Outcome, words: str
) -> None:
    worker.does = does
    with caplog.at_level("INFO", "jobrunner.run"):
        worker.run(put(worker.db))
    assert caplog.messages == [words]


def test_a_result_is_kept_as_json(worker: Worker) -> None:
    worker.does = Succeeded(result={"a": ["ñ", 1]})
    assert worker.run(put(worker.db)).result == json.loads('{"a": ["ñ", 1]}')


CALL = JOB._replace(kind=PythonCall(target="m:f"))


@pytest.mark.parametrize(
    ("job", "known"),
    [
        (CALL, True),
        (JOB, True),
        (CALL._replace(on_lost=OnLost.FAIL), False),
        (JOB._replace(on_lost=OnLost.FAIL), False),
        (CALL._replace(name="other"), False),
    ],
)
def test_what_may_be_repeated_is_known_when_enough_were_short(sqlite_db: Database, job: Job, known: bool) -> None:
    worker = Worker(sqlite_db, job if job.name == "job" else CALL)
    worker.does = Succeeded(took=0.001)
    worker.short(1)
    assert worker.executor.seconds(job.name) is None
    worker.short(1)
    assert (worker.executor.seconds(job.name) is not None) is known
    worker.does = Succeeded(took=1.0)
    worker.left()
    assert worker.executor.seconds(job.name) is None


@pytest.mark.parametrize(
    ("job", "known"),
    [(CALL, True), (CALL._replace(on_lost=OnLost.FAIL), True), (JOB, False), (CALL._replace(name="other"), False)],
)
def test_short_calls_share_a_child_whether_they_may_be_repeated_or_not(
    sqlite_db: Database, job: Job, known: bool
) -> None:
    worker = Worker(sqlite_db, job if job.name == "job" else CALL)
    worker.does = Succeeded(took=0.001)
    worker.short(1)
    assert worker.executor.usual(job.name) is None
    worker.short(1)
    assert (worker.executor.usual(job.name) is not None) is known


def test_what_followed_another_in_its_child_began_when_that_one_had_ended(sqlite_db: Database) -> None:
    worker = Worker(sqlite_db, CALL)
    run = put(sqlite_db)
    worker.clock.turn(5)
    call = worker._begun(run)._replace(follows=True)
    worker.clock.turn(1)
    worker.executor.leave(call)
    worker.executor.execute(run, call.prepared.claimed.attempt, "default")
    worker.engine.commit()
    shown = read.get(sqlite_db, run)
    assert (shown.started_at, shown.finished_at) == (NOW + timedelta(seconds=5), NOW + timedelta(seconds=6))


def test_those_behind_a_call_that_is_broken_off_have_failed_with_it(sqlite_db: Database) -> None:
    worker = Worker(sqlite_db, CALL)
    worker.does = OSError("the pipe is gone")
    runs = [put(sqlite_db) for _ in range(3)]
    first, *behind = [worker._begun(run) for run in runs]
    assert worker.executor.end(first._replace(behind=tuple(call.prepared for call in behind))) is None
    worker.engine.commit()
    assert worker.engine.freed == 3
    assert worker.executor._controls == {}
    shown = [read.get(sqlite_db, run) for run in runs]
    assert {(run.state.value, run.error) for run in shown} == {
        ("failed", "fault of jobrunner (OSError); the server's log says more")
    }
