"""pgqueuer on PostgreSQL: asyncpg, batches of ten, its default, and of a hundred, as its page on speed has it."""

from __future__ import annotations

from bench.peers.peer import Peer

TASKS = """
import logging
import os
import sys
from contextlib import asynccontextmanager

import asyncpg
import psycopg
import work
from pgqueuer import PgQueuer
from pgqueuer.db import AsyncpgDriver
from pgqueuer.queries import Queries

url = os.environ["BENCH_STORE"]
logging.getLogger("pgqueuer").setLevel(logging.WARNING)
looking = None
queries = None

@asynccontextmanager
async def main():
    connection = await asyncpg.connect(url)
    pgq = PgQueuer(AsyncpgDriver(connection))

    @pgq.entrypoint("nop")
    async def nop(job):
        return work.nop(int(job.payload))

    @pgq.entrypoint("stamp")
    async def stamp(job):
        work.stamp(int(job.payload))

    yield pgq

async def connected():
    global queries
    if queries is None:
        queries = Queries(AsyncpgDriver(await asyncpg.connect(url)))
    return queries

async def enqueue(n):
    await (await connected()).enqueue("nop", b"%d" % n)

async def batch(count):
    payloads = [b"%d" % n for n in range(count)]
    await (await connected()).enqueue(["nop"] * count, payloads, [0] * count)

async def send_stamp(n):
    await (await connected()).enqueue("stamp", b"%d" % n)

def finished():
    global looking
    if looking is None:
        looking = psycopg.connect(url, autocommit=True)
    return looking.execute("SELECT count(*) FROM pgqueuer_log WHERE status = 'successful'").fetchone()[0]

async def work_off(batch):
    async with main() as pgq:
        await pgq.run(batch_size=batch)

if __name__ == "__main__":
    import uvloop
    uvloop.run(work_off(int(sys.argv[1])))
"""


def _peer(batch: int) -> Peer:
    return Peer(
        title=f"pgqueuer, batch {batch}, PostgreSQL",
        venv="pgqueuer",
        requirements=("pgqueuer[asyncpg,cli]==1.6.0", "psycopg[binary]==3.3.9", "uvloop==0.23.0"),
        tasks=TASKS,
        before=(("pgq", "--pg-dsn", "$BENCH_STORE", "install"),),
        worker=("python", "tasks.py", str(batch)),
        store="postgresql",
        settings=f"pgqueuer 1.6.0, asyncpg, coroutines, batch {batch}, uvloop, its log kept (it has no results)",
        batches=True,
    )


PEERS = (_peer(10), _peer(100))
