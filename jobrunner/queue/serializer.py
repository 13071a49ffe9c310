"""Messages as JSON: a run's id, its attempts so far and its queue, and nothing that could be executed."""

from __future__ import annotations

import json
from typing import Any

from huey.registry import Message
from huey.serializer import Serializer

TASK = "jobrunner.queue.tasks.execute"
"""The one task that Huey knows: it executes the attempt of the run that a message names."""


class RunSerializer(Serializer):  # type: ignore[misc]
    """Huey's messages as JSON objects ``{"run": 7, "attempt": 0, "queue": "default"}``.

    Raises:
        ValueError: bytes that are no such object; Huey logs it and drops the message, and the run stays in the store.
    """

    def _serialize(self, data: Message) -> bytes:
        run, attempt, queue = data.args
        return message(run, attempt, queue)

    def _deserialize(self, data: bytes) -> Message:
        run, attempt, queue = read_message(data)
        return Message(str(run), TASK, None, 0, 0, None, (run, attempt, queue), {})


def message(run: int, attempt: int, queue: str) -> bytes:
    """The message that names a run."""
    return json.dumps({"run": run, "attempt": attempt, "queue": queue}).encode()


def read_message(data: bytes) -> tuple[int, int, str]:
    """The run, its attempts so far and its queue. Raises ValueError."""
    try:
        fields: Any = json.loads(data) if len(data) <= _LONGEST else None
    except RecursionError:
        fields = None
    match fields:
        case {"run": int(run), "attempt": int(attempt), "queue": str(queue)} if _fits(run) and _fits(attempt):
            return run, attempt, queue
        case _:
            raise ValueError(f"not a message of jobrunner: {data[:80]!r}")


_LONGEST = 4096
"""Bytes; what is longer is no message of ours, whatever it would cost to read it."""


def _fits(number: int) -> bool:
    return not isinstance(number, bool) and 0 <= number < 2**63
