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


EDITOR = """#!/bin/sh
printf '\\n# added by hand\\n' >> "$1"
"""


def test_the_editor_of_a_person_and_back(tmp_path: Path) -> None:
    """``E`` gives the terminal to ``jobrunner edit``, which runs $EDITOR; ``u`` takes the edit back."""
    project = Project(tmp_path, JOBS)
    script = tmp_path / "editor"
    script.write_text(EDITOR)
    script.chmod(0o755)
    before = project.file.read_text()
    environment = {**clean_environment(tmp_path), "EDITOR": str(script)}
    terminal = Terminal([sys.executable, "-m", "jobrunner", "tui"], tmp_path, environment)
    try:
        terminal.shows("no server", 12)
        terminal.send("2")
        terminal.until(lambda: "[2 Jobs]" in terminal.text() and "broken" in terminal.text(), "the jobs", 12)
        terminal.send("E")
        terminal.until(lambda: "$ jobrunner edit broken" in terminal.text(), "the command", 12)
        terminal.shows("[a]pply, [e]dit again or [q]uit?", 12)
        terminal.send("\r")
        terminal.shows("Enter goes back to the dashboard.", 12)
        terminal.send("\r")
        wanted = ("[2 Jobs]", "the file is changed; u undoes it")
        terminal.until(lambda: all(text in terminal.text() for text in wanted), "the dashboard again", 12)
        assert project.file.read_text() != before
        assert "# added by hand" in project.file.read_text()
        terminal.send("u")
        terminal.until(lambda: "undone" in terminal.text(), "the edit taken back", 12)
        assert project.file.read_text() == before
        terminal.send("q")
        assert terminal.ended(PATIENCE) == 0
        assert terminal.restored()
    finally:
        terminal.close()


LATER = (
    "jobrunner.tui.dialogs.",
    "jobrunner.tui.commands",
    "jobrunner.admin.doctor",
    "jobrunner.admin.standings",
    *(f"jobrunner.domain.{name}" for name in ("audit", "board", "chain", "forecast", "lanes")),
)
"""What the overview needs nothing of: to import it would keep everybody waiting for the first picture."""

TELLING = """
import os, sys
def tell(status, end=os._exit):
    frames = sys.modules["textual.constants"].MAX_FPS
    print(*sys.modules, frames, file=open({imported!r}, "w"), flush=True)
    end(status)
os._exit = tell
from jobrunner.__main__ import main
main()
"""


def test_the_first_picture_waits_for_nothing_that_is_not_in_it_and_no_other_for_long(tmp_path: Path) -> None:
    Project(tmp_path, JOBS)
    imported = tmp_path / "imported"
    call = [sys.executable, "-c", TELLING.format(imported=str(imported)), "tui"]
    terminal = Terminal(call, tmp_path, clean_environment(tmp_path))
    try:
        terminal.shows("no server", 30)
        terminal.send("q")
        assert terminal.ended(PATIENCE) == 0
    finally:
        terminal.close()
    *loaded, frames = imported.read_text().split()
    assert frames == "120"
    assert "jobrunner.tui.screens.overview" in loaded
    assert sorted(name for name in loaded if name.startswith(LATER)) == []


LISTENING = """
import logging, runpy, sys, warnings
remarks = open({remarks!r}, "a", buffering=1)
logging.getLogger("asyncio").addHandler(logging.StreamHandler(remarks))
warnings.showwarning = lambda said, *more: print(repr(said), *more[:3], file=remarks)
sys.unraisablehook = lambda one: print("unraisable", one.exc_value, one.object, file=remarks)
runpy.run_module("jobrunner", run_name="__main__", alter_sys=True)
"""
"""While the dashboard runs, stderr is not the terminal's: what is remarked then is written to a file as well."""


def test_nothing_is_left_behind_by_any_screen(tmp_path: Path) -> None:
    """Python's own remarks, about tasks and files that nobody has ended and what was never awaited, go to stderr."""
    Project(tmp_path, JOBS)
    remarks = tmp_path / "remarks"
    (tmp_path / "listening.py").write_text(LISTENING.format(remarks=str(remarks)))
    call = f'exec "{sys.executable}" -X dev {tmp_path}/listening.py tui 2>>{remarks}'
    environment = {**clean_environment(tmp_path), "PYTHONASYNCIODEBUG": "1"}
    terminal = Terminal(["sh", "-c", call], tmp_path, environment)

    def goes(keys: str, wanted: str) -> None:
        terminal.send(keys)
        terminal.until(lambda: wanted in terminal.text(), f"{wanted} after {keys!r}", 30)

    def closes(title: str) -> None:
        terminal.send("\x1b")
        terminal.until(lambda: title not in terminal.text(), f"{title} closes", 30)

    try:
        terminal.shows("no server", 30)
        for number, name in (("2", "Jobs"), ("3", "Runs"), ("4", "Queues"), ("5", "Schedule"), ("6", "Servers")):
            goes(number, f"[{number} {name}]")
        goes("7", "[7 Configuration]")
        goes("2r", "run 1 of broken is created")
        goes("\r", "Jobs › broken")
        goes("d", "Decisions")
        goes("qw", "Why › ")
        goes("qqe", "form")
        goes("\x1b", "[2 Jobs]")
        goes("l", "It has not begun")
        goes("q:", "ctrl+y copies")
        closes("ctrl+y copies")
        goes("?", "Keys in")
        closes("Keys in")
        goes("1", "[1 Overview]")
        terminal.send("q")
        assert terminal.ended(PATIENCE) == 0
        assert terminal.restored()
    finally:
        terminal.close()
    said = [line for line in remarks.read_text().splitlines() if not line.startswith("Executing <")]
    assert said == [], "beside that something took long, which asyncio says while it is debugged"
