"""Celery, as its pages on optimising and on the worker say for many short tasks: prefork, a large prefetch."""

from __future__ import annotations

from bench.peers.peer import Peer

TASKS = """
import os
import work
from celery import Celery, group
from redis import Redis

url = os.environ["BENCH_STORE"]
app = Celery("tasks", broker=f"{url}/0", backend=f"{url}/1")
app.conf.worker_prefetch_multiplier = 64
app.conf.worker_send_task_events = False
nop = app.task(name="nop")(work.nop)
stamp = app.task(name="stamp")(work.stamp)
results = Redis.from_url(f"{url}/1")

def enqueue(n):
    nop.delay(n)

def send_stamp(n):
    stamp.delay(n)

def finished():
    return results.dbsize()
"""

PEERS = (
    Peer(
        title="Celery prefork, Redis",
        venv="celery",
        requirements=("celery[redis]==5.7.0",),
        tasks=TASKS,
        worker=(
            *("celery", "-A", "tasks", "worker", "--pool", "prefork", "--concurrency", "2", "--loglevel", "WARNING"),
            *("--without-gossip", "--without-mingle", "--without-heartbeat"),
        ),
        store="redis",
        settings="celery 5.7.0, prefork 2, prefetch 64, no gossip, results kept in Redis",
        share=0.25,
    ),
)
