"""An imported line of a crontab fires when Debian's cron ran it, in the night when the clock changes too."""

from __future__ import annotations

import tomllib
from datetime import UTC, datetime
from random import Random
from zoneinfo import ZoneInfo

from debian_cron import Entry, Night
from expressions import vixie

from jobrunner.domain.job import ScheduleSpec
from jobrunner.domain.schedule import parse
from jobrunner.jobfile.imports.cron_jobs import Host, Origin, import_crontab

AUTUMN = datetime(2026, 10, 24, 22, tzinfo=UTC), datetime(2026, 10, 26, 6, tzinfo=UTC)
HOST = Host(accounts=(), home=lambda _: None, needs_shell=lambda _: False)


def test_jobs_fire_when_their_lines_did() -> None:
    random, night = Random(7), Night(ZoneInfo("Europe/Madrid"), *AUTUMN)
    lines = [vixie(random) for _ in range(150)]
    found = import_crontab("".join(f"{line} /bin/job\n" for line in lines), Origin("x", "x", "ana"), HOST)
    jobs = list(tomllib.loads(found.text)["jobs"].values())
    never = {remark.line for remark in found.remarks if "never fires" in remark.message}
    taken = [line for number, line in enumerate(lines, 1) if number not in never]
    assert len(taken) > 100
    for line, job in zip(taken, jobs, strict=True):
        schedule = parse(ScheduleSpec(job["schedule"]), job="job", timezone="Europe/Madrid")
        assert list(schedule.between(*AUTUMN)) == night.fires(Entry(line)), line
