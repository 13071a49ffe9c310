"""Several servers on one store: whether they add up, and how long a commit waits where they share a SQLite file."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path

from bench import ours
from bench.options import Options
from bench.ours import Ours
from bench.project import jobrunner, project, server
from bench.result import Row, Table, in_turn
from bench.services import Services
from bench.table import median, number, percentile
from jobrunner import Client

JOBS = """
[jobrunner]
workers = 4
{keys}
[jobs.short]
python = "work:short"
[jobs.nop]
python = "work:nop"
"""
WORK = "import time\ndef short():\n    time.sleep(0.02)\ndef nop():\n    return None\n"
WORKERS = 4


def measure(options: Options) -> tuple[Table, ...]:
    counts = (1, 2) if options.quick else (1, 2, 4)
    with Services(options.appendfsync) as services:
        work = {
            (one.title, servers): partial(_rate, one, services, servers, options.of(400, 100))
            for one in (ours.POSTGRESQL, ours.REDIS, ours.FULL)
            for servers in counts
        }
        names = {f"{title}, {servers} servers": (title, servers) for title, servers in work}
        rows = in_turn(options.rounds, {name: work[key] for name, key in names.items()})
        settings = services.settings()
    added = tuple(
        Row(name=names[row.name][0], at=names[row.name][1], values=row.values, failed=row.failed) for row in rows
    )
    return (
        Table(
            title="Runs of 20 ms a second, several servers on one store",
            unit="runs/s",
            rows=added,
            axis="servers",
            notes=(f"{WORKERS} workers each, so at most {WORKERS * 50} runs/s a server", settings),
        ),
        _waits(options),
    )


def _rate(one: Ours, services: Services, servers: int, runs_each: int) -> float:
    with _project(one, services) as folder, ExitStack() as running, Client.open(folder / "jobs.toml") as client:
        for _ in range(servers):
            running.enter_context(server(folder))
        client.batch("short", [{}] * 4 * WORKERS * servers).wait(60)  # the children are warm
        batch = client.batch("short", [{}] * runs_each * servers)
        start = time.perf_counter()
        batch.wait(300)
        return runs_each * servers / (time.perf_counter() - start)


def _waits(options: Options) -> Table:
    """One process triggers without a pause while two servers work off what waits."""
    every: dict[str, list[float]] = {"no server": [], "two busy servers": []}
    work = {
        "no server": partial(_longest, 0, options, every["no server"]),
        "two busy servers": partial(_longest, 2, options, every["two busy servers"]),
    }
    rows = tuple(
        Row(name=row.name, values=row.values, note=_tail(every[row.name]), failed=row.failed)
        for row in in_turn(options.rounds, work)
    )
    return Table(
        title="Longest wait of a trigger on one SQLite file, durability full",
        unit="ms",
        better="less",
        rows=rows,
        notes=("the longest of each round; beside it all rounds together",),
    )


def _longest(servers: int, options: Options, every: list[float]) -> float:
    with project(JOBS.format(keys=""), work_py=WORK) as folder, ExitStack() as running:
        client = running.enter_context(Client.open(folder / "jobs.toml"))
        for _ in range(servers):
            running.enter_context(server(folder))
        client.batch("nop", [{}] * options.of(10_000, 500))
        found = []
        for _ in range(options.of(2_000, 200)):
            start = time.perf_counter()
            client.trigger("nop")
            found.append((time.perf_counter() - start) * 1000)
        jobrunner(folder, "pause", "--all")
    every.extend(found)
    return max(found)


def _tail(times: list[float]) -> str:
    return f"median {number(median(times))}, p99 {number(percentile(times, 0.99))}, most {number(max(times))}"


@contextmanager
def _project(one: Ours, services: Services) -> Iterator[Path]:
    keys = "\n".join(one.keys(services))
    with project(JOBS.format(keys=keys), work_py=WORK) as folder:
        yield folder
