"""Values that the presentation's tests show."""

from datetime import UTC, datetime, timedelta

from jobrunner.domain.batch import Batch, BatchState
from jobrunner.domain.job import Command, Job, RetryPolicy, ScheduleSpec
from jobrunner.domain.params import Param, ParamType
from jobrunner.domain.run import Attempt, Progress, Run
from jobrunner.domain.server import Server, ServerState
from jobrunner.domain.state import Outcome, RunState, Trigger, WaitingReason

NOW = datetime(2026, 11, 21, 22, 0, 0, 123456, tzinfo=UTC)


def a_run(**given: object) -> Run:
    values: dict[str, object] = {
        "id": 1042,
        "job": "backup",
        "state": RunState.QUEUED,
        "attempt": 0,
        "max_attempts": 4,
        "queue": "default",
        "priority": 0,
        "trigger": Trigger.MANUAL,
        "params": {},
        "created_at": NOW,
        "run_after": NOW,
    }
    return Run(**(values | given))  # type: ignore[arg-type]


def a_failed_run(**given: object) -> Run:
    start, end = NOW - timedelta(minutes=3), NOW - timedelta(minutes=2, seconds=30)
    attempt = Attempt(
        number=1,
        server="web1",
        started_at=start,
        finished_at=end,
        outcome=Outcome.FAILED,
        exit_code=3,
        error="exit status 3: no space left",
        peak_memory=12_345_678,
        cpu_time=0.25,
    )
    values: dict[str, object] = {
        "state": RunState.FAILED,
        "attempt": 1,
        "max_attempts": 1,
        "started_at": start,
        "finished_at": end,
        "exit_code": 3,
        "error": "exit status 3: no space left",
        "server": "web1",
        "dead": True,
        "batch_id": 7,
        "params": {"target": "/backup/\x1b[2Jshop.sql"},
        "attempts": (attempt,),
    }
    return a_run(**(values | given))


def a_waiting_run() -> Run:
    return a_run(state=RunState.WAITING, waiting_reason=WaitingReason.AFTER, waiting_detail="run 7", parent_ids=(7,))


def a_running_run() -> Run:
    return a_run(
        state=RunState.RUNNING,
        attempt=1,
        started_at=NOW - timedelta(seconds=72),
        server="web1",
        progress=Progress(done=30, total=100, message="copying"),
    )


def a_job(**given: object) -> Job:
    values: dict[str, object] = {
        "name": "backup",
        "kind": Command(argv=("pg_dump", "--file", "{target}", "shop")),
        "folder": "/srv",
        "timezone": "Europe/Madrid",
        "definition": "{}",
        "description": "Nightly database backup",
        "schedules": (ScheduleSpec(expression="0 2 * * *"),),
        "params": (
            Param(name="target", default="/backup/shop.sql", has_default=True),
            Param(name="token", type=ParamType.STRING, default="hunter2", has_default=True, secret=True),
        ),
        "retry": RetryPolicy(retries=3),
        "env": {"PGPASSWORD": "${file:/run/secrets/pg}"},
        "tags": ("db",),
    }
    return Job(**(values | given))  # type: ignore[arg-type]


def a_batch(**given: object) -> Batch:
    values: dict[str, object] = {
        "id": 7,
        "name": "invoice",
        "state": BatchState.RUNNING,
        "total": 10,
        "succeeded": 8,
        "failed": 1,
        "other": 0,
        "created_at": NOW,
    }
    return Batch(**(values | given))  # type: ignore[arg-type]


def a_server(**given: object) -> Server:
    values: dict[str, object] = {
        "id": 3,
        "name": "web1",
        "host": "web1.example.com",
        "pid": 4711,
        "state": ServerState.RUNNING,
        "started_at": NOW - timedelta(hours=5),
        "heartbeat_age": 0.4,
        "workers": 8,
        "busy": 3,
        "queues": ("critical", "default", "low"),
        "config_hash": "0123456789ab",
        "version": "0.1.0",
    }
    return Server(**(values | given))  # type: ignore[arg-type]
