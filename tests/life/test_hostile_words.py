"""Whatever words a job, a parameter, a host or a file has: a terminal obeys none of them, in any command."""

from __future__ import annotations

import json
import os
import pty
import re
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Sequence

import pytest
from dialogue import received
from project import Project

NASTY = (
    "\x1b]0;title\x07"  # sets the title
    "\x1b]8;;http://evil/\x1b\\link\x1b]8;;\x1b\\"  # a link
    "\x1b]52;c;ZXZpbA==\x07"  # the clipboard
    "\x1b]1337;File=inline=1:AAAA\x07"  # iTerm2
    '\x1bP$q"p\x1b\\'  # DCS
    "\x1b[2J\x1b[6n\x1b[8m\x1b[?1049h\x1bc"  # clears, asks, hides, switches, resets
    "\x9b2J\x9d0;x\x9c\x90q\x9c"  # the same as C1
    "\x08\x0b\x0c\r\x00\x7f\x05"
    "\u202edesrever\u2066\u2069\u200b\u2028\ufeff"
    "[/x][link=http://evil/]x[/link][bold red]"
)
TYPED = NASTY.replace("\0", "")
"""As an argument of a command, which cannot hold NUL."""

WRITTEN = json.dumps(TYPED).replace("\x7f", "\\u007f")
"""In a TOML file."""

JOBS = f"""
[jobs.says]
description = {WRITTEN}
command = ["python3", "says.py"]
params.word = {{ default = "plain", description = {WRITTEN} }}

[jobs.returns]
python = "functions:returns"

[jobs.raises]
python = "functions:raises"

[jobs.scheduled]
command = "true"
description = {WRITTEN}
schedule = "0 2 * * *"
"""

SAYS = f"""
import sys
sys.stdout.buffer.write({NASTY!r}.encode() + b"\\x9b2J \\xff\\xfe\\n")
sys.stderr.buffer.write({NASTY!r}.encode() + b"\\n")
sys.exit(3)
"""

FUNCTIONS = f"""
from jobrunner import current_run

NASTY = {NASTY!r}

def returns():
    current_run().progress(1, total=2, message=NASTY)
    return {{NASTY: [NASTY]}}

def raises():
    raise ValueError(NASTY)
"""

CALLS = """
import json, sys
from jobrunner.cli.app import main
for args in json.loads(sys.stdin.read()):
    print(f"## {json.dumps(args)[:60]}", flush=True)
    print(f"== {main(args)}", flush=True)
"""

HEARD = re.compile(rb"\x1b\[(?:[0-79;]|(?<=[0-9;])8|8(?=[0-9]))*m")
"""Colours, but for what hides text."""


@pytest.fixture
def where(project: Callable[[str], Project]) -> Project:
    made = project(JOBS)
    (made.folder / "says.py").write_text(SAYS)
    (made.folder / "functions.py").write_text(FUNCTIONS)
    return made


def test_no_command_lets_words_reach_a_terminal_raw(where: Project) -> None:
    acts = [
        ["trigger", "says", "-p", f"word={TYPED}"],
        ["trigger", "returns"],
        ["trigger", "raises"],
        ["submit", "--", TYPED, TYPED],
        ["submit", "--", "sh", "-c", "exit 1", TYPED],
        ["trigger", "says", "--each", "-"],
        ["pause", "scheduled", "--reason", TYPED],
        ["pause", "--queue", "low", "--reason", TYPED],
    ]
    for args in acts:
        answer = where.call(*args, input=json.dumps({"word": TYPED}))
        assert answer.status == 0, answer
    log = on_terminal(where, ["run", "--burst", "--name", TYPED, "--log-format", "text"])
    assert (obeyed(log), b"evil" in log) == ([], True)
    with sqlite3.connect(where.folder / "jobrunner.db") as db:
        db.execute("UPDATE servers SET host = ?, version = ?, config_error = ?", (NASTY, NASTY, NASTY))
        db.execute("UPDATE servers SET state = 'running', config_hash = ?, ended_at = NULL", (NASTY,))
        db.execute("UPDATE audit SET host = ?, who = ?", (NASTY, NASTY))
        db.execute("UPDATE batches SET name = ?", (NASTY,))
    db.close()
    received = calls_on_terminal(where, [*looks(), *mistakes()])
    assert obeyed(received) == []
    assert received.count(b"[/x][link=http://evil/]x[/link]") > 20


def test_a_file_that_is_wrong_in_hostile_words(where: Project) -> None:
    key = WRITTEN
    where.write(f"{JOBS}\n[jobs.{key}]\ncommand = {key}\n{key} = {key}\n[{key}]\n[jobs.b]\nqueue = {key}\n")
    verbs = ([verb] for verb in ("check", "jobs", "runs", "doctor", "health", "run", "next", "simulate"))
    received = calls_on_terminal(where, [*verbs, ["trigger", "b"], ["check", "--json"]])
    assert obeyed(received) == []
    assert received.count(b"evil") > 5


def looks() -> list[list[str]]:
    """Every verb that looks, in text and in JSON."""
    found = [["runs"], ["runs", "--dead"], ["jobs"], ["queues"], ["servers"], ["batches"], ["audit"], ["next"]]
    found += [["show", each] for each in ("1", "2", "3", "4", "5", "6", "b1", "says", "returns", "scheduled")]
    found += [["logs", each] for each in ("1", "2", "3", "4", "6")]
    found += [["why", each] for each in ("1", "3", "4", "says", "scheduled")]
    found += [["verify"], ["simulate"], ["doctor"], ["health"], ["check"], ["explain", "@daily"]]
    return [*found, *([*args, "--json"] for args in found)]


def mistakes() -> list[list[str]]:
    """Words that a command says back."""
    found = [["trigger", TYPED], ["trigger", "says", "-p", TYPED], ["trigger", "says", "-p", f"{TYPED}=1"]]
    found += [["show", TYPED], ["logs", TYPED], ["explain", TYPED], ["explain", "@daily", "--timezone", TYPED]]
    found += [["runs", "--state", TYPED], ["runs", "--since", TYPED], [TYPED], [f"--{TYPED}"], ["-c", TYPED, "runs"]]
    found += [["retry", TYPED], ["cancel", "1", TYPED], ["resume", TYPED], ["run", "--queue", TYPED], ["why", TYPED]]
    return [*found, ["retry", "1"], ["resume", "scheduled"], ["trigger", "says", "--each", TYPED], ["init", TYPED]]


def obeyed(received: bytes) -> list[str]:
    """The lines of what a terminal received in which it would have obeyed more than line ends, tabs and colours."""
    text = HEARD.sub(b"", received).decode("utf-8", "surrogateescape")
    return [line for line in text.replace("\r\n", "\n").split("\n") if not _tame(line)]


def _tame(line: str) -> bool:
    bidi = re.search("[\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]", line)
    return bidi is None and all(ord(each) >= 0xA0 or 0x20 <= ord(each) < 0x7F or each == "\t" for each in line)


def on_terminal(where: Project, args: Sequence[str]) -> bytes:
    """What a terminal receives of one command on both its streams."""
    return _received(where, [sys.executable, "-m", "jobrunner", *args], b"")


def calls_on_terminal(where: Project, calls: Sequence[Sequence[str]]) -> bytes:
    """The same of many commands in one process."""
    return _received(where, [sys.executable, "-c", CALLS], json.dumps(calls).encode())


def _received(where: Project, command: Sequence[str], given: bytes) -> bytes:
    ours, theirs = pty.openpty()
    environment = where.environment | {"TERM": "xterm-256color", "COLUMNS": "2000"}
    process = subprocess.Popen(
        command, cwd=where.folder, env=environment, stdin=subprocess.PIPE, stdout=theirs, stderr=theirs
    )
    os.close(theirs)
    assert process.stdin
    with process, process.stdin:
        process.stdin.write(given)
        process.stdin.close()
        found = received(ours)
    os.close(ours)
    return found
