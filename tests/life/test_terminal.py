"""A server in somebody's terminal."""

import os
import pty
import signal
import subprocess
import sys
from collections.abc import Callable

from project import PATIENCE, Project, until

JOBS = """
[jobs.hello]
command = "echo hello"
"""
ATTACHED = (
    "import fcntl, os, sys, termios; fcntl.ioctl(2, termios.TIOCSCTTY, 0); os.execv(sys.executable, sys.argv[1:])"
)
"""Takes the terminal on standard error for its own, and becomes the program that it is given."""


def test_a_server_ends_with_its_terminal_and_reloads_while_it_is_there(project: Callable[[str], Project]) -> None:
    where = project(JOBS)
    ours, theirs = pty.openpty()
    server = subprocess.Popen(
        [sys.executable, "-c", ATTACHED, sys.executable, "-m", "jobrunner", "run", "--workers", "1"],
        cwd=where.folder,
        env=where.environment,
        stdin=theirs,
        stderr=theirs,
        start_new_session=True,
    )
    try:
        os.close(theirs)
        said = b""
        while b"ready" not in said:
            said += os.read(ours, 4096)
        server.send_signal(signal.SIGHUP)
        while b"reloaded" not in said:
            said += os.read(ours, 4096)
        os.close(ours)
        assert server.wait(PATIENCE) == 0
        until(lambda: where.json("servers")[0]["state"] == "stopped", "the state")
    finally:
        server.kill()
        server.wait()
