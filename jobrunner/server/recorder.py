"""What an attempt prints and reports, on its way to the store: gathered here, written a few times a second.

Memory is bounded by the job's ``max_output`` and what is read at once: the first half is kept as it comes, the second
is what came last.
While the store is away nothing is taken out of a recorder before what was taken last has been written.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from jobrunner.domain.clock import Clock
from jobrunner.domain.run import Progress
from jobrunner.domain.state import Ready
from jobrunner.queue.engine import Engine
from jobrunner.queue.operations import End, Operation
from jobrunner.store import output
from jobrunner.store.database import Database
from jobrunner.store.output import Row, Segment
from jobrunner.store.runs import finish
from jobrunner.store.runs.finish import Ending

FLUSH_SECONDS = 0.2
FLOOD_SECONDS = 1.0
"""How often the tail is written where each time takes the place of all of it that was written before."""

_ROW_BYTES = 256 * 1024
_TAIL_PARTS = 16
"""A tail that is written bit by bit has at least so many rows: the oldest goes whole when there is too much."""

_SAME_MOMENT = timedelta(milliseconds=20)

_Piece = tuple[int, datetime, bytes]


class _Taken(NamedTuple):
    """What has gathered: rows to write, numbers of rows to drop (from, up to and without), progress."""

    rows: tuple[Row, ...]
    drop: tuple[int, int] | None
    progress: Progress | None


class Recorders:
    """The thread that has written what recorders have gathered."""

    def __init__(self, engine: Engine, server_id: int, clock: Clock) -> None:
        self.clock = clock
        self.engine = engine
        self._server_id = server_id
        self._dirty = set[Recorder]()
        self._lock = threading.Lock()
        self._some = threading.Event()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="recorders", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stop.set()
        self._some.set()
        if self._thread.ident is not None:
            self._thread.join()

    def recorder(self, run_id: int, attempt: int, limit: int) -> Recorder:
        """A sink for one attempt that keeps at most ``limit`` bytes."""
        return Recorder(self, run_id=run_id, attempt=attempt, server_id=self._server_id, limit=limit)

    def dirty(self, recorder: Recorder) -> None:
        """The recorder has something to write."""
        with self._lock:
            self._dirty.add(recorder)
        self._some.set()

    def _run(self) -> None:
        while not self._stop.is_set():
            self._some.wait()
            self._some.clear()
            self._stop.wait(FLUSH_SECONDS)
            with self._lock:
                batch, self._dirty = self._dirty, set()
            for recorder in batch:
                recorder.flush()


class Recorder:
    """The sink of one attempt. Its methods may be called by any thread; output in the order in which it was read."""

    def __init__(self, recorders: Recorders, *, run_id: int, attempt: int, server_id: int, limit: int) -> None:
        self._recorders = recorders
        self._run_id = run_id
        self._attempt = attempt
        self._server_id = server_id
        self._lock = threading.Lock()
        self._head_left = (limit + 1) // 2
        self._tail_limit = limit // 2
        self._tail_row = max(min(self._tail_limit // _TAIL_PARTS, _ROW_BYTES), 1)
        self._head = list[_Piece]()
        self._head_end = 0
        self._tail = deque[_Piece]()
        self._tail_bytes = 0
        self._printed = 0
        self._next_seq = 0
        self._kept = deque[tuple[int, int]]()
        self._kept_bytes = 0
        self._progress: Progress | None = None
        self._writing = False
        self._flushed_at: float | None = None
        self._closed = False

    def started(self, pid: int | None) -> None:
        """Nothing is kept of this: the attempt's row was there before."""

    def output(self, stream: str, data: bytes) -> None:
        """Keeps bytes; what does not fit beside the newest is dropped, the oldest of the tail first."""
        index, now = output.STREAMS.index(stream), self._recorders.clock.now()
        with self._lock:
            self._printed += len(data)
            first, rest = data[: self._head_left], data[self._head_left :]
            if first:
                self._head.append((index, now, first))
                self._head_left -= len(first)
            if rest:
                self._tail.append((index, now, rest))
                self._tail_bytes += len(rest)
                self._forget_surplus()
        self._recorders.dirty(self)

    def progress(self, progress: Progress) -> None:
        """Keeps the latest."""
        with self._lock:
            self._progress = progress
        self._recorders.dirty(self)

    def flush(self) -> None:
        """Has written what has gathered, unless what was taken before is still being written."""
        # Taking and submitting are one step: what is taken first has to be written first.
        with self._lock:
            if self._closed or self._writing:
                return
            now = self._recorders.clock.monotonic()
            if self._flushed_at is None:
                self._flushed_at = now
            holds_back = self._is_flood() and now - self._flushed_at < FLOOD_SECONDS
            if holds_back:
                self._recorders.dirty(self)
            else:
                self._flushed_at = now
            if (taken := self._take(tail=not holds_back)) is None:
                return
            self._writing = True
            self._recorders.engine.submit(lambda db: self._write(db, taken), committed=self._written)

    def close(self, ending: Ending, *, instead: Operation | None, batch: int | None) -> None:
        """The attempt has ended: its last words are written together with the record of that."""
        with self._lock:
            self._closed = True
            taken = self._take()
            end = End(ending, None if taken is None else lambda db: self._write(db, taken))
            ends = ending.run_id, ending.attempt
            self._recorders.engine.submit(end, ends=ends, instead=instead, batch=batch)

    def _written(self) -> None:
        with self._lock:
            self._writing = False
            if not (self._head or self._tail or self._progress):
                return
        self._recorders.dirty(self)

    def _take(self, *, tail: bool = True) -> _Taken | None:
        if not (self._head or (tail and self._tail) or self._progress):
            return None
        rows = self._rows(self._head, self._head_end, _ROW_BYTES)
        self._head_end += sum(len(row.data) for row in rows)
        self._head = []
        drop = None
        if tail:
            self._cut_tail()
            last = self._rows(self._tail, self._printed - self._tail_bytes, self._tail_row)
            self._tail, self._tail_bytes = deque(), 0
            drop = self._trim(last)
            rows += last
        progress, self._progress = self._progress, None
        return _Taken(tuple(rows), drop, progress) if rows or progress else None

    def _write(self, db: Database, taken: _Taken) -> Sequence[Ready]:
        """Part of the engine's transaction; once more if that one was rolled back."""
        if taken.progress is not None:
            finish.report_progress(db, self._run_id, self._attempt, self._server_id, taken.progress)
        if taken.rows:
            output.write(db, self._run_id, self._attempt, self._server_id, taken.rows, drop=taken.drop)
        return ()

    def _is_flood(self) -> bool:
        """Whether what has gathered fills the whole tail: what is written of it would soon be dropped again."""
        return 0 < self._tail_limit <= self._tail_bytes

    def _forget_surplus(self) -> None:
        # Whole pieces only: to cut one each time something comes is to copy half of all that is printed.
        while self._tail and self._tail_bytes - len(self._tail[0][2]) >= self._tail_limit:
            self._tail_bytes -= len(self._tail.popleft()[2])

    def _cut_tail(self) -> None:
        surplus = self._tail_bytes - self._tail_limit
        if surplus > 0:
            stream, at, data = self._tail[0]
            self._tail[0] = (stream, at, data[surplus:])
            self._tail_bytes = self._tail_limit

    def _rows(self, pieces: Sequence[_Piece], start: int, most: int) -> list[Row]:
        rows = list[Row]()
        for group in _grouped(pieces, most):
            data = b"".join(piece[2] for piece in group)
            rows.append(Row(self._next_seq, start, _segments(group), data))
            self._next_seq += 1
            start += len(data)
        return rows

    def _trim(self, tail: Sequence[Row]) -> tuple[int, int] | None:
        self._kept.extend((row.seq, len(row.data)) for row in tail)
        self._kept_bytes += sum(len(row.data) for row in tail)
        dropped = list[int]()
        while self._kept_bytes > self._tail_limit:
            seq, size = self._kept.popleft()
            self._kept_bytes -= size
            dropped.append(seq)
        return (dropped[0], dropped[-1] + 1) if dropped else None


def _grouped(pieces: Sequence[_Piece], most: int) -> list[list[_Piece]]:
    """Pieces in the order given, together in groups of so many bytes; one that does not fit is split."""
    groups, room = list[list[_Piece]](), 0
    for stream, at, data in pieces:
        while data:
            if not room:
                groups.append([])
                room = most
            part, data = data[:room], data[room:]
            groups[-1].append((stream, at, part))
            room -= len(part)
    return groups


def _segments(group: Sequence[_Piece]) -> tuple[Segment, ...]:
    segments = list[Segment]()
    for stream, at, data in group:
        last = segments[-1] if segments else None
        if last is not None and last.stream == stream and at - last.at < _SAME_MOMENT:
            segments[-1] = Segment(stream, last.at, last.size + len(data))
        else:
            segments.append(Segment(stream, at, len(data)))
    return tuple(segments)
