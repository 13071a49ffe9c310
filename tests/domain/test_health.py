"""When servers and queues are well, and what is said when they are not."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from jobrunner.domain import health
from jobrunner.domain.finding import Severity
from jobrunner.domain.queue import QueueStatus
from jobrunner.domain.server import Server, ServerState

LOST_AFTER = timedelta(seconds=30)
SERVER = Server(
    id=1,
    name="a",
    host="here",
    pid=1,
    state=ServerState.RUNNING,
    started_at=datetime(2026, 5, 4, tzinfo=UTC),
    heartbeat_age=2.0,
    workers=4,
    busy=0,
    queues=("default",),
    config_hash="x",
    version="1",
    scheduler_age=0.5,
)
QUEUE = QueueStatus(
    name="default",
    queued=3,
    running=0,
    waiting=0,
    scheduled=0,
    retrying=0,
    oldest_wait=5.0,
    paused=False,
    max_running=None,
)


@pytest.mark.parametrize(
    ("changes", "scheduled", "said"),
    [
        ({}, True, []),
        ({"state": ServerState.DRAINING}, True, []),
        ({"heartbeat_age": 30.0}, True, []),
        ({"heartbeat_age": 31.0}, True, ["no server runs", "server a (pid 1 on here) has been silent for 31s"]),
        ({"state": ServerState.STOPPED}, False, ["no server runs"]),
        ({"state": ServerState.LOST}, False, ["no server runs"]),
        ({"config_error": "jobs.toml:3:1: no"}, True, ["server a goes on with an older file: jobs.toml:3:1: no"]),
        ({"scheduler_age": 31.0}, True, ["the scheduler of server a has stood still for 31s"]),
        ({"scheduler_age": None}, True, ["jobs have schedules, and no living server fires them"]),
        ({"scheduler_age": None}, False, []),
        ({"scheduler_age": None, "state": ServerState.STARTING}, True, []),
    ],
)
def test_a_server(changes: dict[str, object], scheduled: bool, said: list[str]) -> None:
    found = health.of_servers([SERVER._replace(**changes)], scheduled=scheduled, lost_after=LOST_AFTER)  # type: ignore[arg-type]
    assert [finding.detail for finding in found] == said


def test_one_silent_server_of_two_is_a_warning() -> None:
    silent = SERVER._replace(name="b", heartbeat_age=90.0)
    (found,) = health.of_servers([SERVER, silent], scheduled=True, lost_after=LOST_AFTER)
    assert found.status is Severity.WARNING
    assert "b (pid 1 on here) has been silent for 1m30s" in found.detail


@pytest.mark.parametrize(
    ("queue", "server", "said"),
    [
        ({}, {}, []),
        ({"queued": 0}, {"queues": ("other",)}, []),
        ({}, {"queues": ("other",)}, ["3 runs wait in queue default, which no living server serves"]),
        ({"queued": 1}, {"queues": ()}, ["1 run waits in queue default, which no living server serves"]),
        ({}, {"state": ServerState.DRAINING}, ["3 runs wait in queue default, which no living server serves"]),
        ({"paused": True}, {"queues": ()}, []),
        ({}, {"queues": (), "heartbeat_age": 99.0}, []),  # that none lives is said already
        ({"oldest_wait": 59.0}, {}, []),
        ({"oldest_wait": 90.4}, {}, ["3 runs wait in queue default, for up to 1m30s, while all workers are idle"]),
        ({"oldest_wait": 90.0}, {"busy": 1}, []),
        ({"oldest_wait": 90.0, "paused": True}, {}, []),
        ({"oldest_wait": 90.0, "running": 2, "max_running": 2}, {}, []),
        ({"oldest_wait": 90.0, "running": 1, "max_running": 2}, {}, ["3 runs wait in queue default, for up to 1m30s"]),
    ],
)
def test_a_queue(queue: dict[str, object], server: dict[str, object], said: list[str]) -> None:
    statuses, servers = [QUEUE._replace(**queue)], [SERVER._replace(**server)]  # type: ignore[arg-type]
    found = health.of_queues(statuses, servers, LOST_AFTER)
    assert len(found) == len(said)
    assert all(finding.status is Severity.FAULT for finding in found)
    assert all(finding.detail.startswith(words) for finding, words in zip(found, said, strict=True))
