"""``/bin/true`` a second: ours with everything that a command gets, bare loops, cronstable, and tasks that call it."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial

from bench import ours, peers
from bench.options import Options
from bench.peers import cronstable
from bench.peers.peer import Peer
from bench.result import Table, in_turn
from bench.services import Services

TITLES = ("Huey, SQLite FULL", "Celery prefork, Redis", "RQ, fork, Redis")
OURS = (ours.FULL, ours.FULL_16, ours.NORMAL)
BARE = "posix_spawn and waitpid, one after the other"


def measure(options: Options) -> tuple[Table, ...]:
    count = max(options.runs // 10, 20)
    with Services(options.appendfsync) as services:
        work: dict[str, Callable[[], float]] = {
            BARE: partial(_spawned, count),
            "subprocess.run, one after the other": partial(_called, count),
        }
        if options.wants("cronstable"):
            work["cronstable"] = partial(cronstable.starts, count // 2, state=False)
            work["cronstable with state"] = partial(cronstable.starts, count // 2, state=True)
        calling = [_calling(peer) for peer in peers.wanted(options) if peer.title in TITLES]
        for peer in calling:
            runs = count // 10 if "fork, Redis" in peer.title and "RQ" in peer.title else count
            work[peer.title] = partial(peer.drain, services, runs)
        for one in OURS:
            work[one.title] = partial(one.starts, services, count)
        rows = in_turn(options.rounds, work)
        settings = services.settings()
    return (
        Table(
            title="/bin/true a second",
            unit="starts/s",
            rows=rows,
            versus=tuple(one.title for one in OURS),
            notes=(
                f"{count:,} starts; cronstable half, RQ a tenth",
                "ours: output captured and kept, timeout armed, full history, as many at once as a server has workers",
                cronstable.SETTINGS,
                settings,
                ours.NOTE,
                *peers.settings(calling),
            ),
        ),
    )


def _calling(peer: Peer) -> Peer:
    environ = {**peer.environ, "BENCH_WORK": "true"}
    return replace(peer, title=f"{peer.title}, subprocess.run", environ=environ, share=1.0)


def _spawned(count: int) -> float:
    start = time.perf_counter()
    for _ in range(count):
        os.waitpid(os.posix_spawn("/bin/true", ["true"], {}), 0)
    return count / (time.perf_counter() - start)


def _called(count: int) -> float:
    start = time.perf_counter()
    for _ in range(count):
        subprocess.run(["/bin/true"], capture_output=True, check=True)
    return count / (time.perf_counter() - start)
