"""Huey's storage on the store: the run's row is the message, so there is nothing to put anywhere."""

from __future__ import annotations

from queue import SimpleQueue

from huey.storage import BlackHoleStorage

STOP = b""
"""What an inbox holds for a worker that is to look at its stop flag."""


class StoreStorage(BlackHoleStorage):  # type: ignore[misc]
    """What the engine has claimed, handed to Huey's workers one by one.

    Results, schedules and revocations are the store's, so Huey's own are never read or written: it is answered without
    any SQL.
    """

    blocking = True

    def __init__(self, name: str, *, inbox: SimpleQueue[bytes]) -> None:
        super().__init__(name)
        self._inbox = inbox

    def dequeue(self) -> bytes | None:
        """The next message; waits for one. None when the worker is to look at its stop flag."""
        return self._inbox.get() or None

    def peek_many(self, keys: list[str]) -> dict[str, bytes]:
        return {}

    def delete_data(self, key: str) -> bool:
        return False
