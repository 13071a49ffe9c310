"""A server from its start until it takes runs, and the check of a file of 10,000 jobs, against cronstable's."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

from bench.options import Options
from bench.peers import cronstable
from bench.project import PYTHON, environment, project, server
from bench.result import Table, against, in_turn

JOB = '[jobs.job{n}]\ncommand = "/bin/true"\nschedule = "{m} {h} * * *"\n'


def measure(options: Options) -> tuple[Table, ...]:
    with project(_jobs(10)) as small, project(_jobs(10_000)) as large:
        work: dict[str, Callable[[], float]] = {
            "server ready, 10 jobs": partial(_ready, small),
            "server ready, 10,000 jobs": partial(_ready, large),
            "jobrunner check, 10,000 jobs": partial(_check, large),
        }
        for once in work.values():
            once()  # the store is made, the bytecode kept
        if options.wants("cronstable"):
            work["cronstable --validate-config, 10,000 jobs"] = partial(cronstable.check, 10_000)
        rows = in_turn(options.rounds, work)
    pairs = {"jobrunner check, 10,000 jobs": "cronstable --validate-config, 10,000 jobs"}
    return (
        Table(
            title="Start of a server, and check of a file",
            unit="s",
            better="less",
            rows=against(rows, pairs),
            notes=("whole processes; not the first start on the store; each job with a command and a schedule",),
        ),
    )


def _jobs(count: int) -> str:
    return "\n".join(JOB.format(n=n, m=n % 60, h=n // 60 % 24) for n in range(count))


def _ready(folder: Path) -> float:
    start = time.perf_counter()
    with server(folder):
        return time.perf_counter() - start


def _check(folder: Path) -> float:
    start = time.perf_counter()
    subprocess.run([*PYTHON, "check"], cwd=folder, env=environment(), capture_output=True, check=True)
    return time.perf_counter() - start
