"""Statements and commits of the hottest paths, counted, which do not wobble: a trigger, and one run from claim to end.

On SQLite with durability full every commit is one fsync of the log, and a checkpoint now and then a further one.
"""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from bench.options import Options
from bench.project import environment, jobrunner, project
from bench.result import Row, Table, first_line
from jobrunner import Client

JOBS = """
[jobrunner]
workers = 2
[jobs.nop]
python = "work:nop"
params.n = { type = "int", required = true }
[jobs.true]
command = ["/bin/true"]
"""
WORK = "def nop(n):\n    return n\n"
TIMES = 8
DRAINED = 200
_TRACED = """
import sqlite3, sys
log = open(sys.argv.pop(1), "a", buffering=1)
real = sqlite3.connect
def connect(*args, **keys):
    connection = real(*args, **keys)
    connection.set_trace_callback(lambda statement: print(" ".join(statement.split()), file=log))
    return connection
sqlite3.connect = connect
from jobrunner.__main__ import main
sys.exit(main())
"""


class Counts(NamedTuple):
    """Of one run: all statements, and those transactions of them that write and so are committed to the disk."""

    statements: float
    commits: float

    @classmethod
    def of(cls, statements: Sequence[str], runs: int = 1) -> Counts:
        return cls(len(statements) / runs, sum(one.startswith("BEGIN IMMEDIATE") for one in statements) / runs)


class Traced(NamedTuple):
    """A server in a project: its folder, the file that each of its statements is a line of, and its process."""

    folder: Path
    log: Path
    pid: int

    def statements(self) -> list[str]:
        return self.log.read_text().splitlines()


def trigger(folder: Path) -> Counts:
    """What ``client.trigger`` costs the process that calls it, not the first time, where the store is free."""
    found = []
    with Client.open(folder / "jobs.toml") as client:
        client.trigger("nop", n=0)
        for n in range(TIMES):
            statements = list[str]()
            client._admin._context.db.driver.set_trace_callback(statements.append)
            client.trigger("nop", n=n)
            client._admin._context.db.driver.set_trace_callback(None)
            found.append(Counts.of(statements))
    return min(found)


def one_run(server: Traced, job: str) -> Counts:
    """What one run costs the server, alone: from the wake-up to the end, without what is done each second anyway."""
    params = {"n": 1} if job == "nop" else {}
    found = []
    with Client.open(server.folder / "jobs.toml") as client:
        for _ in range(TIMES):
            before = len(server.statements())
            client.trigger(job, params=params).result(timeout=30)
            time.sleep(0.15)  # what follows the commit
            found.append(Counts.of(server.statements()[before:]))
    return min(found)


def drained(server: Traced, job: str) -> Counts:
    """What a run costs the server where many are worked off together."""
    before = len(server.statements())
    _work_off(server, job)
    return Counts.of(server.statements()[before:], DRAINED)


def fsyncs(server: Traced, job: str) -> float:
    """How often the server has the disk write through for a run, where many are worked off together; by strace."""
    found = server.folder / "fsyncs"
    command = ["strace", "-f", "-p", str(server.pid), "-e", "trace=fsync,fdatasync", "-o", str(found)]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as strace:
        assert strace.stderr is not None
        if "attached" not in (said := strace.stderr.readline()):
            raise RuntimeError(said.strip() or "strace has ended")
        _work_off(server, job)
        strace.terminate()
    return sum("sync(" in line for line in found.read_text().splitlines()) / DRAINED


def _work_off(server: Traced, job: str) -> None:
    jobrunner(server.folder, "pause", "--all")
    with Client.open(server.folder / "jobs.toml") as client:
        batch = client.batch(job, [{"n": 1} if job == "nop" else {}] * DRAINED)
        jobrunner(server.folder, "resume", "--all")
        batch.wait(timeout=60)


@contextmanager
def traced() -> Iterator[Traced]:
    """A project with a server on it whose statements are written down."""
    with project(JOBS, work_py=WORK) as folder:
        log = folder / "statements"
        command = [sys.executable, "-c", _TRACED, str(log), "run", "--log-format", "json"]
        process = subprocess.Popen(command, cwd=folder, env=environment(), stderr=subprocess.PIPE, text=True)
        assert process.stderr is not None
        try:
            for line in process.stderr:
                if '"ready"' in line:
                    break
            with subprocess.Popen(["cat"], stdin=process.stderr, stdout=subprocess.DEVNULL):
                yield Traced(folder, log, process.pid)
                process.terminate()
                process.wait(60)
        finally:
            process.terminate()
            process.wait(60)
            process.stderr.close()


def measure(options: Options) -> tuple[Table, ...]:
    with traced() as server:
        found = {
            "trigger, in the process that calls it": trigger(server.folder),
            "a Python run alone, in the server": one_run(server, "nop"),
            "a command run alone, in the server": one_run(server, "true"),
            f"a Python run of {DRAINED} waiting, in the server": drained(server, "nop"),
            f"a command run of {DRAINED} waiting, in the server": drained(server, "true"),
        }
        written = (
            _fsyncs(server, "nop", f"a Python run of {DRAINED} waiting"),
            _fsyncs(server, "true", f"a command run of {DRAINED} waiting"),
        )
    rows = tuple(
        Row(name=name, values=(counts.statements,), note=f"{counts.commits:.2g} commits")
        for name, counts in found.items()
    )
    notes = ("counted, not timed; SQLite, durability full, two workers",)
    return (
        Table(title="Statements and commits of a run", unit="statements", better="less", rows=rows, notes=notes),
        Table(title="Writes through to the disk", unit="fsyncs a run", better="less", rows=written, notes=notes),
    )


def _fsyncs(server: Traced, job: str, name: str) -> Row:
    try:
        return Row(name=name, values=(fsyncs(server, job),))
    except (OSError, RuntimeError) as error:
        return Row(name=name, failed=first_line(error))
