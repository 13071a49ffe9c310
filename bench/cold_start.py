"""Whole processes, from their start to their end: commands and completion against an import of what they need."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Mapping
from functools import partial
from pathlib import Path

from bench.options import Options
from bench.project import PYTHON, environment, project
from bench.result import Table, against, in_turn

JOB = '[jobs.job{n}]\ncommand = "true"\nschedule = "{m} 3 * * *"\n'
BASE = "python -c 'import typer, peewee'"
_IMPORT = "import sys; sys.modules.update(psycopg=None, psycopg2=None); import typer, peewee"
COMMANDS = {
    "python -c pass": [sys.executable, "-c", "pass"],
    "python -c 'import typer'": [sys.executable, "-c", "import typer"],
    BASE: [sys.executable, "-c", _IMPORT],
    "jobrunner trigger": [*PYTHON, "trigger", "job1"],
    "jobrunner --help": [*PYTHON, "--help"],
    "jobrunner jobs": [*PYTHON, "jobs"],
    "jobrunner runs": [*PYTHON, "runs"],
    "jobrunner check": [*PYTHON, "check"],
}
COMPLETION = {"_JOBRUNNER_COMPLETE": "complete_bash", "COMP_WORDS": "jobrunner trigger job9", "COMP_CWORD": "2"}


def measure(options: Options) -> tuple[Table, ...]:
    rounds = options.rounds * options.of(4, 1) + 1
    with project(_jobs(10)) as small, project(_jobs(10_000)) as large:
        work = {name: partial(_milliseconds, command, small) for name, command in COMMANDS.items()}
        program = [str(Path(sys.executable).parent / "jobrunner")]
        for count, folder in ((10, small), (10_000, large)):
            name = f"completion of a job's name, {count:,} jobs"
            work[name] = partial(_milliseconds, program, folder, COMPLETION)
        work["jobrunner trigger, 10,000 jobs"] = partial(_milliseconds, COMMANDS["jobrunner trigger"], large)
        for once in work.values():
            once()  # bytecode and pages are warm
        rows = in_turn(rounds, work)
    return (
        Table(
            title="Cold start, whole processes",
            unit="ms",
            better="less",
            rows=against(rows, {name: BASE for name in work if name.startswith(("jobrunner", "completion"))}),
            notes=(
                f"{rounds} rounds; bytecode compiled and kept; 10 jobs where no number is said",
                "the import is without psycopg, which peewee takes along where it is installed",
            ),
        ),
    )


def _jobs(count: int) -> str:
    return "\n".join(JOB.format(n=n, m=n % 60) for n in range(count))


def _milliseconds(command: list[str], folder: Path, environ: Mapping[str, str] = os.environ) -> float:
    whole = environment() | ({} if environ is os.environ else dict(environ))
    start = time.perf_counter()
    subprocess.run(command, cwd=folder, env=whole, capture_output=True, check=True)
    return (time.perf_counter() - start) * 1000
