"""What a server meets on real machines: odd folders, other files, other hosts, deaf logs, early signals."""

import os
import re
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from project import PATIENCE, Project, marked, until

from jobrunner import Client

HELLO = """
[jobs.hello]
command = "echo hello"

[jobs.python]
python = "functions:hello"

[jobs.once]
command = "true"
unique = true
"""

Maker = Callable[[str], Project]


@pytest.mark.parametrize(
    "name", ["with space", "per%20cent", "ha#sh?ü", "x" * 200, "-dash", "quo'te\"s"], ids=lambda name: name[:12]
)
def test_any_folder_will_do(tmp_path: Path, name: str) -> None:
    folder = tmp_path / name
    folder.mkdir()
    where = Project(folder, HELLO)
    (folder / "functions.py").write_text("def hello():\n    return 'hello'\n")
    run, python = where.trigger("hello"), where.trigger("python")
    with where.server("--workers", "2"):
        assert [where.ended(each)["state"] for each in (run, python)] == ["succeeded", "succeeded"]
        assert where.call("trigger", "hello", "--follow").out == "hello\n"
    assert {path.name for path in tmp_path.iterdir()} == {name}
    assert (folder / "jobrunner.db").exists()
    where.close()


def test_a_job_that_the_server_has_not_loaded_yet(project: Maker) -> None:
    where = project(HELLO)
    with where.server():
        where.write(HELLO + "\n[jobs.new]\ncommand = 'echo new'\n")
        assert where.call("trigger", "new", "--follow").out == "new\n"
        answer = where.call("submit", "--follow", "--", "echo", "ad", "hoc")
        assert (answer.status, answer.out) == (0, "ad hoc\n")


def test_a_program_runs_where_it_was_submitted(project: Maker) -> None:
    where = project(HELLO)
    (where.folder / "sub").mkdir()
    with where.server():
        answer = where.call("submit", "--follow", "--cwd", "sub", "--", "pwd")
        assert answer.out == f"{where.folder / 'sub'}\n"
        answer = where.call("submit", "--wait", "--run-timeout", "50ms", "--", "sleep", "60")
        assert answer.status == 1
        assert "timed out" in answer.err
        answer = where.call("submit", "--follow", "--", "sh", "-c", 'echo "{$1}"', "sh", "{{x}} ${HOME}")
        assert answer.out == "{{{x}} ${HOME}}\n"


def test_servers_with_different_files_are_told_apart(project: Maker) -> None:
    held = 'jobrunner.reload = "signal"\n' + HELLO
    where = project(held)
    with where.server("--name", "a"):
        where.write(held + "\n[jobs.new]\ncommand = 'true'\n")
        with where.server("--name", "b"):
            a, b = where.json("servers")
            assert a["config_hash"] != b["config_hash"]
            told = f"the servers have different configurations (a: {a['config_hash']}, b: {b['config_hash']}); give all"
            answer = where.call("servers")
            assert told in answer.err
            assert answer.out.count("≠") == 2
            found = where.call("doctor", "--json").json["checks"]
            assert next(one["detail"] for one in found if "another configuration" in one["detail"]).startswith("a: ")


def test_sqlite_on_two_hosts_is_refused(project: Maker) -> None:
    where = project(HELLO)
    with where.server():
        with sqlite3.connect(where.folder / "jobrunner.db") as db:
            # A host of its own, not a container of this one: another boot.
            there = "host = 'elsewhere', identity = 'b007' || identity, heartbeat_at = heartbeat_at + 60000000"
            db.execute(f"UPDATE servers SET {there}")
        db.close()
        answer = where.run("run")
        assert answer.status == 6
        assert answer.err.count("\n") == 1
        assert "elsewhere" in answer.err
        assert "PostgreSQL" in answer.err


def test_a_log_that_nobody_reads_any_more(project: Maker) -> None:
    where = project(HELLO)
    read, write = os.pipe()
    process = where.popen("run", stdout=subprocess.DEVNULL, stderr=write)
    os.close(write)
    os.close(read)
    run = where.trigger("hello")
    assert where.ended(run)["state"] == "succeeded"
    process.send_signal(signal.SIGTERM)
    assert process.wait(PATIENCE) == 0


def test_closed_streams(project: Maker) -> None:
    where = project(HELLO)
    run = where.trigger("hello")
    line = f"exec {sys.executable} -m jobrunner run --burst <&- >&- 2>&-"
    done = subprocess.run(["sh", "-c", line], cwd=where.folder, env=where.environment, timeout=PATIENCE)
    assert done.returncode == 0
    assert where.logs(run) == "hello\n"


@pytest.mark.parametrize("helpers", [0, 1, 2])
def test_a_signal_during_the_start(project: Maker, helpers: int) -> None:
    where = project(HELLO)
    run = where.trigger("hello")
    server = where.start()
    until(lambda: len(marked(server.mark)) > helpers, "its helpers")
    server.signal(signal.SIGTERM)
    assert server.wait() in (0, -signal.SIGTERM)
    assert "Traceback" not in server.text()
    server.left_nothing()
    where.burst()
    assert where.show(run)["state"] == "succeeded"


def test_triggers_at_the_same_moment_keep_a_run_unique(project: Maker) -> None:
    where = project(HELLO)

    def trigger(_: int) -> int:
        with Client.open(where.file) as client:
            return client.trigger("once").id

    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(trigger, range(24))) == {1}


def test_a_run_starts_when_it_is_triggered_and_not_when_somebody_looks(project: Maker) -> None:
    """A hundred runs one after another: looking every second would take longer than anybody waits."""
    where = project("[jobs.a]\npython = 'functions:hello'\n")
    (where.folder / "functions.py").write_text("def hello():\n    return 1\n")
    with where.server(), Client.open(where.file) as client:
        assert sum(client.trigger("a").result(PATIENCE) for _ in range(100)) == 100


if os.geteuid() == 0:

    def test_another_user(project: Maker) -> None:
        where = project("[jobs.a]\ncommand = 'id -un; echo $HOME $USER'\nuser = 'nobody'\ncwd = '/'\n")
        run = where.trigger("a")
        where.burst()
        name, home = where.logs(run).splitlines()
        assert name == "nobody"
        assert home.endswith("nobody")


def test_limits_of_an_attempt(project: Maker) -> None:
    where = project(
        "[jobs.a]\ncommand = 'ulimit -n'\nopen_files = 50\n"
        "[jobs.hungry]\ncommand = ['python3', '-c', 'import time; x = b\"x\" * 10**8; time.sleep(1000)']\n"
        "memory_max = '20MiB'\n"
    )
    run, hungry = where.trigger("a"), where.trigger("hungry")
    where.burst()
    assert where.logs(run) == "50\n"
    shown = where.show(hungry)
    (attempt,) = shown["attempts"]
    assert shown["state"] == "failed"
    assert re.fullmatch(r"memory_max 20 MiB exceeded: [0-9.]+ MiB in 1 process", shown["error"])
    assert attempt["peak_memory"] > 20 * 1024**2
    assert attempt["cpu_time"] > 0
