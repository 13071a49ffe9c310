"""What the server hands to an execution: the attempt, the handle that ends it, and where its output goes."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType
from typing import Any, NamedTuple, Protocol

from jobrunner.domain.job import Job
from jobrunner.domain.run import Progress
from jobrunner.execution.bell import Bell

_NOTHING: Mapping[str, Any] = MappingProxyType({})


class AttemptSpec(NamedTuple):
    """One attempt, whole.

    ``job``'s kind and ``env`` have their references resolved. ``params`` holds secrets in clear, in stored form.
    ``secrets`` are the values to mask in output and errors. ``server`` is the name of the server. ``parent_results``
    maps the parents' jobs to their results, None where there are no parents.
    """

    run_id: int
    attempt: int
    max_attempts: int
    job: Job
    trigger: str
    server: str
    params: Mapping[str, Any] = _NOTHING
    fire_time: datetime | None = None
    batch_id: int | None = None
    parent_results: Mapping[str, Any] | None = None
    env: Mapping[str, str] = _NOTHING
    secrets: tuple[str, ...] = ()


class StopReason(StrEnum):
    """Why an attempt is told to end: a person or a policy, the server that shuts down, or the server that was
    declared dead."""

    CANCELLED = "cancelled"
    INTERRUPTED = "interrupted"
    FENCED = "fenced"


class Sink(Protocol):
    """Takes what an attempt says, in order, in the thread that executes it."""

    def output(self, stream: str, data: bytes) -> None:
        """Bytes of ``stdout`` or ``stderr`` as they were read, secrets masked."""

    def progress(self, progress: Progress) -> None:
        """How far it is: at most ten times a second, the last report always."""

    def started(self, pid: int | None) -> None:
        """It was started, or handed to the warm child ``pid``."""


class Control:
    """Ends one attempt from any thread, at any moment, more than once. It costs nothing until it is used."""

    __slots__ = ("_bell", "_lock", "now", "reason")

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._bell: Bell | None = None
        self.reason: StopReason | None = None
        self.now = False

    def stop(self, reason: StopReason, now: bool = False) -> None:
        """SIGTERM, and SIGKILL after the job's ``kill_grace``; with ``now`` SIGKILL at once.

        The first reason stays, except that ``FENCED`` takes its place.
        """
        with self._lock:
            if self.reason is None or reason is StopReason.FENCED:
                self.reason = reason
            self.now = self.now or now
            if self._bell is not None:
                self._bell.ring()

    def attach(self, bell: Bell) -> None:
        """Names the bell that wakes the thread which executes the attempt; its loop looks here before it sleeps."""
        with self._lock:
            self._bell = bell

    def detach(self) -> None:
        """The attempt has ended; what comes now changes nothing."""
        with self._lock:
            self._bell = None
