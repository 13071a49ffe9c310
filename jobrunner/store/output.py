"""What attempts have printed: rows of bytes with a note of which stream said what when. Written by the engine, read by admin.

An attempt's rows are numbered from 0. The head is kept as it comes; beyond it the newest rows are kept and older ones
dropped, so that the rows never hold more than the job's ``max_output``; a gap in the numbers is where bytes are missing.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
import json

from jobrunner.domain.clock import from_micros, to_micros
from jobrunner.domain.status import OutputPart
from jobrunner.store.database import Database

STREAMS = ("stdout", "stderr")


@dataclass(frozen=True, slots=True)
class Segment:
    """A stretch of one row: ``stream`` as an index of STREAMS, when it was read, how many bytes; ``dropped`` bytes before it."""

    stream: int
    at: datetime
    size: int
    dropped: int = 0


@dataclass(frozen=True, slots=True)
class Row:
    """One row of output."""

    seq: int
    segments: tuple[Segment, ...]
    data: bytes


def write(
    db: Database, run_id: int, attempt: int, server_id: int, rows: Sequence[Row], *, drop: tuple[int, int] | None
) -> None:
    """Adds rows, and removes those numbered from ``drop[0]`` up to and without ``drop[1]``, while this server holds the attempt."""
    sql = (
        "INSERT INTO output (run_id, attempt, seq, size, segments, data) SELECT ?, ?, ?, ?, ?, ? WHERE EXISTS"
        " (SELECT 1 FROM runs WHERE id = ? AND state = 'running' AND attempt = ? AND server_id = ?)"
    )
    with db.transaction():
        for row in rows:
            values = (run_id, attempt, row.seq, len(row.data), _segments_text(row.segments), row.data)
            db.execute(sql, (*values, run_id, attempt, server_id))
        if drop is not None:
            remove = "DELETE FROM output WHERE run_id = ? AND attempt = ? AND seq >= ? AND seq < ?"
            db.execute(remove, (run_id, attempt, *drop))


def read(
    db: Database, run_id: int, attempt: int, *, after: int = -1, stream: str | None = None
) -> Iterator[OutputPart]:
    """The kept output of an attempt in order, from rows numbered above ``after``."""
    for _, parts in rows_after(db, run_id, attempt, after=after):
        yield from (part for part in parts if stream is None or part.stream == stream or part.dropped)


def rows_after(db: Database, run_id: int, attempt: int, *, after: int) -> Iterator[tuple[int, list[OutputPart]]]:
    """Rows numbered above ``after`` as (number, parts)."""
    sql = "SELECT seq, segments, data FROM output WHERE run_id = ? AND attempt = ? AND seq > ? ORDER BY seq LIMIT 64"
    while rows := db.execute(sql, (run_id, attempt, after)).fetchall():
        for seq, segments, data in rows:
            yield seq, list(_parts(segments, bytes(data)))
            after = seq


def newest_rows(db: Database, run_id: int, attempt: int) -> Iterator[list[OutputPart]]:
    """Rows from the last to the first."""
    sql = (
        "SELECT seq, segments, data FROM output WHERE run_id = ? AND attempt = ? AND seq < ? ORDER BY seq DESC LIMIT 8"
    )
    before = 2**62
    while rows := db.execute(sql, (run_id, attempt, before)).fetchall():
        for seq, segments, data in rows:
            yield list(_parts(segments, bytes(data)))
            before = seq


def _segments_text(segments: Sequence[Segment]) -> str:
    first = to_micros(segments[0].at)
    rows = [[s.stream, to_micros(s.at) - first, s.size] + ([s.dropped] if s.dropped else []) for s in segments]
    return json.dumps([first, rows], separators=(",", ":"))


def _parts(segments: str, data: bytes) -> Iterator[OutputPart]:
    first, rows = json.loads(segments)
    place = 0
    for stream, later, size, *dropped in rows:
        at = from_micros(first + later)
        if dropped:
            yield OutputPart(stream=STREAMS[stream], at=at, data=b"", dropped=dropped[0])
        yield OutputPart(stream=STREAMS[stream], at=at, data=data[place : place + size])
        place += size
