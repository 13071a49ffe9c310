"""Servers killed at random while they work: 1 to 3 of them, on every pair of store and broker."""

from collections.abc import Iterator
from contextlib import contextmanager

from figures import Figures
from load import load
from services import PostgreSQL, Redis

DEPLOYMENTS = ("sqlite", "redis+sqlite", "postgresql", "redis+postgresql")


@contextmanager
def deployment(name: str) -> Iterator[tuple[str, str | None]]:
    """The URLs of a new store and of a broker, None where the store delivers; SQLite lies in the project's folder."""
    redis = Redis() if name.startswith("redis") else None
    postgresql = PostgreSQL() if name.endswith("postgresql") else None
    try:
        store = postgresql.new_store() if postgresql else ""
        yield store, f"redis://127.0.0.1:{redis.port}/3" if redis else None
    finally:
        for service in (redis, postgresql):
            if service is not None:
                service.close()


def kill_servers(store: str, broker: str | None, *, name: str, servers: int, runs: int, kills: int) -> Figures:
    """Works off so many runs and kills a random server again and again meanwhile."""
    with load(store, broker) as work:
        work.add(runs)
        work.serve(servers)
        for number in range(kills):
            if work.random.random() < 0.9:
                work.progress((number + 1) * runs // (kills + 1))
            work.kill_one()
        work.finish()
        return work.figures(f"kill -9, {servers} on {name}", kills)
