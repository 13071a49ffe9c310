"""What a person asks to see of jobs and schedules, as values: made by admin, shown by presentation."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any, NamedTuple

from jobrunner.domain.clock import from_micros
from jobrunner.domain.job import Job
from jobrunner.domain.queue import Pause
from jobrunner.domain.run import Run


class JobStatus(NamedTuple):
    """A job with what is known of it now. ``next_fire`` is None without a schedule, and while disabled or paused."""

    job: Job
    next_fire: datetime | None
    last_run: Run | None
    pause: Pause | None


class Fire(NamedTuple):
    """One coming fire time of a job; ``zone`` is the schedule's, ``note`` a remark (a pause) or empty."""

    job: str
    at: datetime
    zone: str
    note: str = ""


class Explanation(NamedTuple):
    """A cron expression in words with its next fire times, aware, in ``timezone``; ``notes`` are remarks on traps."""

    expression: str
    timezone: str
    description: str
    next: tuple[datetime, ...]
    notes: tuple[str, ...] = ()


class OutputPart(NamedTuple):
    """A piece of an attempt's output in order: stream (``stdout``, ``stderr``), when it was read, the bytes.

    ``dropped`` > 0 marks the place where so many bytes beyond ``max_output`` are missing; its ``data`` is empty.
    """

    stream: str
    at: datetime
    data: bytes
    dropped: int = 0


class OutputChunk(NamedTuple):
    """A stretch of an attempt's output as it is kept, some hundred kilobytes: for a viewer of many lines.

    ``start`` counts the bytes printed before it, of which ``missing`` right before it are not kept. ``segments`` divide
    ``data``: (0 stdout or 1 stderr, microseconds since the epoch when it was read, bytes).
    """

    start: int
    missing: int
    data: bytes
    segments: tuple[tuple[int, int, int], ...]


class MoreOutput(NamedTuple):
    """What has come since a place, and the ``place`` after it, to go on from.

    ``attempt`` is the one that it is of, 0 where none has begun; ``ended``: it has ended, and this is all it kept.
    """

    chunks: tuple[OutputChunk, ...]
    place: Any
    attempt: int
    ended: bool

    def parts(self) -> Iterator[OutputPart]:
        """The same in pieces, each of one stream and one moment."""
        for chunk in self.chunks:
            if chunk.missing and chunk.segments:
                stream, at, _ = chunk.segments[0]
                yield OutputPart(stream=_STREAMS[stream], at=from_micros(at), data=b"", dropped=chunk.missing)
            place = 0
            for stream, at, size in chunk.segments:
                piece = chunk.data[place : place + size]
                yield OutputPart(stream=_STREAMS[stream], at=from_micros(at), data=piece)
                place += size


_STREAMS = ("stdout", "stderr")
