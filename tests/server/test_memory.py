"""What a job of a large file costs a server as long as it runs, and while the file is read: in bytes, which are the
same every time in a process of its own."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

JOBS = 8000  # Python keeps 2,000 tuples of each length for the next
COUNT = """
import json, os, sys, tracemalloc
from datetime import UTC, datetime
from jobrunner.domain.timetable import Timed, Timetable
from jobrunner.jobfile import read

path, now = os.path.realpath("jobs.toml"), datetime.now(UTC)
entry = '[jobs.job{n}]\\ncommand = ["work", "{n}"]\\nschedule = "{m} 3 * * *"\\n'

def text(jobs):
    return "".join(entry.format(n=n, m=n % 60) for n in range(jobs))

def timetable(jobs):
    return Timetable([Timed.of(job) for job in jobs.values()], dict.fromkeys(jobs, now))

many = {path: text(int(sys.argv[1]))}
timetable(read(path, many).jobs)  # what is loaded once, remembered of schedules, and kept by Python for new tuples
tracemalloc.start()
jobs = read(path, many).jobs
held, most = tracemalloc.get_traced_memory()
fires = timetable(jobs)
print(json.dumps([held, most, tracemalloc.get_traced_memory()[0] - held, len(fires)]))
"""


def test_what_a_job_costs(tmp_path: Path) -> None:
    (tmp_path / "jobs.toml").touch()
    done = subprocess.run([sys.executable, "-c", COUNT, str(JOBS)], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    held, most, to_fire, schedules = json.loads(done.stdout)
    assert schedules == 60
    assert held / JOBS < 1000  # 969: 400 for the fields, 200 for the definition, the rest for what else they hold
    assert to_fire / JOBS < 160  # 116: equal schedules are one
    assert most / JOBS < 2700  # 2267, most of it for the tree of the file
