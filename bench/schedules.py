"""Schedules: from a fire time to the job's first instruction, and what many of them cost to load and to keep."""

from __future__ import annotations

import math
import os
import sqlite3
import time
from collections.abc import Callable
from contextlib import closing
from functools import partial
from pathlib import Path

from bench.family import Family
from bench.options import Options
from bench.peers import apscheduler, cronstable
from bench.project import project, server
from bench.result import Row, Table, first_line, in_turn
from bench.table import median, number, percentile

HEAD = '[jobrunner]\ntimezone = "Europe/Madrid"\nworkers = {workers}\n'
STAMP = "import time\ndef stamp():\n    return time.time()\n"
PYTHON = '\n[jobs.job{n}]\npython = "stamp:stamp"\noverlap = "allow"\nschedule = "{schedule}"\n'
COMMAND = '\n[jobs.job{n}]\ncommand = ["/bin/true"]\noverlap = "allow"\nschedule = "{schedule}"\n'
DATE = '\n[jobs.job{n}]\ncommand = "date +%s.%N >> dates"\noverlap = "allow"\nschedule = "{schedule}"\n'
WARM = 2
"""So many seconds are left out at the beginning, which are about the start of what executes."""

STARTS = 200
QUIET = ("--log-level", "warning")

LOADS = (
    ("10 yearly", 10, "{minute} {hour} {day} {month} *"),
    ("10,000 yearly", 10_000, "{minute} {hour} {day} {month} *"),
    ("100,000 yearly", 100_000, "{minute} {hour} {day} {month} *"),
    ("100,000 daily, spread by H", 100_000, "H H * * *"),
)


def measure(options: Options) -> tuple[Table, ...]:
    seconds, longer = options.of(5, 3), options.of(20, 3)
    every: dict[str, list[float]] = {}
    work: dict[str, Callable[[], list[float]]] = {}
    if options.wants("apscheduler"):
        work["APScheduler, 1 function"] = lambda: _late(apscheduler.fires(1, seconds + WARM))
        work["APScheduler, 1,000 functions"] = lambda: _late(apscheduler.fires(1_000, seconds + WARM))
    if options.wants("cronstable"):
        work["cronstable, 1 command (date)"] = lambda: _late(cronstable.fires(1, seconds + WARM))
        work["cronstable, 50 commands (date)"] = lambda: _late(cronstable.fires(50, seconds + WARM))
    work[f"posix_spawn, {STARTS} of /bin/true one after the other"] = partial(_spawned, STARTS, seconds)
    work["jobrunner, 1 command (date)"] = partial(_dates, 1, seconds)
    work["jobrunner, 50 commands (date)"] = partial(_dates, 50, seconds)
    work[f"jobrunner, {STARTS} commands (/bin/true, to its start)"] = partial(_delays, COMMAND, STARTS, longer)
    work["jobrunner, 1 function"] = partial(_delays, PYTHON, 1, seconds, *QUIET)
    work["jobrunner, 1,000 functions"] = partial(_delays, PYTHON, 1_000, longer, *QUIET)
    rows = in_turn(min(options.rounds, 3), {name: _median(name, once, every) for name, once in work.items()})
    return (
        Table(
            title="From the fire time to the first instruction, every job each second",
            unit="ms",
            better="less",
            rows=tuple(
                Row(name=row.name, values=row.values, failed=row.failed, note=_tail(every.get(row.name, [])))
                for row in rows
            ),
            notes=(
                "posix_spawn: a bare loop, to the return of each call; they are waited for when all have been started",
                f"{seconds} s a round, of ours with 200 and 1,000 jobs {longer} s; medians; with all rounds together"
                " the p95, p99, longest and number of fires",
                "cronstable 1.2.72, standard output captured, no state",
                apscheduler.SETTINGS,
                "jobrunner: a line in its log for each command, and none for each function, as APScheduler has none",
            ),
        ),
        *_loads(options),
    )


def _median(name: str, once: Callable[[], list[float]], every: dict[str, list[float]]) -> Callable[[], float]:
    def measured() -> float:
        times = once()
        every.setdefault(name, []).extend(times)
        return median(times)

    return measured


def _late(stamps: list[float]) -> list[float]:
    """Milliseconds after the full second before, without the first seconds."""
    first = min(stamps) + WARM
    return [stamp % 1 * 1000 for stamp in stamps if stamp >= first]


def _tail(times: list[float]) -> str:
    if not times:
        return ""
    shown = [f"{name} {number(percentile(times, part))}" for name, part in (("p95", 0.95), ("p99", 0.99))]
    return ", ".join([*shown, f"most {number(max(times))}", f"{len(times):,} fires"])


def _spawned(count: int, seconds: int) -> list[float]:
    """What the machine allows: milliseconds after each full second at which so many were started."""
    late = list[float]()
    begun = math.ceil(time.time())
    for second in range(begun, begun + seconds):
        time.sleep(max(second - time.time(), 0))
        started = list[int]()
        for _ in range(count):
            started.append(os.posix_spawn("/bin/true", ["true"], {}))
            late.append((time.time() - second) * 1000)
        for pid in started:
            os.waitpid(pid, 0)
    return late


def _jobs(text: str, count: int, schedule: str) -> str:
    parts = [HEAD.format(workers=4)]
    for n in range(count):
        fields = {"minute": n % 60, "hour": n // 60 % 24, "day": n % 28 + 1, "month": n % 12 + 1}
        parts.append(text.format(n=n, schedule=schedule.format(**fields)))
    return "".join(parts)


def _dates(count: int, seconds: int) -> list[float]:
    with project(_jobs(DATE, count, "* * * * * *")) as folder:
        with server(folder):
            time.sleep(seconds + WARM)
        return _late([float(line) for line in (folder / "dates").read_text().split()])


def _delays(text: str, count: int, seconds: int, *options: str) -> list[float]:
    with project(_jobs(text, count, "* * * * * *"), stamp_py=STAMP) as folder:
        with server(folder, *options):
            time.sleep(seconds + WARM)
        return _recorded(folder)


def _recorded(folder: Path) -> list[float]:
    """By the records: what a function returned, or when a command was started.

    Without the last second, of which only the quickest had been started when the server was told to end.
    """
    with closing(sqlite3.connect(folder / "jobrunner.db")) as db:
        rows = db.execute(
            "SELECT fire_time, coalesce(result, started_at / 1e6) FROM runs WHERE state = 'succeeded'"
            " AND fire_time >= (SELECT min(fire_time) + ? FROM runs) AND fire_time < (SELECT max(fire_time) FROM runs)"
            " ORDER BY fire_time",
            (WARM * 1_000_000,),
        ).fetchall()
    return [float(started) * 1_000 - fire_time / 1_000 for fire_time, started in rows]


def _loads(options: Options) -> tuple[Table, Table, Table]:
    rows: dict[str, list[Row]] = {"ready": [], "processor": [], "memory": []}
    for name, count, schedule in LOADS[: options.of(4, 2)]:
        try:
            found = _load(count, schedule, options.of(5, 3))
        except Exception as error:
            found = {}
            failed = first_line(error)
        for what, held in rows.items():
            held.append(Row(name=name, values=(found[what],)) if found else Row(name=name, failed=failed))
    return (
        Table(title="Many schedules: ready", unit="s", better="less", rows=tuple(rows["ready"])),
        Table(title="Many schedules: idle processor", unit="% of one", better="less", rows=tuple(rows["processor"])),
        Table(title="Many schedules: memory", unit="MiB (PSS)", better="less", rows=tuple(rows["memory"])),
    )


def _load(count: int, schedule: str, seconds: float) -> dict[str, float]:
    with project(_jobs(COMMAND, count, schedule)) as folder:
        (folder / "jobs.toml").chmod(0o600)
        begun = time.monotonic()
        with server(folder) as process:
            ready = time.monotonic() - begun
            time.sleep(5)  # what was read is put in force in the background
            family = Family(process.pid)
            time.sleep(seconds)
            used = family.processor() / seconds
            return {"ready": ready, "processor": used * 100, "memory": family.memory()}
