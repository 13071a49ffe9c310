"""A server killed together with guard and launcher: the next one ends what is left before anything runs again."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import psutil
import pytest
from project import Project, Server, marked, until

JOBS = """
[jobrunner]
lost_after = "1h"

[jobs.held]
# Whoever lives on holds the lock, and a second attempt beside it would say so.
command = "exec 9>>lock; flock -n 9 || echo twice >> twice; setsid sh keep.sh away & sh keep.sh main"

[jobs.called]
python = "functions:called"

[jobs.other]
command = "sh keep.sh other"
"""

KEEP = """
trap '' TERM HUP INT
echo $$ > $1.$JOBRUNNER_ATTEMPT.new; mv $1.$JOBRUNNER_ATTEMPT.new $1.$JOBRUNNER_ATTEMPT.pid
while [ ! -e go ]; do sleep 0.05; done
"""

FUNCTIONS = """
import subprocess

def called():
    subprocess.run(["sh", "keep.sh", "called"])
"""


@pytest.fixture
def where(project: Callable[[str], Project], tmp_path: Path) -> Iterator[Project]:
    made = project(JOBS)
    (made.folder / "keep.sh").write_text(KEEP)
    (made.folder / "functions.py").write_text(FUNCTIONS)
    (made.folder / "tmp").mkdir()
    made.environment["TMPDIR"] = str(made.folder / "tmp")
    yield made
    for server in made.servers:
        for pid in marked(server.mark):
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)


def chain(server: Server) -> list[psutil.Process]:
    """Server, guard and launcher."""
    process = psutil.Process(server.pid)
    (guard,) = [child for child in process.children() if "jobrunner.execution.guard" in child.cmdline()]
    (launcher,) = [child for child in guard.children() if "jobrunner.execution.guard" in child.cmdline()]
    return [process, guard, launcher]


def strike(server: Server, *, watchers_stay: bool = False) -> None:
    """Kills all three without giving any of them the time to do something about it; or leaves two, which do nothing."""
    processes = chain(server)
    for process in processes:
        process.suspend()
    for process in processes[: 1 if watchers_stay else 3]:
        process.kill()
    server.process.wait()


def pids(where: Project, *names: str) -> list[int]:
    paths = [where.folder / f"{name}.pid" for name in names]
    until(lambda: all(path.exists() for path in paths), f"{names}")
    return [int(path.read_text()) for path in paths]


def alive(pid: int) -> bool:
    return psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE


@pytest.mark.parametrize("watchers_stay", [False, True])
def test_the_next_server_ends_what_is_left_before_it_runs_again(where: Project, watchers_stay: bool) -> None:
    server = where.start("--name", "first").ready()
    runs = [where.trigger("held"), where.trigger("called")]
    left = pids(where, "away.1", "main.1", "called.1")
    strike(server, watchers_stay=watchers_stay)
    assert all(map(alive, left))  # else this shows nothing
    assert list((where.folder / "tmp").iterdir())
    with where.server("--name", "second") as second:
        again = pids(where, "away.2", "main.2", "called.2")
        assert not any(map(alive, left))
        second.said(lambda line: "that server first" in line.get("message", ""))
        (where.folder / "go").touch()
        assert [where.ended(run)["state"] for run in runs] == ["succeeded"] * 2
        server.left_nothing()
    assert not any(map(alive, again))
    assert not (where.folder / "twice").exists()
    assert list((where.folder / "tmp").iterdir()) == []


def test_a_living_server_ends_what_another_one_has_left_and_nothing_else(where: Project) -> None:
    pretender = subprocess.Popen(
        [sys.executable, "-S", "-c", "input()"],
        stdin=subprocess.PIPE,
        env={"NOTE": "JOBRUNNER_PROCESS=1.1.1", "JOBRUNNER_PROCESS": "ffffffffffffffffffffffff.1.1"},
    )
    with pretender, where.server("--name", "living", "--queue", "low") as living:
        other = where.trigger("other", "--queue", "low")
        untouched = pids(where, "other.1")
        doomed = where.start("--name", "doomed", "--queue", "default").ready()
        run = where.trigger("held")
        left = pids(where, "away.1", "main.1")
        strike(doomed)
        living.said(lambda line: "doomed" in line.get("message", "") and "is lost" in line.get("message", ""))
        until(lambda: where.show(run)["state"] == "queued", "the run given back")
        assert not any(map(alive, left))
        assert all(map(alive, untouched))
        assert pretender.poll() is None
        pretender.kill()
        where.call("cancel", str(run))
        (where.folder / "go").touch()
        assert where.ended(other)["state"] == "succeeded"
