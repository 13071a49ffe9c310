"""cronstable, which starts commands by schedules: as many ``@reboot`` jobs as are wanted, all due at its start."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bench.peers.peer import PATIENCE, installed
from bench.project import environment

NEEDS = ("cronstable==1.2.72",)
SETTINGS = "cronstable 1.2.72, @reboot jobs, all at once as is its default, standard output captured"
_JOB = """\
  - name: job{n}
    command: {command}
    schedule: "{schedule}"
    captureStdout: true
"""
_TRUE = "\n      - /bin/true"
_STATE = "state:\n  path: {folder}/state\n"


def starts(count: int, *, state: bool) -> float:
    """``/bin/true`` a second, from the first start to the last end, by its log; ``state``: with its history kept."""
    with _running(count, "@reboot", state, _TRUE) as (_, process):
        assert process.stdout is not None
        begun, ended, deadline = 0.0, 0, time.monotonic() + PATIENCE
        for line in process.stdout:
            if not begun and "Starting job" in line:
                begun = time.perf_counter()
            ended += "exit code 0;" in line
            if ended == count:
                return count / (time.perf_counter() - begun)
            if time.monotonic() > deadline:
                break
    raise RuntimeError(f"cronstable ended {ended} of {count} jobs")


def fires(count: int, seconds: float) -> list[float]:
    """When ``date``, due every second in so many jobs, said that it began: seconds since the epoch."""
    with _running(count, "* * * * * * *", False, "date +%s.%N >> dates") as (folder, _):
        time.sleep(seconds)
        return [float(line) for line in (folder / "dates").read_text().split()]


def check(count: int) -> float:
    """Seconds that its check of a file of so many jobs takes, the whole process."""
    with _configured(count, "0 3 * * *", False, _TRUE) as (folder, program):
        start = time.perf_counter()
        command = [str(program), "-c", str(folder / "jobs.yaml"), "--validate-config"]
        subprocess.run(command, env=environment(), capture_output=True, check=True, timeout=PATIENCE)
        return time.perf_counter() - start


@contextmanager
def idle(count: int) -> Iterator[subprocess.Popen[str]]:
    """It, with so many daily jobs."""
    with _running(count, "0 3 * * *", False, _TRUE) as (_, process):
        yield process


@contextmanager
def _configured(count: int, schedule: str, state: bool, command: str) -> Iterator[tuple[Path, Path]]:
    folder = Path(tempfile.mkdtemp(prefix="jobrunner-bench-cronstable-"))
    try:
        program = installed("cronstable", NEEDS) / "cronstable"
        jobs = "".join(_JOB.format(n=n, schedule=schedule, command=command) for n in range(count))
        head = _STATE.format(folder=folder) if state else ""
        (folder / "jobs.yaml").write_text(f"{head}jobs:\n{jobs}")
        yield folder, program
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _running(count: int, schedule: str, state: bool, command: str) -> Iterator[tuple[Path, subprocess.Popen[str]]]:
    with _configured(count, schedule, state, command) as (folder, program):
        process = subprocess.Popen(
            [str(program), "-c", str(folder / "jobs.yaml")],
            cwd=folder,
            env=environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        try:
            yield folder, process
        finally:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait(10)
            if process.stdout is not None:
                process.stdout.close()
