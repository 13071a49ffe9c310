"""An engine on a real store, and what a test does as its workers and its people."""

from __future__ import annotations

import queue as queues
from concurrent.futures import Future
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from samples import end, put

from jobrunner.domain.clock import SystemClock
from jobrunner.domain.run import Claimed
from jobrunner.domain.state import RunState
from jobrunner.queue.engine import Engine
from jobrunner.queue.operations import Operation
from jobrunner.queue.serializer import read_message
from jobrunner.store import Database

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

        self.engine.submit(write, ends=(run.id, run.attempt))

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
