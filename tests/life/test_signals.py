"""How a server ends, reloads, and tells systemd and the log about itself."""

import json
import os
import pty
import signal
import socket
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from dialogue import received
from project import PATIENCE, Project, Server, until

JOBS = """
[jobrunner]
shutdown_timeout = "TIMEOUT"

[defaults]
kill_grace = "50ms"

[jobs.gated]
command = "echo up; cat gate >/dev/null; echo through"

[jobs.hello]
command = "echo hello"

[jobs.fails]
command = "exit 3"
"""

Maker = Callable[[str], Project]


def up(where: Project, job: str = "gated") -> int:
    run = where.trigger(job)
    until(lambda: "up" in where.logs(run), "the run")
    return run


def drains(server: Server) -> None:
    server.said(lambda line: "draining" in line.get("message", ""))


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_lets_runs_end_and_takes_no_more(project: Maker, number: signal.Signals) -> None:
    where = project(JOBS.replace("TIMEOUT", "1m"))
    os.mkfifo(where.folder / "gate")
    with where.server() as server:
        run = up(where)
        server.signal(number)
        drains(server)
        until(lambda: where.json("servers")[0]["state"] == "draining", "the state")
        late = where.trigger("hello")
        (where.folder / "gate").write_text("go")
        assert server.wait() == 0
    shown = where.show(run)
    assert (shown["state"], shown["attempt"]) == ("succeeded", 1)
    assert where.logs(run) == "up\nthrough\n"
    assert where.show(late)["state"] == "queued"
    assert where.json("servers")[0]["state"] == "stopped"
    assert server.log()[-1]["message"] == "stopped"


def test_what_does_not_end_in_time_is_interrupted_and_goes_back(project: Maker) -> None:
    where = project(JOBS.replace("TIMEOUT", "50ms"))
    os.mkfifo(where.folder / "gate")
    with where.server() as server:
        run = up(where)
        server.signal(signal.SIGTERM)
        assert server.wait() == 0
    shown = where.show(run)
    assert (shown["state"], shown["attempt"], shown["max_attempts"]) == ("queued", 1, 2)
    assert shown["attempts"][0]["outcome"] == "interrupted"
    with where.server():
        where.in_state(run, "running")
        (where.folder / "gate").write_text("go")
        shown = where.ended(run)
    assert (shown["state"], shown["attempt"]) == ("succeeded", 2)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_second_signal_does_not_wait(project: Maker, number: signal.Signals) -> None:
    where = project(JOBS.replace("TIMEOUT", "10m").replace("50ms", "10m"))
    os.mkfifo(where.folder / "gate")
    with where.server() as server:
        run = up(where)
        server.signal(signal.SIGTERM)
        drains(server)
        server.signal(number)
        assert server.wait() == 0
    shown = where.show(run)
    assert (shown["state"], shown["max_attempts"]) == ("queued", 2)


def test_an_interrupted_run_counts_against_nothing(project: Maker) -> None:
    where = project(JOBS.replace("TIMEOUT", "0s"))
    os.mkfifo(where.folder / "gate")
    run = where.trigger("gated", "--retries", "1")
    for _ in range(2):
        with where.server() as server:
            where.in_state(run, "running")
            server.signal(signal.SIGTERM)
            server.signal(signal.SIGTERM)
            assert server.wait() == 0
    shown = where.show(run)
    assert (shown["state"], shown["attempt"], shown["max_attempts"]) == ("queued", 2, 4)


def test_hangup_reloads_and_a_broken_file_keeps_the_last_good_one(project: Maker) -> None:
    text = JOBS.replace("TIMEOUT", "1m")
    where = project(text)
    with where.server() as server:
        before = where.json("servers")[0]["config_hash"]
        where.write(text.replace("echo hello", "echo goodbye") + '\n[jobs.new]\ncommand = "echo new"\n')
        server.signal(signal.SIGHUP)
        server.said(lambda line: line.get("message", "").startswith("reloaded"))
        until(lambda: where.json("servers")[0]["config_hash"] != before, "the new configuration")
        assert [where.call("trigger", job, "--follow").out for job in ("hello", "new")] == ["goodbye\n", "new\n"]
        good = where.json("servers")[0]["config_hash"]
        where.write("[jobs.hello]\ncommand = 3\n")
        server.signal(signal.SIGHUP)
        line = server.said(lambda line: "last good one" in line.get("message", ""))
        assert line["level"] == "error"
        assert "jobs.toml:2:" in line["message"]
        assert where.json("servers")[0]["config_hash"] == good
        where.write(text)
        assert where.call("trigger", "hello", "--follow").out == "goodbye\n"


def test_a_hundred_hangups(project: Maker) -> None:
    where = project(JOBS.replace("TIMEOUT", "1m"))
    with where.server() as server:
        runs = []
        for _ in range(10):
            runs.append(where.trigger("hello"))
            for _ in range(10):
                server.signal(signal.SIGHUP)
        assert {where.ended(run)["state"] for run in runs} == {"succeeded"}


def test_an_attempt_uses_the_definition_in_force_and_a_removed_job_its_own(project: Maker) -> None:
    where = project("[jobs.a]\ncommand = 'echo old'\n[jobs.b]\ncommand = 'echo kept'\n")
    a, b = where.trigger("a"), where.trigger("b")
    where.write("[jobs.a]\ncommand = 'echo new'\n")
    where.burst()
    assert (where.logs(a), where.logs(b)) == ("new\n", "kept\n")
    assert where.show(b)["state"] == "succeeded"


@pytest.fixture
def notified(tmp_path: Path) -> socket.socket:
    found = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    found.bind(str(tmp_path / "notify"))
    found.settimeout(PATIENCE)
    return found


def test_systemd_is_told(project: Maker, notified: socket.socket, tmp_path: Path) -> None:
    where = project(JOBS.replace("TIMEOUT", "1m") + "[jobs.seen]\ncommand = 'env; echo end'\n")
    environ = {"NOTIFY_SOCKET": str(tmp_path / "notify"), "WATCHDOG_USEC": "400000"}
    with notified:
        server = where.start(**environ)
        # A file that was written just now is read once more, and systemd told of it, but not before it takes runs.
        words = [notified.recv(1000).partition(b"\n")[0] for _ in range(5)]
        assert b"WATCHDOG=1" in words
        told = [word for word in words if word != b"WATCHDOG=1"]
        assert told in ([b"READY=1"], [b"READY=1", b"RELOADING=1", b"READY=1"])
        answer = where.call("trigger", "seen", "--follow")
        assert answer.out.endswith("end\n")
        for name in (*environ, "WATCHDOG_PID"):
            assert name not in answer.out
        server.signal(signal.SIGTERM)
        received = b""
        while received != b"STOPPING=1":
            received = notified.recv(1000)
            assert received in (b"STOPPING=1", b"WATCHDOG=1")
        assert server.wait() == 0


def test_each_line_of_the_log_is_a_json_object_with_run_job_and_attempt(project: Maker) -> None:
    where = project(JOBS.replace("TIMEOUT", "1m"))
    run = where.trigger("fails")
    server = where.burst()
    assert all(isinstance(json.loads(line), dict) for line in server.lines)
    line = server.said(lambda line: line.get("run") == run)
    assert (line["job"], line["attempt"], line["level"]) == ("fails", 1, "warning")
    assert line["message"] == "failed: exit status 3"
    assert line["time"].endswith("Z")


def test_the_format_of_the_log_can_be_chosen(project: Maker) -> None:
    where = project(JOBS.replace("TIMEOUT", "1m"))
    run = where.trigger("fails")
    server = where.burst("--log-format", "text")
    (line,) = [line for line in server.lines if "exit status 3" in line]
    assert line.endswith(f"run={run} job=fails attempt=1")


def test_what_is_logged_at_the_least_can_be_chosen(project: Maker) -> None:
    where = project(JOBS.replace("TIMEOUT", "1m"))
    for level, said in (
        (None, {"ready", "succeeded", "failed: exit status 3", "stopped"}),
        ("info", {"ready", "succeeded", "failed: exit status 3", "stopped"}),
        ("warning", {"failed: exit status 3"}),
        ("error", set()),
    ):
        where.trigger("hello")
        where.trigger("fails")
        server = where.burst(*(() if level is None else ("--log-level", level)))
        assert {json.loads(line)["message"] for line in server.lines} == said
    assert where.call("run", "--burst", "--log-level", "debug").status == 0
    assert where.call("run", "--log-level", "loud").status == 2


def test_a_terminal_gets_text_unless_json_is_asked_for(project: Maker) -> None:
    where = project(JOBS.replace("TIMEOUT", "1m"))
    for options, starts in (([], "2"), (["--log-format", "json"], "{")):
        ours, theirs = pty.openpty()
        with where.popen("run", "--burst", *options, stdout=subprocess.DEVNULL, stderr=theirs) as process:
            os.close(theirs)
            found = received(ours)
        os.close(ours)
        assert process.returncode == 0
        assert {line[:1] for line in found.decode().splitlines()} == {starts}


def test_a_server_knows_its_own_pid_workers_and_queues(project: Maker) -> None:
    where = project(JOBS.replace("TIMEOUT", "1m"))
    with where.server("--workers", "3", "--name", "blue", "--queue", "low") as server:
        (shown,) = where.json("servers")
        assert (shown["pid"], shown["workers"], shown["name"], shown["queues"]) == (server.pid, 3, "blue", ["low"])
        assert shown["state"] == "running"
        assert where.call("trigger", "hello").err.startswith("jobrunner: no server serves the queue 'default'")
        assert where.call("trigger", "hello", "--queue", "low").err == ""
