"""Runs created one at a time (checked, audited, durable) and in a batch, against bare SqliteHuey's enqueue, in turn."""

from __future__ import annotations

import subprocess
import sys
import time

from bench.project import environment, project
from bench.table import ratios, show, spread
from jobrunner import Client

RUNS = 2_000
BATCH = 100_000
ROUNDS = 5
JOBS = """
[jobs.noop]
python = "nop:nop"
params.n = { type = "int", required = true }
"""
HUEY = """
import sys, time
from huey import SqliteHuey
huey = SqliteHuey("bench", filename=sys.argv[1], fsync=True)
@huey.task()
def nop(n): return n
start = time.perf_counter()
for n in range({runs}): nop(n)
print({runs} / (time.perf_counter() - start))
"""


def main() -> None:
    single, batch, theirs = [], [], []
    for _ in range(ROUNDS):
        one, many = _ours()
        single.append(one)
        batch.append(many)
        theirs.append(_huey())
    show(
        f"Enqueue, {ROUNDS} rounds in turn, durability full",
        [
            ("bare SqliteHuey", spread(theirs, "/s")),
            ("client.trigger", f"{spread(single, '/s')} = {ratios(single, theirs)}"),
            (f"client.batch of {BATCH:,}", f"{spread(batch, '/s')} = {ratios(batch, theirs)}"),
        ],
    )


def _ours() -> tuple[float, float]:
    with project(JOBS) as folder, Client.open(folder / "jobs.toml") as client:
        client.trigger("noop", n=0)
        start = time.perf_counter()
        for n in range(RUNS):
            client.trigger("noop", n=n)
        single = RUNS / (time.perf_counter() - start)
        start = time.perf_counter()
        client.batch("noop", [{"n": n} for n in range(BATCH)])
        return single, BATCH / (time.perf_counter() - start)


def _huey() -> float:
    with project("") as folder:
        command = [sys.executable, "-c", HUEY.format(runs=RUNS), str(folder / "huey.db")]
        return float(subprocess.run(command, env=environment(), capture_output=True, text=True, check=True).stdout)
