"""RQ: a fork for each job, the default, and ``SimpleWorker``, which its documentation names for speed."""

from __future__ import annotations

from bench.peers.peer import Peer

TASKS = """
import os
import work
from redis import Redis
from rq import Queue
from rq.registry import FinishedJobRegistry

queue = Queue("bench", connection=Redis.from_url(os.environ["BENCH_STORE"]))
registry = FinishedJobRegistry(queue=queue)

def enqueue(n):
    queue.enqueue(work.nop, n)

def batch(count):
    queue.enqueue_many([Queue.prepare_data(work.nop, (n,)) for n in range(count)])

def send_stamp(n):
    queue.enqueue(work.stamp, n)

def finished():
    return registry.get_job_count(cleanup=False)
"""
POOL = ("rq", "worker-pool", "--num-workers", "2", "--logging-level", "WARNING", "--url", "$BENCH_STORE")


def _peer(title: str, worker: str, share: float) -> Peer:
    return Peer(
        title=f"RQ, {title}, Redis",
        venv="rq",
        requirements=("rq==3.0.0",),
        tasks=TASKS,
        worker=(*POOL, "--worker-class", worker, "bench"),
        store="redis",
        settings=f"rq 3.0.0, worker-pool of 2, {worker}, results kept",
        share=share,
        batches=True,
    )


PEERS = (_peer("fork", "rq.Worker", 0.02), _peer("simple", "rq.SimpleWorker", 0.1))
