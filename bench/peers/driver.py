"""Runs in a peer's own environment, beside its ``tasks.py``: ``python driver.py VERB N`` prints a figure.

Knows nothing of any peer. A ``tasks.py`` has ``enqueue(n)``, ``send_stamp(n)`` and ``finished()``, how many results
are kept, and may have ``batch(n)``, which enqueues so many in the quickest way that the peer documents. Each may be a
coroutine function. Copied beside it, since here its name would shadow the peer's.
"""

from __future__ import annotations

import asyncio
import inspect
import os
import random
import sys
import time
from typing import Any

import tasks  # type: ignore[import-not-found]

_runner = asyncio.Runner()


def call(function: Any, *args: Any) -> Any:
    """What it gives, now or once awaited; always on the same loop, which connections belong to."""
    found = function(*args)
    return _runner.run(found) if inspect.iscoroutine(found) else found


def enqueue(count: int) -> list[float]:
    """Runs enqueued a second, one at a time."""
    call(tasks.enqueue, 0)  # connects
    start = time.perf_counter()
    if inspect.iscoroutinefunction(tasks.enqueue):
        _runner.run(_enqueue(count))
    else:
        for n in range(count):
            tasks.enqueue(n)
    return [count / (time.perf_counter() - start)]


async def _enqueue(count: int) -> None:
    for n in range(count):
        await tasks.enqueue(n)


def batch(count: int) -> list[float]:
    """The same, at once, where the peer has a way."""
    call(tasks.enqueue, 0)
    start = time.perf_counter()
    call(tasks.batch, count)
    return [count / (time.perf_counter() - start)]


def fill(count: int) -> list[float]:
    """Enqueues so many as quickly as may be; takes no time."""
    if hasattr(tasks, "batch"):
        call(tasks.batch, count)
    elif inspect.iscoroutinefunction(tasks.enqueue):
        _runner.run(_enqueue(count))
    else:
        for n in range(count):
            tasks.enqueue(n)
    return []


def watch(count: int) -> list[float]:
    """Results kept a second, from the first that is seen to the last. Says ``ready`` when it has begun to look."""
    call(tasks.finished)
    print("ready", flush=True)
    while not (first := call(tasks.finished)):
        time.sleep(0.002)
    start = time.perf_counter()
    while (found := call(tasks.finished)) < count:
        time.sleep(0.01)
    return [(found - first) / (time.perf_counter() - start)]


def pickup(count: int) -> list[float]:
    """Milliseconds from each call of enqueue to the first instruction; the first three warm up."""
    os.makedirs("stamps", exist_ok=True)
    times = []
    for n in range(count + 3):
        called = time.time()
        call(tasks.send_stamp, n)
        while not os.path.exists(f"stamps/{n}"):
            time.sleep(0.002)
        with open(f"stamps/{n}") as file:
            times.append((float(file.read()) - called) * 1000)
        time.sleep(random.uniform(0.05, 0.15))
    return times[3:]


if __name__ == "__main__":
    for figure in globals()[sys.argv[1]](int(sys.argv[2])):
        print(figure)
    sys.stdout.flush()
    os._exit(0)  # what connections have to say at the end is nobody's concern
