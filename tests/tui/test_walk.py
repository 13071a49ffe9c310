"""One walk through the dashboard as people have it: a real server, the real command, in a terminal of its own.

Keys are sent as fast as they can be, several at once, as they arrive over a slow line.
"""

from __future__ import annotations

import json
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from project import PATIENCE, Project, clean_environment

from bench.terminal import Terminal

JOBS = """
[jobs.hello]
command = ["sh", "-c", "echo good morning"]

[jobs.broken]
command = ["sh", "-c", "echo it went wrong >&2; exit 3"]
schedule = "0 2 * * *"
"""


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Project]:
    project = Project(tmp_path, JOBS)
    try:
        with project.server():
            yield project
    finally:
        project.close()


@pytest.fixture
def terminal(project: Project) -> Iterator[Terminal]:
    program = [sys.executable, "-m", "jobrunner", "tui"]
    opened = Terminal(program, project.folder, clean_environment(project.folder))
    try:
        yield opened
    finally:
        opened.close()


def test_a_walk(project: Project, terminal: Terminal) -> None:
    def goes(keys: str, *wanted: str, not_any_more: str = "\0") -> None:
        terminal.send(keys)
        terminal.until(
            lambda: all(text in terminal.text() for text in wanted) and not_any_more not in terminal.text(),
            f"{wanted} after {keys!r}",
            12,
        )

    goes("", "all is well", "0/4 workers")
    goes("2/hel", "filter: hel", not_any_more="broken")
    goes("\rr", "run 1 of hello is created", "jobrunner trigger hello")
    goes("l", "good morning", "[1 Output]")
    goes("\x1b", "[2 Jobs]")
    goes("/\x15bro\rr", "run 2 of broken is created")
    goes("3", "[3 Runs]", "failed dead")
    goes("/state:failed\r", "filter: state:failed", not_any_more="succeeded")
    goes("l", "it went wrong", "exit 3")
    goes("\x1b", "[3 Runs]")
    goes("1", "NEEDS ATTENTION (1)", "broken")
    goes("4", "[4 Queues]", "default")
    goes("p", "Reason")
    goes("1h\tthe disk\r", "--reason 'the disk'")
    goes("\t\r", "paused", not_any_more="Cancel")
    goes("5", "[5 Schedule]", "broken")
    goes("6", "[6 Servers]")
    goes("7", "[7 Configuration]")
    goes("?", "Keys in Configuration")
    goes("\x1b", "[7 Configuration]", not_any_more="Keys in")
    goes(":", "Have the servers")
    goes("\x1b", not_any_more="Have the servers")
    terminal.resize(50, 9)
    terminal.until(lambda: "Configuration" not in terminal.text(), "one line of status", 12)
    terminal.resize(140, 40)
    goes("2", "[2 Jobs]")
    goes("q")
    assert terminal.ended(PATIENCE) == 0
    assert terminal.restored()
    states = [(run["job"], run["state"]) for run in json.loads(project.call("runs", "--json").out)]
    assert states == [("broken", "failed"), ("hello", "succeeded")]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_gives_the_terminal_back(tmp_path: Path, number: signal.Signals) -> None:
    Project(tmp_path, JOBS)
    terminal = Terminal([sys.executable, "-m", "jobrunner", "tui"], tmp_path, clean_environment(tmp_path))
    try:
        terminal.shows("no server", 12)
        terminal.process.send_signal(number)
        assert terminal.ended(PATIENCE) == 128 + number
        assert terminal.restored()
    finally:
        terminal.close()
