"""Dramatiq, with its defaults on two processors: two processes of eight threads."""

from __future__ import annotations

from bench.peers.peer import Peer

TASKS = """
import os
import dramatiq
import work
from dramatiq.brokers.redis import RedisBroker
from dramatiq.results import Results
from dramatiq.results.backends import RedisBackend
from redis import Redis

url = os.environ["BENCH_STORE"]
broker = RedisBroker(url=f"{url}/0")
broker.add_middleware(Results(backend=RedisBackend(url=f"{url}/1")))
dramatiq.set_broker(broker)
nop = dramatiq.actor(work.nop, store_results=True)
stamp = dramatiq.actor(work.stamp)
results = Redis.from_url(f"{url}/1")

def enqueue(n):
    nop.send(n)

def send_stamp(n):
    stamp.send(n)

def finished():
    return results.dbsize()
"""

PEERS = (
    Peer(
        title="Dramatiq, Redis",
        venv="dramatiq",
        requirements=("dramatiq[redis]==2.2.1",),
        tasks=TASKS,
        worker=("dramatiq", "--processes", "2", "--threads", "8", "tasks"),
        store="redis",
        settings="dramatiq 2.2.1, 2 processes of 8 threads, Results in Redis",
        share=0.5,
    ),
)
