"""What an idle server costs: processor time and memory of all its processes."""

from __future__ import annotations

import time

import psutil

from bench.project import jobrunner, project, server
from bench.table import show

SECONDS = 20
JOBS = """
[jobrunner]
workers = 4
[jobs.python]
python = "nop:nop"
"""
HOURLY = '\n[jobs.job{n}]\ncommand = "true"\nschedule = "{m} 3 * * *"\n'


def main() -> None:
    rows = [(f"{count:,} jobs", _measure(count)) for count in (10, 10_000)]
    show(f"Idle server, {SECONDS} s, all processes", rows)


def _measure(count: int) -> str:
    jobs = JOBS + "".join(HOURLY.format(n=n, m=n % 60) for n in range(count - 1))
    with project(jobs, nop_py="def nop():\n    return None\n") as folder, server(folder) as process:
        jobrunner(folder, "trigger", "python", "--wait")
        time.sleep(2)
        family = [psutil.Process(process.pid), *psutil.Process(process.pid).children(recursive=True)]
        before = _processor(family)
        time.sleep(SECONDS)
        used = _processor(family) - before
        memory = sum(one.memory_full_info().pss for one in family) / 1024 / 1024
    return f"{used / SECONDS:.2%} of a processor, {memory:.0f} MiB (PSS), {len(family)} processes"


def _processor(family: list[psutil.Process]) -> float:
    return sum(one.cpu_times().user + one.cpu_times().system for one in family)
