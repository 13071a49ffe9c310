"""How long `simulate` takes for a year of a thousand jobs, without reading the file and the history."""

from __future__ import annotations

import random
import resource
import time
from datetime import UTC, datetime, timedelta

from bench.table import show
from jobrunner.domain.estimate import Basis, Estimate
from jobrunner.domain.forecast import Plan, PlannedJob
from jobrunner.domain.job import Command, Job, ScheduleSpec
from jobrunner.domain.simulation import simulate

START = datetime(2026, 1, 1, tzinfo=UTC)
MIX = {"{m} {h} * * *": 550, "{m} {h} * * {w}": 100, "{m} {h} 1 * *": 40, "{m} * * * *": 220}
OFTEN = {"*/15 * * * *": 50, "*/5 * * * *": 35, "* * * * *": 5}
"""How many jobs of a thousand have such a schedule; those of MIX have most of their minutes at the hour or the half."""

WORKERS = 20


def main() -> None:
    rows = []
    for days in (7, 365):
        plan = _plan(days)
        before = time.process_time()
        found = simulate(plan)
        used = time.process_time() - before
        starts = sum(job.starts for job in found.jobs)
        rows.append(
            (f"{days} days", f"{used:.1f} s of a processor, {starts:,} runs, {used / starts * 1e6:.1f} µs each")
        )
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    show(f"Simulation of 1,000 jobs on {WORKERS} workers ({memory} MiB at most)", rows)


def _plan(days: int) -> Plan:
    chance = random.Random(1)
    texts = [_filled(text, chance) for text, count in (MIX | OFTEN).items() for _ in range(count)]
    return Plan(
        jobs=tuple(_job(f"job{number}", text, chance) for number, text in enumerate(texts)),
        workers=WORKERS,
        queues=("default",),
        start=START,
        end=START + timedelta(days=days),
        timezone="Europe/Madrid",
        seed=1,
    )


def _filled(text: str, chance: random.Random) -> str:
    minute = chance.choice((0, 0, 0, 15, 30, chance.randrange(60)))
    return text.format(m=minute, h=chance.randrange(24), w=chance.randrange(7))


def _job(name: str, text: str, chance: random.Random) -> PlannedJob:
    median = timedelta(seconds=2 if text.startswith("*") else chance.choice((1, 2, 5, 20, 60, 300)))
    schedules = (ScheduleSpec(text),)
    job = Job(
        name=name, kind=Command(line="true"), folder="/", timezone="Europe/Madrid", definition="", schedules=schedules
    )
    return PlannedJob(job=job, estimate=Estimate(median=median, p95=3 * median, basis=Basis.GUESS))


if __name__ == "__main__":
    main()
