"""Huey as we use it: one task, messages that name runs, results and schedules kept by the store. Built by wiring."""

from __future__ import annotations

from collections.abc import Callable
from queue import SimpleQueue
from typing import Any

from huey import Huey

from jobrunner.queue.serializer import RunSerializer
from jobrunner.queue.storage import StoreStorage


class RunHuey(Huey):  # type: ignore[misc]
    """A Huey whose workers take what the engine puts into ``inbox`` and call ``execute(run, attempt, queue)``.

    ``execute`` must not raise anything, SystemExit included: Huey's worker would end with it.
    """

    def __init__(self, inbox: SimpleQueue[bytes], execute: Callable[[int, int, str], None]) -> None:
        super().__init__(
            "jobrunner", results=False, serializer=RunSerializer(), storage_class=StoreStorage, inbox=inbox
        )

        @self.task(name="execute")  # type: ignore[untyped-decorator]
        def task(run: int, attempt: int, queue: str) -> None:
            execute(run, attempt, queue)

    def is_revoked(self, task: Any, timestamp: Any = None, peek: bool = True) -> bool:
        """Never: a run is cancelled in the store, and is then not claimed."""
        return False
