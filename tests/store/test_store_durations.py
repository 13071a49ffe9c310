"""How long runs of a job take, from its latest runs."""

from __future__ import annotations

from datetime import timedelta

from samples import NOW, end, later, put, run_to, serve, start

from jobrunner.domain.state import RunState
from jobrunner.store import Database, durations


def ran(db: Database, server: int, job: str, seconds: float, state: RunState = RunState.SUCCEEDED) -> None:
    """A run of so many seconds."""
    end(db, start(db, put(db, job), server), server, state, at=later(seconds))


def test_a_job_that_never_succeeded_has_no_durations(db: Database) -> None:
    server = serve(db)
    put(db, "queued")
    ran(db, server, "failed", 5, RunState.FAILED)
    start(db, put(db, "running"), server)
    assert durations.measured(db, ["queued", "failed", "running", "unknown"]) == {}


def test_median_and_95th_percentile_are_nearest_ranks(db: Database) -> None:
    server = serve(db)
    for seconds in (7, 1, 3):
        ran(db, server, "three", seconds)
    ran(db, server, "one", 0.25)
    for seconds in range(1, 41):
        ran(db, server, "forty", seconds)
    found = durations.measured(db, ["three", "one", "forty"])
    assert found["three"] == (timedelta(seconds=3), timedelta(seconds=7), 3)
    assert found["one"] == (timedelta(seconds=0.25), timedelta(seconds=0.25), 1)
    assert found["forty"] == (timedelta(seconds=20), timedelta(seconds=38), 40)


def test_only_attempts_that_succeeded_count(db: Database) -> None:
    server = serve(db)
    ran(db, server, "job", 99, RunState.FAILED)
    run_id = put(db, "job", max_attempts=2)
    run_to(db, run_id, server, RunState.RETRYING, at=later(50), run_after=NOW)
    db.execute("UPDATE runs SET state = 'queued' WHERE id = ?", (run_id,))
    end(db, start(db, run_id, server), server, at=later(4))
    assert durations.measured(db, ["job"])["job"] == (timedelta(seconds=4), timedelta(seconds=4), 1)


def test_only_the_last_200_runs_count(db: Database) -> None:
    server = serve(db)
    ran(db, server, "job", 1000)
    for _ in range(199):
        put(db, "job", run_after=later(99))
    assert durations.measured(db, ["job"])["job"].attempts == 1
    put(db, "job", run_after=later(99))
    assert durations.measured(db, ["job"]) == {}


def test_a_clock_that_went_back_makes_no_negative_duration(db: Database) -> None:
    ran(db, serve(db), "job", -5)
    assert durations.measured(db, ["job"])["job"].median == timedelta(0)
