"""The JSON that others build on: exactly these keys, and what does not apply is null."""

import json
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from shown_values import NOW, a_batch, a_failed_run, a_job, a_run, a_running_run, a_server, a_waiting_run

from jobrunner.domain.audit import AuditEntry
from jobrunner.domain.job import ScheduleSpec
from jobrunner.domain.queue import Pause, QueueStatus
from jobrunner.domain.status import Explanation, Fire, JobStatus, OutputPart
from jobrunner.errors import Problem
from jobrunner.presentation import json as shapes

STAMP = "2026-11-21T22:00:00.123456Z"


def test_a_queued_run() -> None:
    assert shapes.run(a_run()) == {
        "id": 1042,
        "job": "backup",
        "state": "queued",
        "attempt": 0,
        "max_attempts": 4,
        "queue": "default",
        "priority": 0,
        "trigger": "manual",
        "params": {},
        "created_at": STAMP,
        "run_after": STAMP,
        "started_at": None,
        "finished_at": None,
        "duration": None,
        "exit_code": None,
        "error": None,
        "result": None,
        "progress": None,
        "server": None,
        "batch_id": None,
        "workflow_id": None,
        "parent_ids": [],
        "fire_time": None,
        "waiting_for": None,
        "dead": False,
        "cancelling": False,
    }


def test_a_failed_run_with_its_attempts() -> None:
    shape = shapes.run_whole(a_failed_run())
    assert shape["batch_id"] == "b7"
    assert shape["duration"] == 30.0
    assert shape["attempts"] == [
        {
            "attempt": 1,
            "outcome": "failed",
            "server": "web1",
            "started_at": "2026-11-21T21:57:00.123456Z",
            "finished_at": "2026-11-21T21:57:30.123456Z",
            "duration": 30.0,
            "exit_code": 3,
            "signal": None,
            "error": "exit status 3: no space left",
            "peak_memory": 12_345_678,
            "cpu_time": 0.25,
        }
    ]


def test_what_a_run_waits_for_and_how_far_it_is() -> None:
    assert shapes.run(a_waiting_run())["waiting_for"] == {"reason": "after", "detail": "run 7"}
    assert shapes.run(a_waiting_run())["parent_ids"] == [7]
    assert shapes.run(a_running_run())["progress"] == {"done": 30, "total": 100, "message": "copying"}
    assert shapes.run(a_running_run())["duration"] is None


def test_existing_is_said_only_of_an_older_run() -> None:
    assert "existing" not in shapes.triggered(a_run(), existing=False)
    assert shapes.triggered(a_run(), existing=True)["existing"] is True
    assert shapes.batch_triggered(a_batch()) == {"batch_id": "b7", "runs": 10}


def test_a_job() -> None:
    status = JobStatus(job=a_job(), next_fire=NOW, last_run=a_failed_run(), pause=None)
    assert shapes.job(status) == {
        "name": "backup",
        "description": "Nightly database backup",
        "kind": "command",
        "schedule": "0 2 * * *",
        "timezone": "Europe/Madrid",
        "next_fire": STAMP,
        "last_run": {
            "id": 1042,
            "state": "failed",
            "started_at": "2026-11-21T21:57:00.123456Z",
            "duration": 30.0,
        },
        "paused": False,
        "enabled": True,
        "queue": "default",
        "tags": ["db"],
    }


def test_a_job_without_and_with_several_schedules() -> None:
    def schedule(*specs: ScheduleSpec) -> object:
        status = JobStatus(job=a_job(schedules=specs), next_fire=None, last_run=None, pause=None)
        return shapes.job(status)["schedule"]

    assert schedule() is None
    assert schedule(ScheduleSpec(expression="@daily"), ScheduleSpec(expression="every 15m")) == ["@daily", "every 15m"]


def test_a_whole_job_hides_what_is_secret() -> None:
    pause = Pause(scope="job", name="backup", who="alice", since=NOW, until=None, reason="disk")
    shape = shapes.job_whole(JobStatus(job=a_job(), next_fire=None, last_run=None, pause=pause))
    assert shape["paused"] is True
    assert shape["pause"]["who"] == "alice"
    assert shape["env"] == ["PGPASSWORD"]
    assert [param["default"] for param in shape["params"]] == ["/backup/shop.sql", "***"]
    assert "hunter2" not in json.dumps(shape)


def test_servers_queues_batches_pauses_audit() -> None:
    queue = QueueStatus(
        name="low",
        queued=1,
        running=2,
        waiting=3,
        scheduled=4,
        retrying=5,
        oldest_wait=6,
        paused=False,
        max_running=None,
    )
    entry = AuditEntry(id=1, at=NOW, who="alice", host="web1", action="retry", target="1042", detail="", outcome="done")
    server_keys = "id name host pid state started_at heartbeat_age workers busy queues config_hash config_error version"
    queue_keys = "name queued running waiting scheduled retrying oldest_wait paused max_running"
    assert " ".join(shapes.server(a_server())) == server_keys
    assert " ".join(shapes.queue(queue)) == queue_keys
    assert isinstance(shapes.queue(queue)["oldest_wait"], float)
    assert shapes.batch(a_batch()) == {
        "id": "b7",
        "name": "invoice",
        "state": "running",
        "total": 10,
        "succeeded": 8,
        "failed": 1,
        "other": 0,
        "created_at": STAMP,
        "finished_at": None,
    }
    pause = Pause(scope="queue", name="low", who="alice", since=NOW, until=NOW + timedelta(hours=1), reason="")
    assert shapes.pause(pause)["until"] == "2026-11-21T23:00:00.123456Z"
    assert shapes.audit(entry)["at"] == STAMP


def test_explain_keeps_the_offset_of_its_zone() -> None:
    fire = datetime(2026, 11, 22, 2, 0, tzinfo=ZoneInfo("Europe/Madrid"))
    value = Explanation(expression="0 2 * * *", timezone="Europe/Madrid", description="At 02:00", next=(fire,))
    shape = shapes.explanation(value)
    assert shape["next"] == ["2026-11-22T02:00:00+01:00"]
    assert list(shape)[:4] == ["expression", "timezone", "description", "next"]
    assert shapes.fire(Fire(job="backup", at=fire, zone="Europe/Madrid")) == {
        "job": "backup",
        "at": "2026-11-22T01:00:00.000000Z",
        "timezone": "Europe/Madrid",
        "note": None,
    }


def test_check() -> None:
    problem = Problem(file="jobs.toml", line=3, column=1, message="unknown key")
    shape = shapes.check(valid=False, jobs=0, errors=[problem], warnings=[])
    assert shape == {
        "valid": False,
        "jobs": 0,
        "errors": [{"file": "jobs.toml", "line": 3, "column": 1, "message": "unknown key"}],
        "warnings": [],
    }


def test_a_document_is_ascii_and_cannot_mislead_a_terminal() -> None:
    part = OutputPart(stream="stdout", at=NOW, data=b"", dropped=0)
    text = shapes.document(shapes.output(part, "\x1b[2J\x9b\u202e é \ud800"))
    assert text.isascii()
    assert text.isprintable()
    assert json.loads(text)["text"] == "\x1b[2J\x9b\u202e é \ud800"
