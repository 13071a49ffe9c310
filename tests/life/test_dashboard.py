"""The dashboard in a terminal of its own: what reaches it, and that it is given back whatever ends it."""

from __future__ import annotations

import os
import pty
import re
import select
import signal
import subprocess
import sys
import termios
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from project import Project, clean_environment

JOBS = """
[jobs.backup]
command = "true"
schedule = "0 2 * * *"
"""
LEFT = b"\x1b[?1049l"
"""What gives the terminal back what it showed before."""

_COLOUR = re.compile(rb"\x1b\[[0-9;:]*\b(?:3[0-9]|4[0-9]|9[0-7]|10[0-7])[;:m]")
_TRUE_COLOUR = re.compile(rb"[34]8[;:]2[;:]")


class Terminal:
    """A process on a terminal: what it has written so far."""

    def __init__(self, process: subprocess.Popen[bytes], ours: int) -> None:
        self.process = process
        self.said = b""
        self._ours = ours

    def press(self, keys: str) -> None:
        os.write(self._ours, keys.encode())

    def until(self, found: Callable[[bytes], bool], seconds: float = 20) -> None:
        """Reads until something is so, or the process has closed the terminal."""
        end = time.monotonic() + seconds
        while not found(self.said):
            assert time.monotonic() < end, self.said[-2000:]
            if not select.select([self._ours], [], [], 1)[0]:
                continue
            try:
                self.said += os.read(self._ours, 65536)
            except OSError:
                break

    def hang_up(self) -> None:
        """The terminal goes away."""
        if self._ours >= 0:
            os.close(self._ours)
        self._ours = -1

    def ended(self) -> int:
        """Reads to the end; gives the exit status."""
        self.until(lambda _: False)
        return self.process.wait(10)


@contextmanager
def opened(where: Project, *args: str, script: Path | None = None, **environ: str) -> Iterator[Terminal]:
    """The program, or a script that breaks something in it first, on a terminal."""
    ours, theirs = pty.openpty()
    termios.tcsetwinsize(theirs, (24, 100))
    environment = clean_environment(where.folder) | {"TERM": "xterm-256color", "LANG": "C.UTF-8"} | environ
    process = subprocess.Popen(
        [sys.executable, *([str(script)] if script else ["-m", "jobrunner"]), *args],
        cwd=where.folder,
        env=environment,
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
    )
    os.close(theirs)
    terminal = Terminal(process, ours)
    try:
        yield terminal
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()
        terminal.hang_up()


@pytest.fixture
def where(tmp_path: Path) -> Project:
    return Project(tmp_path, JOBS)


def processes_of(session: int) -> list[str]:
    """What still runs of a session, beside what has ended and waits to be noticed."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            name, rest = stat.read_text().rsplit(")", 1)
        except OSError:
            continue
        state, _, _, its = rest.split()[:4]
        if int(its) == session and state != "Z":
            found.append(name)
    return found


def ready(said: bytes) -> bool:
    return b"Overview" in said and b"live" in said


@pytest.mark.parametrize(
    ("number", "status"), [(signal.SIGTERM, 143), (signal.SIGHUP, 129), (signal.SIGINT, 130)], ids=lambda value: value
)
def test_a_signal_gives_the_terminal_back(where: Project, number: signal.Signals, status: int) -> None:
    with opened(where, "tui") as terminal:
        terminal.until(ready)
        terminal.process.send_signal(number)
        assert terminal.ended() == status
        assert LEFT in terminal.said
        assert b"Traceback" not in terminal.said


def test_keys_end_it_too_and_nothing_is_left_on_the_screen(where: Project) -> None:
    for keys, status in (("q", 0), ("\x03", 130)):
        with opened(where, "tui") as terminal:
            terminal.until(ready)
            terminal.press(keys)
            assert terminal.ended() == status
            assert re.fullmatch(rb"(\x1b\[[?<>0-9;]*[a-z])*", terminal.said.rpartition(LEFT)[2])


def test_without_colours_none_reaches_the_terminal(where: Project) -> None:
    with opened(where, "tui", NO_COLOR="1") as terminal:
        terminal.until(ready)
        for keys in ("2", "3", "4", "5", "6", "7", "?", "\x1b", ":"):
            terminal.press(keys)
        terminal.until(lambda said: b"Commands" in said)
        terminal.press("\x1bq")
        terminal.process.send_signal(signal.SIGTERM)
        terminal.ended()
        assert not _COLOUR.search(terminal.said)


def test_colours_are_those_of_the_terminal(where: Project) -> None:
    with opened(where, "tui", COLORTERM="truecolor") as terminal:
        terminal.until(ready)
        for keys in ("2", "4", "5", "6", "7", ":"):
            terminal.press(keys)
        terminal.until(lambda said: b"Pause everything" in said)
        terminal.process.send_signal(signal.SIGTERM)
        terminal.ended()
        assert _COLOUR.search(terminal.said)
        assert not _TRUE_COLOUR.search(terminal.said)


def test_a_terminal_without_unicode_gets_ascii(where: Project) -> None:
    with opened(where, "tui", LANG="C", LC_ALL="C") as terminal:
        terminal.until(ready)
        terminal.press("5")
        terminal.until(lambda said: b"scheduled job" in said)
        terminal.process.send_signal(signal.SIGTERM)
        terminal.ended()
        assert terminal.said.isascii()


def test_read_only_says_so(where: Project) -> None:
    with opened(where, "tui", "--read-only") as terminal:
        terminal.until(lambda said: b"READ-ONLY" in said)
        terminal.process.send_signal(signal.SIGTERM)
        assert terminal.ended() == 143


def test_where_no_screen_can_be_it_says_what_health_says(where: Project) -> None:
    answer = where.call("tui")
    assert answer.status == 2
    assert "there is no store yet" in answer.out
    with opened(where, "tui", TERM="dumb") as terminal:
        assert terminal.ended() == 2
        assert b"there is no store yet" in terminal.said
        assert b"\x1b" not in terminal.said


def test_keys_that_overlap_are_refused_in_one_line(where: Project) -> None:
    (where.folder / "jobrunner").mkdir()
    (where.folder / "jobrunner" / "tui.toml").write_text('[keys]\nretry = "p"\n')
    with opened(where, "tui", XDG_CONFIG_HOME=str(where.folder)) as terminal:
        assert terminal.ended() == 78
        assert terminal.said.count(b"\n") == 1
        assert b"'p' is given to" in terminal.said


def test_a_fault_of_ours_ends_it_with_one_line(where: Project) -> None:
    crash = (
        "import jobrunner.tui.screens.overview as overview, jobrunner.__main__ as program\n"
        "overview.Overview.tick = lambda self: 1 / 0\n"
        "program.main()\n"
    )
    start = where.folder / "start.py"
    start.write_text(crash)
    for debug in ([], ["--debug"]):
        with opened(where, "tui", *debug, script=start) as terminal:
            assert terminal.ended() == 1
            after = terminal.said.rpartition(LEFT)[2]
            assert b"unexpected ZeroDivisionError: division by zero" in after
            assert (b"Traceback" in after) is bool(debug)


def test_it_goes_to_the_shell_and_comes_back(where: Project) -> None:
    with opened(where, "tui") as terminal:
        terminal.until(ready)
        terminal.press("\x1a")
        terminal.until(lambda said: LEFT in said)
        _, status = os.waitpid(terminal.process.pid, os.WUNTRACED)
        assert os.WIFSTOPPED(status)
        terminal.said = b""
        terminal.process.send_signal(signal.SIGCONT)
        terminal.until(ready)
        terminal.press("q")
        assert terminal.ended() == 0


def test_it_ends_while_a_question_is_under_way(where: Project) -> None:
    start = where.folder / "start.py"
    start.write_text(
        "import threading, jobrunner.tui.screens.jobs as jobs, jobrunner.__main__ as program\n"
        "jobs.Jobs.question = lambda self: lambda admin: threading.Event().wait()\n"
        "program.main()\n"
    )
    with opened(where, "tui", script=start) as terminal:
        terminal.until(ready)
        terminal.press("2")
        terminal.until(lambda said: b"asking" in said or b"[2 Jobs]" in said)
        terminal.press("q")
        assert terminal.ended() == 0
        assert LEFT in terminal.said


def test_a_terminal_that_vanishes_without_a_signal_ends_it(where: Project) -> None:
    """It is not the controlling terminal of the process, so nobody sends SIGHUP."""
    with opened(where, "tui") as terminal:
        terminal.until(ready)
        terminal.hang_up()
        assert terminal.process.wait(10) == 128 + signal.SIGHUP
        assert processes_of(terminal.process.pid) == []
