"""APScheduler: schedules in the own process, a thread for each fire. It has no queue."""

from __future__ import annotations

import subprocess
from pathlib import Path

from bench.peers.peer import installed
from bench.project import environment

NEEDS = ("apscheduler==3.11.3",)
SETTINGS = "apscheduler 3.11.3, BackgroundScheduler, jobs in memory, a thread for each fire, in the own process"
_PROGRAM = """
import sys, time
from apscheduler.schedulers.background import BackgroundScheduler
jobs, seconds = int(sys.argv[1]), float(sys.argv[2])
fired = []
scheduler = BackgroundScheduler()
for n in range(jobs):
    scheduler.add_job(lambda: fired.append(time.time()), "cron", second="*", misfire_grace_time=60, max_instances=9)
scheduler.start()
time.sleep(seconds)
for at in fired:
    print(at)
"""


def fires(jobs: int, seconds: float) -> list[float]:
    """When the jobs, each due every second, began: seconds since the epoch."""
    program = installed("apscheduler", NEEDS) / "python"
    command = [str(program), "-c", _PROGRAM, str(jobs), str(seconds)]
    done = subprocess.run(command, cwd=Path.home(), env=environment(), capture_output=True, text=True, check=True)
    return [float(line) for line in done.stdout.split()]
