"""Engines on a real store, with bells; and a Redis server."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from redis_server import RedisServer
from samples import serve
from worked import CLOCK, Worked

from jobrunner.queue.announce import Announcer, Broker
from jobrunner.queue.bell import Bell
from jobrunner.queue.engine import Engine
from jobrunner.queue.listener import Listener
from jobrunner.store import open_store


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


@pytest.fixture
def redis_server() -> Iterator[RedisServer]:
    """A Redis server of this test alone, running."""
    folder = Path(tempfile.mkdtemp(prefix="jobrunner-redis-"))
    server = RedisServer(folder)
    server.start()
    yield server
    server.kill()
    shutil.rmtree(folder)
