"""taskiq on Redis: a list as the queue, the quickest of its brokers, which loses what a killed worker had taken."""

from __future__ import annotations

from bench.peers.peer import Peer

TASKS = """
import os
import work
from redis import Redis
from taskiq_redis import ListQueueBroker, RedisAsyncResultBackend

url = os.environ["BENCH_STORE"]
# redis-py 8 gives up reading after five seconds, which ends an idle worker of this broker.
broker = ListQueueBroker(f"{url}/0", socket_timeout=None).with_result_backend(RedisAsyncResultBackend(f"{url}/1"))
results = Redis.from_url(f"{url}/1")

@broker.task(task_name="nop")
async def nop(n):
    return work.nop(n)

@broker.task(task_name="stamp")
async def stamp(n):
    work.stamp(n)

async def enqueue(n):
    await nop.kiq(n)

async def send_stamp(n):
    await stamp.kiq(n)

def finished():
    return results.dbsize()
"""

PEERS = (
    Peer(
        title="taskiq, Redis",
        venv="taskiq",
        requirements=("taskiq==0.13.0", "taskiq-redis==1.2.4", "uvloop==0.23.0"),
        tasks=TASKS,
        worker=("taskiq", "worker", "tasks:broker", "--workers", "2", "--log-level", "WARNING"),
        store="redis",
        settings="taskiq 0.13.0, taskiq-redis 1.2.4, a list, 2 processes, coroutines, results in Redis, uvloop",
        share=0.5,
    ),
)
