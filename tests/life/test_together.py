"""Short runs that one child is given at once: each happens once, and keeps its own output, whatever the others do."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

import pytest
from project import Project

from jobrunner import wiring
from jobrunner.domain.filter import RunFilter
from jobrunner.domain.run import Run

JOBS = """
[jobrunner]
workers = 3

[jobs.mixed]
python = "functions:mixed"
params.n = { type = "int", required = true }
dead_letter = false
"""

FUNCTIONS = """
import os, subprocess, sys, time
from jobrunner import current_run

def mixed(n):
    file = os.open("done", os.O_CREAT | os.O_APPEND | os.O_WRONLY)
    os.write(file, b"%d\\n" % n)
    os.close(file)
    match n % 40:
        case 1 | 2 | 3:
            print("said", n)
        case 5:
            os.write(2, b"unasked %d" % n)
        case 11:
            time.sleep(0.03)
            print("slept", n)
        case 13:
            print("x" * 200_000)
        case 17:
            raise ValueError(n)
        case 23:
            os._exit(3)
        case 29:
            subprocess.Popen(["sleep", "600"])
        case 31:
            current_run().progress(n, 100_000, "on its way")
        case 37:
            os.chdir("/")
            os.environ["LEFT"] = str(n)
            print(os.environ.get("BEFORE"))
            os.environ["BEFORE"] = str(n)
    return n
"""
COUNT = 1200


@pytest.fixture
def where(project: Callable[[str], Project]) -> Project:
    made = project(JOBS)
    (made.folder / "functions.py").write_text(FUNCTIONS)
    return made


def said(n: int) -> bytes:
    match n % 40:
        case 1 | 2 | 3:
            return f"said {n}\n".encode()
        case 5:
            return f"unasked {n}".encode()
        case 11:
            return f"slept {n}\n".encode()
        case 13:
            return b"x" * 200_000 + b"\n"
        case 37:
            return b"None\n"
    return b""


def as_it_should_be(run: Run, output: bytes) -> bool:
    n = run.params["n"]
    failed = n % 40 in (17, 23)
    expected = ("failed" if failed else "succeeded", 1, None if failed else n, said(n) if n % 40 != 17 else output)
    return (run.state.value, run.attempt, run.result, output) == expected


def test_each_happens_once_and_keeps_what_it_said(where: Project) -> None:
    where.call("trigger", "mixed", "--each", "-", input="\n".join(map(str, range(COUNT))))
    where.burst()
    done = Counter(int(line) for line in (where.folder / "done").read_text().split())
    assert done == Counter(range(COUNT))
    with wiring.open_admin(where.folder / "jobs.toml") as admin:
        runs = admin.runs(RunFilter(limit=0))
        outputs = {run.id: b"".join(part.data for part in admin.output(run.id)) for run in runs}
        assert [run.params["n"] for run in runs if not as_it_should_be(run, outputs[run.id])] == []
        ends = [(run.started_at, run.finished_at) for run in runs]
        assert all(began is not None and ended is not None and began <= ended for began, ended in ends)
