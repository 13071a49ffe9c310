"""What monitoring hears of a living, a misled and a dead server."""

import signal
import sqlite3
from collections.abc import Callable

from project import Project, until

JOBS = """
[jobs.hello]
command = "echo hello"
schedule = "every 1h"
"""

Maker = Callable[[str], Project]


def test_health_follows_a_server_through_its_life(project: Maker) -> None:
    where = project(JOBS)
    with where.server("--name", "a", "--queue", "default") as server:
        answer = where.call("health")
        assert (answer.status, answer.out) == (0, "healthy: 1 server, 0 queued, 0 running, 0 dead letters\n")
        assert where.json("doctor")["ok"] is True

        where.trigger("hello", "--queue", "low")
        answer = where.call("health")
        assert answer.status == 1
        assert answer.out == "unhealthy: 1 run waits in queue low, which no living server serves\n"
        where.call("cancel", "1")

        where.write("[jobs.hello]\ncommand = 'echo'\nbroken = 1\n")
        server.signal(signal.SIGHUP)
        until(lambda: where.json("servers")[0]["config_error"], "the refusal")
        answer = where.call("health")
        assert answer.status == 1
        assert "server a goes on with an older file: " in answer.out
        assert "broken" in answer.out
        assert "server a goes on with an older file" in where.call("servers").err
        assert any(check["status"] == "fault" for check in where.call("doctor", "--json").json["checks"])

        where.write(JOBS + "[jobs.more]\ncommand = 'true'\n")
        server.signal(signal.SIGHUP)
        until(lambda: where.call("health").status == 0, "the new file")
        assert where.json("servers")[0]["config_error"] is None
        server.stop()
    assert where.call("health").out == "unhealthy: no server runs\n"


def test_a_server_that_fires_nothing_is_told_from_one_that_does(project: Maker) -> None:
    where = project(JOBS)
    with where.server("--name", "a"):
        assert where.call("health").status == 0
    with where.server("--name", "b", "--no-scheduler"):
        assert "no living server fires them" in where.call("health").out
        with where.server("--name", "a"):
            assert where.call("health").status == 0


def test_a_server_that_starts_over_with_a_broken_file_says_so(project: Maker) -> None:
    where = project(JOBS)
    with where.server("--name", "a") as server:
        where.write("[jobs.hello]\n")
        with sqlite3.connect(where.folder / "jobrunner.db") as db:
            db.execute("UPDATE servers SET state = 'lost', ended_at = 0")
        db.close()
        server.said(lambda line: "stays in force" in line["message"])
        until(lambda: "older file" in where.call("health").out, "the refusal")
