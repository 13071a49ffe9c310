"""This program in the configurations that are measured, with the same verbs as a peer's."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from bench.project import jobrunner, project, server
from bench.services import Services
from jobrunner import Client, wiring
from jobrunner.domain.filter import RunFilter

JOBS = """
[jobrunner]
{keys}
[jobs.nop]
python = "work:nop"
params.n = {{ type = "int", required = true }}
[jobs.once]
python = "work:nop"
params.n = {{ type = "int", required = true }}
on_lost = "fail"
[jobs.say]
python = "work:say"
params.n = {{ type = "int", required = true }}
[jobs.stamp]
python = "work:stamp"
[jobs.true]
command = ["/bin/true"]
timeout = "1m"
[jobs.date]
command = ["date", "+%s.%N"]
"""
WARM = 200
"""Runs before what is measured: each child has been started, and each job is known to be short."""

WORK = """
import time
def nop(n):
    return n
def say(n):
    print("a line of", n)
    return n
def stamp():
    return time.time()
"""


@dataclass(frozen=True, kw_only=True)
class Ours:
    """One configuration: ``store`` and ``broker`` are ``sqlite``, ``postgresql`` and ``redis``, or nothing; ``call`` is
    ``nop``, or ``once``, which must not be repeated and so is not claimed ahead, or ``say``, which prints a line.
    ``workers``: 0 is the default. ``log``: the least that it logs while it works off calls."""

    title: str
    durability: str = "full"
    store: str = "sqlite"
    broker: str = ""
    call: str = "nop"
    workers: int = 0
    log: str = "warning"

    def enqueue(self, services: Services, count: int) -> float:
        """Runs that ``client.trigger`` creates a second, one at a time: checked, audited, durable."""
        with self.project(services) as folder, Client.open(folder / "jobs.toml") as client:
            client.trigger("nop", n=0)
            start = time.perf_counter()
            for n in range(count):
                client.trigger("nop", n=n)
            return count / (time.perf_counter() - start)

    def batch(self, services: Services, count: int) -> float:
        """Runs that ``client.batch`` creates a second."""
        with self.project(services) as folder, Client.open(folder / "jobs.toml") as client:
            client.trigger("nop", n=0)
            start = time.perf_counter()
            client.batch("nop", [{"n": n} for n in range(count)])
            return count / (time.perf_counter() - start)

    def drain(self, services: Services, count: int) -> float:
        """Runs worked off a second, with full history, from the first start to the end of the batch, in a server whose
        workers have all had runs before: the peers' rates too are without the start of what executes."""
        with self.project(services) as folder:
            return worked_off(folder, self.call, [{"n": n} for n in range(count)], "--log-level", self.log)

    def starts(self, services: Services, count: int) -> float:
        """The same of ``/bin/true``, its output captured and kept, its timeout armed."""
        with self.project(services) as folder:
            return worked_off(folder, "true", [{}] * count)

    def pickup(self, services: Services, count: int, job: str = "stamp") -> list[float]:
        """Milliseconds from each call of ``trigger`` to the first instruction, idle; ``job`` may be ``date``."""
        with self.project(services) as folder, server(folder), Client.open(folder / "jobs.toml") as client:
            return [_waited(client, job) for _ in range(count + 3)][3:]

    @contextmanager
    def project(self, services: Services, more: str = "") -> Iterator[Path]:
        """A folder with a jobs.toml, on an empty store; ``more``: further tables."""
        with project(JOBS.format(keys="\n".join(self.keys(services))) + more, work_py=WORK) as folder:
            yield folder

    def keys(self, services: Services) -> list[str]:
        """The lines of ``[jobrunner]`` for it, on an empty store."""
        keys = [f'durability = "{self.durability}"']
        if self.store == "postgresql":
            keys.append(f'store = "{services.postgresql()}"')
        if self.workers:
            keys.append(f"workers = {self.workers}")
        if self.broker:
            keys.append(f'broker = "{services.redis()}/0"')
        return keys


NOTE = "jobrunner: history, attempts, results and audit kept; a line in its log for each run, as is its default"
QUIET_NOTE = "jobrunner: history, attempts, results and audit kept; all log what goes wrong, and no line for each run"

FULL = Ours(title="jobrunner, SQLite full")
FULL_16 = replace(FULL, title=f"{FULL.title}, 16 workers", workers=16)
NORMAL = Ours(title="jobrunner, SQLite normal", durability="normal")
POSTGRESQL = Ours(title="jobrunner, PostgreSQL", store="postgresql")
REDIS = Ours(title="jobrunner, SQLite full + Redis", broker="redis")
ONCE = Ours(title="jobrunner, SQLite full, nothing ahead", call="once")
ONCE_16 = replace(ONCE, title=f"{ONCE.title}, 16 workers", workers=16)
NORMAL_ONCE = replace(NORMAL, title=f"{NORMAL.title}, nothing ahead", call="once")
NORMAL_ONCE_16 = replace(NORMAL_ONCE, title=f"{NORMAL_ONCE.title}, 16 workers", workers=16)
PRINTING = replace(FULL, title=f"{FULL.title}, each prints a line", call="say")
LOGGING = replace(FULL, title=f"{FULL.title}, a line in its log for each run", log="info")
REDIS_16 = replace(REDIS, title=f"{REDIS.title}, 16 workers", workers=16)
ALL = (FULL, NORMAL, POSTGRESQL, REDIS)
NOTHING_AHEAD = (ONCE, ONCE_16, NORMAL_ONCE, NORMAL_ONCE_16)


def worked_off(folder: Path, job: str, items: list[dict[str, int]], *options: str) -> float:
    """Runs of a job that a server, started with ``options``, works off a second: see ``drain``."""
    with server(folder, *options), Client.open(folder / "jobs.toml") as client:
        client.batch(job, items[:1] * WARM).wait()
        jobrunner(folder, "pause", "--all")
        batch = client.batch(job, items).id
        time.sleep(1)  # nobody is busy with what has been created
        jobrunner(folder, "resume", "--all")
        return _rate(folder, batch, len(items))


def _rate(folder: Path, batch: int, count: int) -> float:
    """From the first start to the end of the batch, by the server's own records."""
    with wiring.open_admin(folder / "jobs.toml") as admin:
        ended = admin.wait_batch(batch).finished_at
        first = min(run.started_at for run in admin.runs(RunFilter(batch=batch, limit=0)) if run.started_at)
    assert ended is not None
    return count / (ended - first).total_seconds()


def _waited(client: Client, job: str) -> float:
    called = time.time()
    run = client.trigger(job)
    value = run.result(timeout=30)
    began = float(b"".join(part.data for part in client._admin.output(run.id)) if job == "date" else value)
    time.sleep(random.uniform(0.05, 0.15))
    return (began - called) * 1000
