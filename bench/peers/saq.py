"""saq on Redis: two processes, ten coroutines each, its default."""

from __future__ import annotations

from bench.peers.peer import Peer

TASKS = """
import logging
import os
import work
from redis import Redis
from saq import Queue

logging.getLogger("saq").setLevel(logging.WARNING)
url = os.environ["BENCH_STORE"]
queue = Queue.from_url(url, name="bench")
looking = Redis.from_url(url)

async def nop(ctx, *, n):
    return work.nop(n)

async def stamp(ctx, *, n):
    work.stamp(n)

settings = {"queue": queue, "functions": [nop, stamp], "concurrency": 10}
enqueued = 0

async def enqueue(n):
    await queue.enqueue("nop", n=n)

async def send_stamp(n):
    await queue.enqueue("stamp", n=n)

def finished():
    # A finished job leaves the set of the incomplete ones, and its key stays, with the result, for ten minutes.
    jobs = sum(1 for _ in looking.scan_iter("saq:job:bench:*", count=1000)) if not known else known[0]
    if jobs and not known:
        known.append(jobs)
    return jobs - looking.zcard("saq:bench:incomplete")

known = []
"""

PEERS = (
    Peer(
        title="saq, Redis",
        venv="saq",
        requirements=("saq[redis,hiredis]==0.26.4", "typing_extensions>=4.12"),
        tasks=TASKS,
        worker=("saq", "tasks.settings", "--workers", "2", "--quiet"),
        store="redis",
        settings="saq 0.26.4, 2 processes, concurrency 10, coroutines, results kept, hiredis",
        share=0.2,
    ),
)
