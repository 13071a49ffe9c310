"""From ``trigger``'s return to the job's first instruction, on an idle server, with either store."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

from bench.postgresql import postgresql
from bench.project import project, server
from bench.table import percentile, show, spread
from jobrunner import Client

ROUNDS = 60
JOBS = """
[jobrunner]
store = "{store}"
workers = 4
[jobs.python]
python = "stamp:stamp"
[jobs.command]
command = ["sh", "-c", "date +%s.%N"]
"""
STAMP = "import time\ndef stamp():\n    return time.time()\n"


def main() -> None:
    with postgresql() as url:
        rows = [
            (f"{kind}, {name}", f"{spread(times, 'ms')}, p99 {percentile(times, 0.99):.1f} ms")
            for name, store in (("SQLite", "sqlite:///jobrunner.db"), ("PostgreSQL", url))
            for kind, times in _times(store)
        ]
    show(f"Trigger in one process to the first instruction in the server's child, idle, {ROUNDS} runs", rows)


def _times(store: str) -> Iterator[tuple[str, list[float]]]:
    jobs = JOBS.replace("{store}", store)
    with project(jobs, stamp_py=STAMP) as folder, server(folder), Client.open(folder / "jobs.toml") as client:
        for kind in ("python", "command"):
            yield kind, _measure(client, kind, folder)


def _measure(client: Client, kind: str, folder: Path) -> list[float]:
    times = []
    for number in range(ROUNDS + 3):
        run = client.trigger(kind)
        returned = time.time()
        value = run.result(timeout=30)
        if kind == "command":
            value = float(b"".join(part.data for part in client._admin.output(run.id)))
        if number >= 3:
            times.append(max(0.0, (value - returned) * 1000))
        time.sleep(0.05)
    return times
