"""What an idle server costs, against idle workers of the peers: processor time and memory of all processes."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from subprocess import Popen

from bench import ours, peers
from bench.family import Family
from bench.options import Options
from bench.peers import cronstable
from bench.peers.peer import Peer
from bench.project import jobrunner, project, server
from bench.result import Row, Table, first_line
from bench.services import Services

JOBS = """
[jobrunner]
workers = 4
[jobs.python]
python = "work:nop"
"""
DAILY = '\n[jobs.job{n}]\ncommand = "true"\nschedule = "{m} 3 * * *"\n'
ALIKE = ("Huey, SQLite NORMAL", "pgqueuer, batch 100, PostgreSQL")
"""Peers that idle as another one does that is measured."""

Serving = Callable[[], AbstractContextManager[Popen[str]]]


def measure(options: Options) -> tuple[Table, ...]:
    theirs = tuple(peer for peer in peers.wanted(options) if peer.title not in ALIKE)
    seconds = options.of(7, 3)
    processor: dict[str, list[float]] = {}
    memory: dict[str, list[float]] = {}
    failed: dict[str, str] = {}
    with Services(options.appendfsync) as services:
        subjects = _subjects(theirs, services, options)
        for _ in range(min(options.rounds, 3)):
            for name, serving in subjects.items():
                try:
                    used, held = _cost(serving, seconds)
                except Exception as error:
                    failed[name] = first_line(error)
                    continue
                print(f"  {name}: {used:.2f} %, {held:.0f} MiB", file=sys.stderr, flush=True)
                processor.setdefault(name, []).append(used)
                memory.setdefault(name, []).append(held)
        settings = services.settings()
    notes = (
        f"{seconds} s, a while after the last work; all processes of a server or worker, not Redis and PostgreSQL",
        settings,
        *peers.settings(theirs),
    )
    return (
        Table(title="Idle: processor", unit="% of one", better="less", rows=_rows(subjects, processor, failed)),
        Table(title="Idle: memory", unit="MiB (PSS)", better="less", rows=_rows(subjects, memory, failed), notes=notes),
    )


def _subjects(theirs: tuple[Peer, ...], services: Services, options: Options) -> dict[str, Serving]:
    found: dict[str, Serving] = {peer.title: partial(peer.serving, services) for peer in theirs}
    many = options.of(10_000, 1_000)
    for count in (10, many):
        if options.wants("cronstable"):
            found[f"cronstable, {count:,} jobs"] = partial(cronstable.idle, count)
    for count in (10, many):
        found[f"jobrunner, SQLite, {count:,} jobs"] = partial(_ours, count)
    return found


def _rows(subjects: dict[str, Serving], values: dict[str, list[float]], failed: dict[str, str]) -> tuple[Row, ...]:
    return tuple(
        Row(name=name, failed=failed[name]) if name in failed else Row(name=name, values=tuple(values[name]))
        for name in subjects
    )


def _cost(serving: Serving, seconds: float) -> tuple[float, float]:
    """Percent of a processor, and MiB."""
    with serving() as process:
        _settle(process)
        family = Family(process.pid)
        start = time.monotonic()
        time.sleep(seconds)
        share = family.processor() / (time.monotonic() - start)
        return share * 100, family.memory()


def _settle(process: Popen[str]) -> None:
    """A while after the last work; what reads ten thousand jobs is still at it when others have long been idle."""
    time.sleep(1)
    for _ in range(30):
        family = Family(process.pid)
        time.sleep(1)
        if family.processor() < 0.2:
            return
    raise RuntimeError("busy for half a minute")


@contextmanager
def _ours(count: int) -> Iterator[Popen[str]]:
    text = JOBS + "".join(DAILY.format(n=n, m=n % 60) for n in range(count - 1))
    with project(text, work_py=ours.WORK.replace("nop(n)", "nop(n=1)")) as folder, server(folder) as process:
        jobrunner(folder, "trigger", "python", "--wait")
        yield process
