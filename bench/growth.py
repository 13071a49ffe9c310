"""Whether anything gets slower with the runs that are kept, and with the jobs of the file.

The history is made up once for each size (``kept``); what a round adds to it is taken out again.
"""

from __future__ import annotations

import sqlite3
import subprocess
import tempfile
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from functools import partial
from pathlib import Path

from bench import history, history_jobs, kept
from bench.options import Options
from bench.project import PYTHON, environment, server
from bench.result import Row, Table, in_turn
from bench.tui import painted
from jobrunner import Client, wiring
from jobrunner.domain.filter import RunFilter
from jobrunner.domain.state import RunState


def measure(options: Options) -> tuple[Table, ...]:
    sizes = [size for size in (1_000, 10_000, 100_000, 1_000_000, 10_000_000) if size <= options.largest]
    with tempfile.TemporaryDirectory(prefix="jobrunner-bench-growth-") as name:
        folders = {size: kept.make(Path(name, str(size)), size).parent for size in sizes}
        bytes_each = tuple(
            Row(name="disk, a run", at=size, values=(_bytes(folders[size]) / size,)) for size in sizes[1:] or sizes
        )
        count = options.of(10_000, 200)
        rates = _sized(options, sizes, lambda size: _rates(folders[size], count))
        times = _sized(options, sizes, lambda size: _times(folders[size]))
        by_jobs = [10, 1_000, *([] if options.quick else [10_000, 100_000])]
        files = {jobs: _file(Path(name, f"jobs{jobs}"), jobs) for jobs in by_jobs}
        few = replace(options, rounds=min(options.rounds, 3))  # with so many jobs, one command takes half a minute
        with_jobs = _sized(few, by_jobs, lambda jobs: _commands(files[jobs]))
    axis = "runs kept"
    note = f"whole processes; {kept.JOBS} jobs; first paint: until the dashboard's overview shows figures"
    return (
        Table(title="Rates with the runs that are kept", unit="runs/s", rows=rates, axis=axis),
        Table(
            title="Times with the runs that are kept", unit="ms", better="less", rows=times, axis=axis, notes=(note,)
        ),
        Table(title="Disk for each run, all indexes", unit="bytes", better="less", rows=bytes_each, axis=axis),
        Table(title="Times with the jobs of the file", unit="ms", better="less", rows=with_jobs, axis="jobs"),
    )


def _sized(
    options: Options, sizes: list[int], work: Callable[[int], dict[str, Callable[[], float]]]
) -> tuple[Row, ...]:
    """All sizes in turn, so that what disturbs one disturbs the others."""
    found = {(name, size): once for size in sizes for name, once in work(size).items()}
    names = {f"{name}, {size:,}": (name, size) for name, size in found}
    rows = in_turn(options.rounds, {label: found[key] for label, key in names.items()})
    return tuple(
        Row(name=names[row.name][0], at=names[row.name][1], values=row.values, failed=row.failed) for row in rows
    )


def _rates(folder: Path, count: int) -> dict[str, Callable[[], float]]:
    return {
        "trigger": partial(_without_new, folder, _trigger_rate, count // 4),
        "claim and finish": partial(_without_new, folder, _drain_rate, count),
    }


def _times(folder: Path) -> dict[str, Callable[[], float]]:
    return _commands(folder) | {"first paint": partial(_first_paint, folder)}


def _commands(folder: Path) -> dict[str, Callable[[], float]]:
    commands = {"runs": ["runs"], "runs --state failed": ["runs", "--state", "failed"], "jobs": ["jobs"]}
    one = ["trigger", history_jobs.name_of(0)]
    return {name: partial(_milliseconds, folder, args) for name, args in (commands | {"trigger": one}).items()}


def _file(folder: Path, jobs: int) -> Path:
    history.make(folder, jobs=jobs, runs=1_000)
    return folder


def _without_new(folder: Path, measure: Callable[[Path, int], float], count: int) -> float:
    """Measured, and the store as it was: with thousands more each time, a thousand runs would not stay a thousand."""
    with closing(sqlite3.connect(folder / "jobrunner.db")) as db:
        newest = {table: db.execute(f"SELECT max(id) FROM {table}").fetchone()[0] for table in ("runs", "batches")}
        rate = measure(folder, count)
        db.execute("DELETE FROM attempts WHERE run_id > ?", (newest["runs"],))
        for table, last in newest.items():
            db.execute(f"DELETE FROM {table} WHERE id > ?", (last,))
        db.commit()
    return rate


def _trigger_rate(folder: Path, count: int) -> float:
    with Client.open(folder / kept.FILE) as client:
        client.trigger("nop", n=0)
        start = time.perf_counter()
        for n in range(count):
            client.trigger("nop", n=n)
        rate = count / (time.perf_counter() - start)
    with wiring.open_admin(folder / kept.FILE) as admin:
        left = admin.runs(RunFilter(jobs=("nop",), states=(RunState.QUEUED,), limit=0))
        admin.cancel_each([run.id for run in left])
    return rate


def _drain_rate(folder: Path, count: int) -> float:
    with Client.open(folder / kept.FILE) as client, server(folder, "-c", kept.FILE):
        client.batch("nop", [{"n": n} for n in range(50)]).wait(60)  # the children are warm
        batch = client.batch("nop", [{"n": n} for n in range(count)])
        start = time.perf_counter()
        batch.wait(300)
        return count / (time.perf_counter() - start)


def _milliseconds(folder: Path, args: list[str]) -> float:
    start = time.perf_counter()
    subprocess.run([*PYTHON, *args], cwd=folder, env=environment(), capture_output=True, check=True)
    return (time.perf_counter() - start) * 1000


def _first_paint(folder: Path) -> float:
    return painted(folder)


def _bytes(folder: Path) -> int:
    with closing(sqlite3.connect(folder / "jobrunner.db")) as db:
        pages, size, free = (
            db.execute(f"PRAGMA {name}").fetchone()[0] for name in ("page_count", "page_size", "freelist_count")
        )
    return int((pages - free) * size)
