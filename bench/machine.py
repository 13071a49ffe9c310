"""What was measured on: processors, Python, libraries, and what one fsync costs here."""

from __future__ import annotations

import os
import platform
import sqlite3
import tempfile
import time
from importlib.metadata import version

from bench.table import median


def describe() -> str:
    """One line for the head of every result."""
    parts = [
        f"{os.cpu_count()} processors",
        f"Python {platform.python_version()}",
        f"SQLite {sqlite3.sqlite_version}",
        *(f"{name} {version(name)}" for name in ("huey", "peewee", "typer")),
        f"fsync {fsync_micros():.0f} µs",
    ]
    return ", ".join(parts)


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
