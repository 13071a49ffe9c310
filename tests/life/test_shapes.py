"""The JSON shapes that others build on, with the values of real runs; no key of them goes or changes."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from project import Project

RUN = {
    "id", "job", "state", "attempt", "max_attempts", "queue", "priority", "trigger", "params", "created_at",
    "run_after", "started_at", "finished_at", "duration", "exit_code", "error", "result", "progress", "server",
    "batch_id", "workflow_id", "parent_ids", "fire_time", "waiting_for",
}  # fmt: skip
ATTEMPT = {
    "attempt", "outcome", "server", "started_at", "finished_at", "duration", "exit_code", "signal", "error",
    "peak_memory", "cpu_time",
}  # fmt: skip
JOB = {
    "name", "description", "kind", "schedule", "timezone", "next_fire", "last_run", "paused", "enabled", "queue", "tags"
}  # fmt: skip
SERVER = {
    "id", "name", "host", "pid", "state", "started_at", "heartbeat_age", "workers", "busy", "queues", "config_hash",
    "version",
}  # fmt: skip
BATCH = {"id", "name", "state", "total", "succeeded", "failed", "other", "created_at", "finished_at"}
QUEUE = {
    "name", "queued", "running", "waiting", "scheduled", "retrying", "oldest_wait", "paused", "max_running"
}  # fmt: skip

JOBS = """
[jobrunner]
timezone = "Europe/Madrid"

[queues.critical]
max_running = 4

[jobs.good]
command = "echo ::progress 1/2 half; echo '[1]' > $JOBRUNNER_RESULT_FILE"
description = "Does well"
schedule = "0 2 * * *"
params.n = { type = "int", default = 7 }
tags = ["x"]

[jobs.bad]
command = "kill -9 $$"
retry_delays = ["1h"]
schedule = ["@hourly", "every 90s"]

[jobs.one]
command = "true"
params.id = { required = true }
"""


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    """A project in which something has happened."""
    project = Project(tmp_path_factory.mktemp("shapes"), JOBS)
    project.trigger("good")
    project.trigger("bad", "--priority", "3", "--queue", "low")
    project.trigger("good", "--after", "2")
    project.call("trigger", "one", "--each", "-", input="a\nb\n")
    project.burst("--name", "blue", "--workers", "2")
    project.trigger("good", "--delay", "1h")
    project.trigger("good", "--queue", "critical")
    yield project
    project.close()


def instant(text: Any) -> bool:
    return bool(re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", text))


def test_a_run_that_succeeded(done: Project) -> None:
    run = done.show(1)
    assert run.keys() >= RUN | {"attempts"}
    for name in ("created_at", "run_after", "started_at", "finished_at"):
        assert instant(run[name])
    assert isinstance(run["duration"], float)
    fixed = {name: run[name] for name in RUN - {"created_at", "run_after", "started_at", "finished_at", "duration"}}
    assert fixed == {
        "id": 1,
        "job": "good",
        "state": "succeeded",
        "attempt": 1,
        "max_attempts": 1,
        "queue": "default",
        "priority": 0,
        "trigger": "manual",
        "params": {"n": 7},
        "exit_code": 0,
        "error": None,
        "result": [1],
        "progress": {"done": 1, "total": 2, "message": "half"},
        "server": "blue",
        "batch_id": None,
        "workflow_id": None,
        "parent_ids": [],
        "fire_time": None,
        "waiting_for": None,
    }
    (attempt,) = run["attempts"]
    assert attempt.keys() >= ATTEMPT
    assert (attempt["attempt"], attempt["outcome"], attempt["signal"]) == (1, "succeeded", None)


def test_a_run_that_failed_and_one_that_waits_for_it(done: Project) -> None:
    run = done.show(2)
    assert (run["state"], run["priority"], run["queue"], run["exit_code"]) == ("retrying", 3, "low", None)
    assert run["attempts"][0]["signal"] == 9
    assert "SIGKILL" in run["error"]
    child = done.show(3)
    assert (child["state"], child["parent_ids"], child["attempts"]) == ("waiting", [2], [])
    assert child["waiting_for"] == {"reason": "after", "detail": "run 2"}
    for name in ("started_at", "finished_at", "duration", "exit_code", "error", "server", "result", "progress"):
        assert child[name] is None


def test_lists_of_runs(done: Project) -> None:
    runs = done.json("runs")
    assert [run["id"] for run in runs] == [7, 6, 5, 4, 3, 2, 1]
    assert all(run.keys() >= RUN for run in runs)
    assert {run["batch_id"] for run in runs} == {None, "b1"}


def test_a_job(done: Project) -> None:
    bad, good, one = done.json("jobs")
    assert all(job.keys() >= JOB for job in (bad, good, one))
    assert (good["name"], good["description"], good["kind"], good["schedule"], good["timezone"]) == (
        "good",
        "Does well",
        "command",
        "0 2 * * *",
        "Europe/Madrid",
    )
    assert instant(good["next_fire"])
    assert (good["paused"], good["enabled"], good["queue"], good["tags"]) == (False, True, "default", ["x"])
    assert good["last_run"].keys() == {"id", "state", "started_at", "duration"}
    assert good["last_run"]["id"] == 7
    assert bad["schedule"] == ["@hourly", "every 90s"]
    assert (one["schedule"], one["next_fire"], one["description"]) == (None, None, "")
    assert done.show("good").keys() >= JOB


def test_a_server_a_queue_and_a_batch(done: Project) -> None:
    (server,) = done.json("servers")
    assert server.keys() >= SERVER
    assert (server["name"], server["state"], server["workers"], server["busy"]) == ("blue", "stopped", 2, 0)
    assert server["queues"] == ["critical", "default", "low"]
    assert isinstance(server["heartbeat_age"], float)
    critical, default, low = done.json("queues")
    assert all(queue.keys() >= QUEUE for queue in (critical, default, low))
    assert (critical["queued"], critical["max_running"]) == (1, 4)
    assert isinstance(critical["oldest_wait"], float)
    assert (default["scheduled"], default["waiting"], default["oldest_wait"], default["max_running"]) == (
        1,
        1,
        None,
        None,
    )
    assert (low["retrying"], low["paused"]) == (1, False)
    (batch,) = done.json("batches")
    assert batch.keys() >= BATCH
    assert done.show("b1") == batch
    assert (batch["id"], batch["name"], batch["state"], batch["total"]) == ("b1", "one", "succeeded", 2)
    assert (batch["succeeded"], batch["failed"], batch["other"]) == (2, 0, 0)
    assert instant(batch["created_at"])
    assert instant(batch["finished_at"])


def test_explain_check_and_next(done: Project) -> None:
    found = done.json("explain", "0 2 * * *", "--from", "2026-10-24 12:00", "-n", "2")
    assert found.keys() >= {"expression", "timezone", "description", "next"}
    assert (found["expression"], found["timezone"]) == ("0 2 * * *", "Europe/Madrid")
    assert found["next"] == ["2026-10-25T02:00:00+02:00", "2026-10-26T02:00:00+01:00"]
    assert {"valid": True, "jobs": 3, "errors": []}.items() <= done.json("check").items()
    fires = done.json("next", "good", "-n", "1", "--from", "2026-10-25")
    assert (fires[0]["job"], fires[0]["at"]) == ("good", "2026-10-25T00:00:00.000000Z")


def test_what_json_prints_is_one_document_on_one_line(done: Project) -> None:
    for args in (["runs"], ["jobs"], ["show", "1"], ["show", "good"], ["audit"], ["queues"], ["servers"], ["check"]):
        answer = done.call(*args, "--json")
        assert answer.out.count("\n") == 1
        assert answer.out.isascii()
        assert answer.err == ""
