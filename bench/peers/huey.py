"""Huey alone: one thread, the default, which is the quickest for functions that do nothing."""

from __future__ import annotations

from bench.peers.peer import Peer

TASKS = """
import os
import work
from huey import RedisHuey, SqliteHuey

url, kind = os.environ["BENCH_STORE"], os.environ["BENCH_KIND"]
if kind == "redis":
    huey = RedisHuey("bench", url=url)
else:
    huey = SqliteHuey("bench", filename="huey.db", fsync=kind == "full")
enqueue = huey.task(name="nop")(work.nop)
send_stamp = huey.task(name="stamp")(work.stamp)
finished = huey.result_count
"""
WORKER = ("huey_consumer", "tasks.huey", "--no-periodic", "--quiet")
NEEDS = ("huey==3.5.4", "redis==8.1.0")


def _peer(kind: str, title: str, store: str, settings: str) -> Peer:
    return Peer(
        title=f"Huey, {title}",
        venv="huey",
        requirements=NEEDS,
        tasks=TASKS,
        worker=WORKER,
        store=store,
        settings=f"huey 3.5.4, {settings}, 1 thread, results kept",
        environ={"BENCH_KIND": kind},
    )


PEERS = (
    _peer("full", "SQLite FULL", "sqlite", "SqliteHuey(fsync=True)"),
    _peer("normal", "SQLite NORMAL", "sqlite", "SqliteHuey(fsync=False)"),
    _peer("redis", "Redis", "redis", "RedisHuey"),
)
