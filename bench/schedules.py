"""Schedules: from a fire time to the job's first instruction, and what many of them cost to load and to keep."""

from __future__ import annotations

import sqlite3
import time
from pathlib import Path

import psutil

from bench.project import project, server
from bench.table import percentile, show

SECONDS = 30
HEAD = '[jobrunner]\ntimezone = "Europe/Madrid"\nworkers = {workers}\n'
STAMP = "import time\ndef stamp():\n    return time.time()\n"
PYTHON = '\n[jobs.job{n}]\npython = "stamp:stamp"\noverlap = "allow"\nschedule = "{schedule}"\n'
COMMAND = '\n[jobs.job{n}]\ncommand = ["/bin/true"]\noverlap = "allow"\nschedule = "{schedule}"\n'

LOADS = (
    ("10 yearly", 10, "{minute} {hour} {day} {month} *"),
    ("10,000 yearly", 10_000, "{minute} {hour} {day} {month} *"),
    ("100,000 yearly", 100_000, "{minute} {hour} {day} {month} *"),
    ("100,000 daily, spread by H", 100_000, "H H * * *"),
)


def main() -> None:
    rows = [
        ("1,000 jobs, each once a minute, Python", _delays(PYTHON, 1_000, "{second} * * * * *")),
        ("200 jobs, each every second, /bin/true", _delays(COMMAND, 200, "* * * * * *")),
        ("1,000 jobs, each every second, Python", _delays(PYTHON, 1_000, "* * * * * *")),
    ]
    show(f"From the fire time to the first instruction (of /bin/true: to its start), {SECONDS} s", rows)
    show(
        "Start to ready, then idle for 20 s, all processes",
        [(name, _load(count, schedule)) for name, count, schedule in LOADS],
    )


def _jobs(text: str, count: int, schedule: str) -> str:
    parts = [HEAD.format(workers=4)]
    for n in range(count):
        fields = {"second": n % 60, "minute": n % 60, "hour": n // 60 % 24, "day": n % 28 + 1, "month": n % 12 + 1}
        parts.append(text.format(n=n, schedule=schedule.format(**fields)))
    return "".join(parts)


def _delays(text: str, count: int, schedule: str) -> str:
    with project(_jobs(text, count, schedule), stamp_py=STAMP) as folder:
        with server(folder):
            time.sleep(SECONDS + 3)
        delays = _measured(folder)
    shown = ", ".join(f"{name} {value:.1f} ms" for name, value in _summary(delays))
    return f"{shown}; {len(delays) / SECONDS:,.0f} runs a second"


def _summary(delays: list[float]) -> list[tuple[str, float]]:
    parts = {"median": 0.5, "p95": 0.95, "p99": 0.99}
    return [*((name, percentile(delays, part)) for name, part in parts.items()), ("most", max(delays))]


def _measured(folder: Path) -> list[float]:
    """Of the fires after the first three seconds, which are about starting the workers' children."""
    with sqlite3.connect(folder / "jobrunner.db") as db:
        rows = db.execute(
            "SELECT fire_time, coalesce(result, started_at / 1e6) FROM runs WHERE state = 'succeeded'"
            " AND fire_time > (SELECT min(fire_time) + 3000000 FROM runs) ORDER BY fire_time"
        ).fetchall()
    db.close()
    return [float(started) * 1_000 - fire_time / 1_000 for fire_time, started in rows]


def _load(count: int, schedule: str) -> str:
    with project(_jobs(COMMAND, count, schedule)) as folder:
        (folder / "jobs.toml").chmod(0o600)
        begun = time.monotonic()
        with server(folder) as process:
            ready = time.monotonic() - begun
            family = [psutil.Process(process.pid), *psutil.Process(process.pid).children(recursive=True)]
            time.sleep(5)  # what was read is put in force in the background
            before = _processor(family)
            time.sleep(20)
            used = (_processor(family) - before) / 20
            memory = sum(one.memory_full_info().pss for one in family) / 1024 / 1024
    return f"ready after {ready:.2f} s, {used:.2%} of a processor, {memory:.0f} MiB (PSS)"


def _processor(family: list[psutil.Process]) -> float:
    return sum(one.cpu_times().user + one.cpu_times().system for one in family)
