"""Ends that somebody asks for: cancel with grace and at once, timeouts; nothing of an attempt outlives it."""

import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from project import Project, marked, until

# A family that does not want to die: a group of its own, a session of its own, a double fork, no SIGTERM.
FAMILY = """
trap '' TERM
(trap '' TERM; sleep 600; sleep 600) &
setsid sh -c 'trap "" TERM; sleep 600; sleep 600' &
(setsid sh -c 'trap "" TERM; sleep 600; sleep 600' & ) &
nohup sleep 600 >/dev/null 2>&1 &
echo up
sleep 600
sleep 600
"""

JOBS = f"""
[defaults]
kill_grace = "100ms"

[jobs.family]
command = '''{FAMILY}'''

[jobs.family_timed]
command = '''{FAMILY}'''
timeout = "500ms"

[jobs.leaver]
command = "setsid sleep 600 & sleep 600 & echo gone"

[jobs.polite]
command = ["python3", "-Su", "talker.py", "bye"]
kill_grace = "1m"

[jobs.stubborn]
command = ["python3", "-Su", "talker.py", "no"]
kill_grace = "1m"

[jobs.python]
python = "functions:waits"
kill_grace = "1m"

[jobs.coroutine]
python = "functions:awaits"
kill_grace = "1m"

[jobs.later]
command = "true"

[jobs.child]
command = "true"
"""

FUNCTIONS = """
import asyncio, subprocess, time
from jobrunner import JobCancelled

def waits():
    print("up", flush=True)
    try:
        time.sleep(600)
    except JobCancelled:
        print("told")
        raise

async def awaits():
    print("up", flush=True)
    try:
        await asyncio.sleep(600)
    except asyncio.CancelledError:
        print("told")
        raise
"""

TALKER = """
import signal, sys, time

def told(*_):
    print(sys.argv[1])
    if sys.argv[1] == "bye":
        sys.exit(0)

signal.signal(signal.SIGTERM, told)
print("up")
while True:
    time.sleep(600)
"""


@pytest.fixture(scope="module")
def ends(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    """One server for all tests of this module."""
    folder = tmp_path_factory.mktemp("ends")
    (folder / "functions.py").write_text(FUNCTIONS)
    (folder / "talker.py").write_text(TALKER)
    project = Project(folder, JOBS)
    with project.server("--workers", "4"):
        yield project
    project.close()


def up(ends: Project, job: str) -> int:
    """A run that has come as far as it comes by itself."""
    run = ends.trigger(job)
    until(lambda: "up" in ends.logs(run), f"{job} is up")
    return run


def of_run(ends: Project, run: int) -> list[int]:
    """The living processes of a run."""
    wanted = f"\0JOBRUNNER_RUN_ID={run}\0".encode()
    found = []
    for pid in marked(ends.folder):
        try:
            if wanted in b"\0" + Path(f"/proc/{pid}/environ").read_bytes():
                found.append(pid)
        except OSError:
            continue
    return found


def test_cancel_ends_the_whole_family(ends: Project) -> None:
    run = up(ends, "family")
    assert len(of_run(ends, run)) >= 5
    answer = ends.call("cancel", str(run))
    assert (answer.status, answer.out) == (0, f"{run} family being cancelled\n")
    shown = ends.ended(run)
    assert (shown["state"], shown["error"]) == ("cancelled", "cancelled, killed")
    assert shown["attempts"][0]["outcome"] == "cancelled"
    assert of_run(ends, run) == []
    assert ends.call("cancel", str(run)).status == 0


def test_a_timeout_ends_the_whole_family(ends: Project) -> None:
    run = ends.trigger("family_timed")
    shown = ends.ended(run)
    assert (shown["state"], shown["error"]) == ("failed", "timed out after 500ms, killed")
    assert of_run(ends, run) == []


def test_what_a_program_leaves_behind_dies_with_it_and_is_no_failure(ends: Project) -> None:
    run = ends.trigger("leaver")
    assert ends.ended(run)["state"] == "succeeded"
    assert of_run(ends, run) == []


def test_grace_lets_a_program_finish_its_words(ends: Project) -> None:
    run = up(ends, "polite")
    ends.call("cancel", str(run))
    shown = ends.ended(run)
    assert (shown["state"], shown["error"]) == ("cancelled", "cancelled")
    assert ends.logs(run) == "up\nbye\n"


def test_now_does_not_wait_and_comes_after_a_polite_cancel_too(ends: Project) -> None:
    run = up(ends, "stubborn")
    ends.call("cancel", str(run))
    until(lambda: "no" in ends.logs(run), "its answer")
    assert ends.show(run)["cancelling"]
    assert ends.call("cancel", str(run), "--now").status == 0
    assert ends.ended(run)["error"] == "cancelled, killed"
    run = up(ends, "stubborn")
    ends.call("cancel", str(run), "--now")
    assert ends.ended(run)["state"] == "cancelled"
    assert "no" not in ends.logs(run)


@pytest.mark.parametrize("job", ["python", "coroutine"])
def test_a_function_is_told(ends: Project, job: str) -> None:
    run = up(ends, job)
    ends.call("cancel", str(run))
    shown = ends.ended(run)
    assert (shown["state"], shown["error"]) == ("cancelled", "cancelled")
    assert ends.logs(run).startswith("up\ntold\n")


def test_what_has_not_started_is_cancelled_at_once(ends: Project) -> None:
    later = ends.trigger("later", "--delay", "1h")
    parent = up(ends, "polite")
    child = ends.trigger("child", "--after", str(parent))
    for run in (later, child):
        answer = ends.call("cancel", str(run))
        assert answer.out.endswith(" cancelled\n")
        assert "being" not in answer.out
        assert ends.show(run)["attempts"] == []
    ends.call("cancel", str(parent), "--now")
    ends.ended(parent)


def test_a_run_that_ended_otherwise_is_refused(ends: Project) -> None:
    run = ends.trigger("later")
    ends.ended(run)
    answer = ends.call("cancel", str(run))
    assert (answer.status, answer.out, answer.err) == (6, "", f"jobrunner: run {run} has already succeeded\n")


def test_a_cancelled_run_can_be_given_further_attempts(ends: Project) -> None:
    run = ends.trigger("later", "--delay", "1h")
    ends.call("cancel", str(run))
    assert ends.call("retry", str(run)).out.startswith(f"{run} later ")
    shown = ends.ended(run)
    assert (shown["state"], shown["attempt"]) == ("succeeded", 1)


@pytest.mark.parametrize("victim", ["server", "guard", "launcher"])
def test_no_process_of_a_job_outlives_a_kill(project: Callable[[str], Project], victim: str) -> None:
    where = project(JOBS)
    (where.folder / "functions.py").write_text(FUNCTIONS)
    with where.server() as server:
        run = up(where, "family")
        up(where, "python")
        before = set(marked(where.folder)) - {server.pid}
        (guard,) = children(server.pid)
        (launcher,) = children(guard)
        os.kill({"server": server.pid, "guard": guard, "launcher": launcher}[victim], signal.SIGKILL)
        if victim == "server":
            server.process.wait()
        until(lambda: not before & set(marked(where.folder)), "the end of the family")
        if victim != "server":
            until(lambda: where.show(run)["attempt"] == 2, "another attempt, by the same server")
            server.kill()
        until(lambda: not marked(where.folder), "the end of every process")


def children(pid: int) -> list[int]:
    """The living children of a process."""
    return [
        int(word) for task in Path(f"/proc/{pid}/task").iterdir() for word in (task / "children").read_text().split()
    ]
