"""Procrastinate on PostgreSQL: coroutines, ten at a time; finished jobs are kept, it knows no results."""

from __future__ import annotations

from bench.peers.peer import Peer

TASKS = """
import os
import psycopg
import work
from procrastinate import App, PsycopgConnector

url = os.environ["BENCH_STORE"]
app = App(connector=PsycopgConnector(conninfo=url))
looking = psycopg.connect(url, autocommit=True)

@app.task(name="nop")
async def nop(n):
    return work.nop(n)

@app.task(name="stamp")
async def stamp(n):
    work.stamp(n)

opened = False

async def ready():
    global opened
    if not opened:
        await app.open_async()
        opened = True

async def enqueue(n):
    await ready()
    await nop.defer_async(n=n)

async def batch(count):
    await ready()
    await nop.batch_defer_async(*({"n": n} for n in range(count)))

async def send_stamp(n):
    await ready()
    await stamp.defer_async(n=n)

def finished():
    return looking.execute("SELECT count(*) FROM procrastinate_jobs WHERE status = 'succeeded'").fetchone()[0]
"""
COMMAND = ("procrastinate", "--app", "tasks.app", "--log-level", "warning")

PEERS = (
    Peer(
        title="Procrastinate, PostgreSQL",
        venv="procrastinate",
        requirements=("procrastinate==3.10.0", "psycopg[binary,pool]==3.3.9"),
        tasks=TASKS,
        before=((*COMMAND, "schema", "--apply"),),
        worker=(*COMMAND, "worker", "--concurrency", "10"),
        store="postgresql",
        settings="procrastinate 3.10.0, coroutines, concurrency 10, finished jobs kept (it has no results)",
        share=0.1,
        batches=True,
    ),
)
