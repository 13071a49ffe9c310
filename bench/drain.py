"""No-op Python runs worked off, with full history, against bare SqliteHuey with results, in turn.

Each with its default number of workers: ours has two for each processor, in warm children; Huey one thread.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from bench.project import environment, jobrunner, project, server
from bench.table import ratios, show, spread
from jobrunner import wiring
from jobrunner.domain.filter import RunFilter

RUNS = 4_000
ROUNDS = 5
JOBS = """
[jobrunner]
durability = "{durability}"
[jobs.noop]
python = "nop:nop"
params.n = {{ type = "int", required = true }}
"""
HUEY = """
import logging, os, sys, time
logging.disable(logging.WARNING)
from huey import SqliteHuey
huey = SqliteHuey("bench", filename=sys.argv[1], fsync=sys.argv[2] == "full", results=True)
@huey.task()
def nop(n): return n
results = [nop(n) for n in range({runs})]
consumer = huey.create_consumer(workers=1, periodic=False)
start = time.perf_counter()
consumer.start()
while huey.storage.queue_size() or huey._tasks_in_flight or huey.storage.result_store_size() < {runs}:
    time.sleep(0.005)
print({runs} / (time.perf_counter() - start))
sys.stdout.flush()
os._exit(0)
"""


def main() -> None:
    rows = []
    for durability in ("full", "normal"):
        ours, theirs = [], []
        for _ in range(ROUNDS):
            ours.append(_ours(durability))
            theirs.append(_huey(durability))
        rows.append((f"bare SqliteHuey, {durability}", spread(theirs, "/s")))
        rows.append((f"jobrunner, {durability}", f"{spread(ours, '/s')} = {ratios(ours, theirs)}"))
    show(f"Drain of {RUNS:,} no-op Python runs, default workers, {ROUNDS} rounds in turn", rows)


def _ours(durability: str) -> float:
    with project(JOBS.format(durability=durability), nop_py="def nop(n):\n    return n\n") as folder:
        jobrunner(folder, "pause", "--all")
        lines = "".join(f"{n}\n" for n in range(RUNS))
        batch = jobrunner(folder, "trigger", "noop", "--each", "-", stdin=lines).strip()
        with server(folder):
            jobrunner(folder, "resume", "--all")
            return _rate(folder, int(batch.removeprefix("b")))


def _rate(folder: Path, batch: int) -> float:
    """From the first start to the end of the batch, by the server's own records."""
    with wiring.open_admin(folder / "jobs.toml") as admin:
        ended = admin.wait_batch(batch).finished_at
        first = min(run.started_at for run in admin.runs(RunFilter(batch=batch, limit=0)) if run.started_at)
    assert ended is not None
    return RUNS / (ended - first).total_seconds()


def _huey(durability: str) -> float:
    with project("") as folder:
        code = HUEY.format(runs=RUNS)
        command = [sys.executable, "-c", code, str(folder / "huey.db"), durability]
        done = subprocess.run(command, env=environment(), capture_output=True, text=True, check=True)
        return float(done.stdout)
