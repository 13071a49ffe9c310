"""The whole process of ``jobrunner trigger`` and ``--help`` against ``python -c "import typer, peewee"``."""

from __future__ import annotations

import subprocess
import sys
import time

from bench.project import PYTHON, environment, project
from bench.table import ratios, show, spread

ROUNDS = 21
JOBS = '[jobs.noop]\ncommand = "true"\n'
COMMANDS = {
    "python -c 'import typer, peewee'": [sys.executable, "-c", "import typer, peewee"],
    "jobrunner trigger": [*PYTHON, "trigger", "noop"],
    "jobrunner --help": [*PYTHON, "--help"],
}


def main() -> None:
    times: dict[str, list[float]] = {name: [] for name in COMMANDS}
    with project(JOBS) as folder:
        for number in range(ROUNDS + 2):
            for name, command in COMMANDS.items():
                start = time.perf_counter()
                subprocess.run(command, cwd=folder, env=environment(), capture_output=True, check=True)
                if number >= 2:
                    times[name].append((time.perf_counter() - start) * 1000)
    base, *ours = COMMANDS
    rows = [(base, spread(times[base], "ms"))]
    rows += [(name, f"{spread(times[name], 'ms')} = {ratios(times[name], times[base])}") for name in ours]
    show(f"Cold start, whole processes, {ROUNDS} rounds in turn", rows)
