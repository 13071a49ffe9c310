"""Running the program as a person does: as a process, in a folder of its own, piped or in a terminal."""

import os
import pty
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from dialogue import received
from program import Process, clean_environment
from project import run_here


@pytest.fixture
def jobrunner(tmp_path: Path) -> Callable[..., Process]:
    """Runs ``jobrunner`` in the test's folder, without a terminal; keywords are environment variables.

    A server and what a shell asks for completion are processes of their own, everything else runs in this one.
    """

    def run(*args: str, input: str | None = None, **environ: str) -> Process:
        if "run" not in args and "_JOBRUNNER_COMPLETE" not in environ:
            answer = run_here(args, tmp_path, clean_environment(tmp_path) | environ, input or "")
            return subprocess.CompletedProcess(args, answer.status, answer.out, answer.err)
        given = {"stdin": subprocess.DEVNULL} if input is None else {"input": input}
        return subprocess.run(
            [sys.executable, "-m", "jobrunner", *args],
            cwd=tmp_path,
            env=clean_environment(tmp_path) | environ,
            capture_output=True,
            text=True,
            timeout=120,
            **given,  # type: ignore[call-overload]
        )

    return run


@pytest.fixture
def terminal(tmp_path: Path) -> Callable[..., str]:
    """Runs it with standard output on a terminal of the given width, and gives back what that received."""

    def run(*args: str, width: int = 80, **environ: str) -> str:
        ours, theirs = pty.openpty()
        environment = clean_environment(tmp_path) | {"TERM": "xterm-256color", "COLUMNS": str(width)} | environ
        with subprocess.Popen(
            [sys.executable, "-m", "jobrunner", *args],
            cwd=tmp_path,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=theirs,
            stderr=subprocess.DEVNULL,
        ):
            os.close(theirs)
            found = received(ours)
        os.close(ours)
        return found.decode().replace("\r\n", "\n")

    return run
