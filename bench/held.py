"""No-op Python runs worked off where ten thousand older runs are held up: by each other, by a pause, by their time."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

from bench import ours
from bench.options import Options
from bench.project import jobrunner
from bench.result import Table, against, in_turn
from bench.services import Services
from jobrunner import Client

COUNT = 10_000
JOBS = """
[queues.later]
[jobs.held]
command = ["/bin/true"]
queue = "later"
schedule = "* * * * *"
"""
NOTHING = "nothing is held up"


def measure(options: Options) -> tuple[Table, ...]:
    ways = {
        "by each other, one at a time": _each_other,
        "by the pause of their job": _job_paused,
        "by the pause of their queue": _queue_paused,
        "by their time": _later,
    }
    with Services(options.appendfsync) as services:
        work = {NOTHING: partial(_rate, services, options.runs)}
        work |= {name: partial(_rate, services, options.runs, hold) for name, hold in ways.items()}
        rows = in_turn(options.rounds, work)
    return (
        Table(
            title=f"Drain of no-op Python runs behind {COUNT:,} that are held up",
            unit="runs/s",
            rows=against(rows, dict.fromkeys(ways, NOTHING)),
            notes=(
                f"{ours.FULL.title}, {options.runs:,} runs",
                "by each other: a backfill, whose first run is held up by a pause",
                "goal: at least 0.95 ×",
                ours.QUIET_NOTE,
            ),
        ),
    )


def _rate(services: Services, count: int, hold: Callable[[Path], None] | None = None) -> float:
    options = ("--no-scheduler", "--log-level", "warning")
    with ours.FULL.project(services, JOBS) as folder:
        if hold is not None:
            hold(folder)
        return ours.worked_off(folder, "nop", [{"n": n} for n in range(count)], *options)


def _each_other(folder: Path) -> None:
    jobrunner(folder, "pause", "--queue", "later")
    now = datetime.now(UTC)
    window = [time.isoformat(timespec="seconds") for time in (now - timedelta(minutes=COUNT), now)]
    jobrunner(folder, "backfill", "held", "--from", window[0], "--to", window[1])


def _job_paused(folder: Path) -> None:
    jobrunner(folder, "pause", "held")
    _batch(folder)


def _queue_paused(folder: Path) -> None:
    jobrunner(folder, "pause", "--queue", "later")
    _batch(folder)


def _batch(folder: Path) -> None:
    with Client.open(folder / "jobs.toml") as client:
        client.batch("held", [{}] * COUNT)


def _later(folder: Path) -> None:
    with Client.open(folder / "jobs.toml") as client:
        for _ in range(COUNT):
            client.trigger("held", delay=timedelta(days=1))
