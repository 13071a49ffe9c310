"""A throw-away project with a server on it, as the measurements need it."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

PYTHON = [sys.executable, "-m", "jobrunner"]


def environment() -> dict[str, str]:
    """Ours, with compiled bytecode kept: without it every start of Python takes twice as long."""
    return {key: value for key, value in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"}


@contextmanager
def project(jobs: str, **files: str) -> Iterator[Path]:
    """A folder with a jobs.toml and further files (``nop_py="…"`` is nop.py)."""
    with tempfile.TemporaryDirectory(prefix="jobrunner-bench-") as name:
        folder = Path(name)
        (folder / "jobs.toml").write_text(jobs)
        for file, text in files.items():
            (folder / file.replace("_py", ".py")).write_text(text)
        yield folder


@contextmanager
def server(folder: Path, *options: str) -> Iterator[subprocess.Popen[str]]:
    """A server that is ready, ended at the end; somebody reads its log."""
    address = f"jobrunner-bench{folder}"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notified:
        notified.bind(f"\0{address}")
        notified.settimeout(60)
        reader = subprocess.Popen(["cat"], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL)
        assert reader.stdin is not None
        with reader.stdin:
            process = subprocess.Popen(
                [*PYTHON, "run", "--log-format", "json", *options],
                cwd=folder,
                env=environment() | {"NOTIFY_SOCKET": f"@{address}"},
                stderr=reader.stdin,
                stdout=subprocess.DEVNULL,
                text=True,
            )
        try:
            while notified.recv(256) != b"READY=1":
                pass
            yield process
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(60)
            reader.wait(10)


def jobrunner(folder: Path, *args: str, stdin: str | None = None) -> str:
    """Standard output of one command."""
    return subprocess.run(
        [*PYTHON, *args], cwd=folder, env=environment(), input=stdin, capture_output=True, text=True, check=True
    ).stdout
