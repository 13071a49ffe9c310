"""What was measured on: processors, Python, libraries, and what one fsync costs here."""

from __future__ import annotations

import os
import platform
import sqlite3
import subprocess
import tempfile
import time
from importlib.metadata import version
from pathlib import Path

from bench.table import median


def describe() -> str:
    """One line for the head of every result. ``load`` is how many processes wanted a processor in the last minute."""
    parts = [
        f"{os.cpu_count()} processors ({_model()})",
        f"{platform.system()} {platform.release()}",
        f"Python {platform.python_version()}",
        f"SQLite {sqlite3.sqlite_version}",
        f"jobrunner {version('jobrunner')}{_commit()}",
        *(f"{name} {version(name)}" for name in ("huey", "peewee", "typer")),
        f"fsync {fsync_micros():.0f} µs",
        f"load {load()}",
    ]
    return ", ".join(parts)


def load() -> str:
    """The mean number of processes that wanted a processor in the last minute: 0 where the machine was idle."""
    return f"{os.getloadavg()[0]:.1f}"


def fsync_micros() -> float:
    """The median of 200 fsyncs of 4 KiB in the folder for temporary files."""
    with tempfile.NamedTemporaryFile() as file:
        times = []
        for _ in range(200):
            os.write(file.fileno(), b"x" * 4096)
            start = time.perf_counter()
            os.fdatasync(file.fileno())
            times.append((time.perf_counter() - start) * 1e6)
    return median(times)


def _commit() -> str:
    """Of this folder, where it is a clone."""
    command = ["git", "-C", str(Path(__file__).parent), "rev-parse", "--short", "HEAD"]
    done = subprocess.run(command, capture_output=True, text=True)
    return f" at {done.stdout.strip()}" if done.returncode == 0 else ""


def _model() -> str:
    lines = Path("/proc/cpuinfo").read_text().splitlines() if Path("/proc/cpuinfo").exists() else []
    found = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return found[0] if found else platform.machine()
