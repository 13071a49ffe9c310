"""``retry --canary`` with a server: one run first, the rest if it succeeds."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from program import Process, clean_environment
from test_with_server import start_server, stop_server

Runner = Callable[..., Process]

JOBS = """
[jobs.fragile]
command = "until [ ! -e hold ]; do sleep 0.05; done; test -e healed"

[jobs.other]
command = "test -e healed"
"""


@pytest.fixture
def failed(tmp_path: Path, jobrunner: Runner) -> Path:
    """A project of which runs 1 to 4 have failed: 1 to 3 of fragile, 4 of other."""
    (tmp_path / "jobs.toml").write_text(JOBS)
    for job in ("fragile", "fragile", "fragile", "other"):
        jobrunner("trigger", job)
    assert jobrunner("run", "--burst").returncode == 0
    assert states(jobrunner) == {1: "failed", 2: "failed", 3: "failed", 4: "failed"}
    return tmp_path


@pytest.fixture
def server(failed: Path) -> Iterator[subprocess.Popen[str]]:
    process = start_server(failed)
    yield process
    stop_server(process)


def states(jobrunner: Runner) -> dict[int, str]:
    return {run["id"]: run["state"] for run in json.loads(jobrunner("runs", "--json").stdout)}


@pytest.mark.usefixtures("server")
def test_the_rest_follows_when_the_first_succeeds(failed: Path, jobrunner: Runner) -> None:
    (failed / "healed").touch()
    result = jobrunner("retry", "--dead", "--job", "fragile", "--canary")
    first, *rest = result.stdout.splitlines()
    assert (result.returncode, first) == (0, "1 fragile succeeded")
    assert [line.rpartition(" ")[0] for line in rest] == ["2 fragile", "3 fragile"]  # their states: the server is quick
    assert result.stderr == "jobrunner: run 1 of fragile goes first; 2 more if it succeeds\n"
    trail = json.loads(jobrunner("audit", "--json").stdout)
    assert [entry["target"] for entry in trail if entry["action"] == "retry"] == ["run 3", "run 2", "run 1"]


@pytest.mark.usefixtures("server")
def test_the_rest_is_left_alone_when_it_fails(jobrunner: Runner, failed: Path) -> None:
    result = jobrunner("retry", "--dead", "--canary")
    assert (result.returncode, result.stdout) == (1, "1 fragile failed\n")
    assert result.stderr.endswith("run 1 failed: exit status 1; 3 others have been left as they were\n")
    assert states(jobrunner) == {1: "failed", 2: "failed", 3: "failed", 4: "failed"}


@pytest.mark.usefixtures("server")
def test_what_is_named_is_retried_in_that_order(jobrunner: Runner, failed: Path) -> None:
    (failed / "healed").touch()
    result = jobrunner("retry", "99", "3", "4", "--canary", "--json")
    assert result.returncode == 3
    assert [(run["id"], run["state"]) for run in json.loads(result.stdout)][:1] == [(3, "succeeded")]
    assert "no run 99" in result.stderr
    assert states(jobrunner)[1] == "failed"


@pytest.mark.usefixtures("server")
def test_ctrl_c_leaves_the_rest_alone(jobrunner: Runner, failed: Path) -> None:
    (failed / "healed").touch()
    (failed / "hold").touch()
    command = [sys.executable, "-m", "jobrunner", "retry", "--dead", "--canary"]
    with subprocess.Popen(
        command, cwd=failed, env=clean_environment(failed), stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stderr
        assert process.stderr.readline() == "jobrunner: run 1 of fragile goes first; 3 more if it succeeds\n"
        os.kill(process.pid, signal.SIGINT)
        assert process.wait(30) == 130
        assert "run 1 goes on" in process.stderr.read()
    (failed / "hold").unlink()
    assert {run_id: state for run_id, state in states(jobrunner).items() if run_id > 1} == dict.fromkeys(
        (2, 3, 4), "failed"
    )


def test_without_anything_to_retry(tmp_path: Path, jobrunner: Runner) -> None:
    (tmp_path / "jobs.toml").write_text(JOBS)
    result = jobrunner("retry", "--dead", "--canary")
    assert (result.returncode, result.stdout, result.stderr) == (0, "", "jobrunner: nothing to retry\n")
