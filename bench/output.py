"""A job that prints a gigabyte, from its start to its end, against the same program into a pipe that is thrown away."""

from __future__ import annotations

import subprocess
import time
from functools import partial
from pathlib import Path

from bench.options import Options
from bench.project import project, server
from bench.result import Table, against, in_turn
from jobrunner import Client, wiring

LINE = "x" * 79
BARE = "into a pipe, thrown away"


def measure(options: Options) -> tuple[Table, ...]:
    size = options.of(1_000_000_000, 50_000_000)
    program = f"yes {LINE} | head -c {size}"
    with project(f"[jobs.loud]\ncommand = '{program}'\n") as folder, server(folder):
        name = "jobrunner, output kept, head and tail"
        rows = in_turn(options.rounds, {BARE: partial(_bare, program), name: partial(_ours, folder)})
    return (
        Table(
            title=f"A job that prints {size / 1e6:,.0f} MB in lines of 80 bytes",
            unit="s",
            better="less",
            rows=against(rows, {name: BARE}),
            notes=("max_output 10 MiB, the default; of the server's record of the run: from its start to its end",),
        ),
    )


def _bare(program: str) -> float:
    start = time.perf_counter()
    subprocess.run(["sh", "-c", f"({program}) | cat > /dev/null"], check=True)
    return time.perf_counter() - start


def _ours(folder: Path) -> float:
    with Client.open(folder / "jobs.toml") as client:
        handle = client.trigger("loud")
        handle.result(timeout=600)
    with wiring.open_admin(folder / "jobs.toml") as admin:
        run = admin.run(handle.id)
    assert run.finished_at is not None
    assert run.started_at is not None
    return (run.finished_at - run.started_at).total_seconds()
