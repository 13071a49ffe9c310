"""A command in a terminal of its own, whose questions are answered. Used by the tests here."""

import fcntl
import os
import pty
import select
import subprocess
import sys
import termios
from collections.abc import Mapping, Sequence
from pathlib import Path

import psutil
from project import PATIENCE, until


def typed(
    args: Sequence[str],
    folder: Path,
    environment: Mapping[str, str],
    dialogue: Sequence[tuple[str, str]],
    status: int = 0,
) -> str:
    """Runs a command of jobrunner, answers each question with its text, and gives all that it printed."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "jobrunner", *args],
        cwd=folder,
        env={**environment, "TERM": "dumb"},
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
        preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),  # so that Ctrl-C reaches it
    )
    os.close(theirs)
    said = b""
    try:
        for question, answer in dialogue:
            while question.encode() not in said.rpartition(b"\x00")[2]:
                assert select.select([ours], [], [], PATIENCE)[0], said
                said += os.read(ours, 4096)
            said += b"\x00"
            # A signal between the question and the read that waits for its answer would be noticed after the answer.
            until(lambda: psutil.Process(process.pid).status() == psutil.STATUS_SLEEPING, "somebody who listens")
            os.write(ours, answer.encode())
        said += received(ours)
        assert process.wait(PATIENCE) == status, said
    finally:
        process.kill()
        process.wait()
        os.close(ours)
    return said.replace(b"\x00", b"").decode()


def received(descriptor: int) -> bytes:
    """What comes out of a pseudo-terminal until nobody holds its other end any more.

    Linux may say that the other end has gone before it has handed over what was written last: it is asked once more.
    """
    found, gone = b"", 0
    while gone < 2:
        assert select.select([descriptor], [], [], PATIENCE)[0], found
        try:
            piece = os.read(descriptor, 65536)
        except OSError:
            piece = b""
        found += piece
        gone += not piece
    return found
