"""What attempts have printed: rows of bytes with a note of which stream said what when.

Written through the server's engine, read by admin.

An attempt's rows are numbered from 0. The head is kept as it comes; beyond it the newest rows are kept and older ones
dropped, so that the rows never hold more than the job's ``max_output``. A row knows how many bytes came before it,
which is how a reader sees where some are missing.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import NamedTuple

from jobrunner.domain.clock import from_micros, to_micros
from jobrunner.domain.status import OutputChunk, OutputPart
from jobrunner.errors import NotFound
from jobrunner.store.database import Database

STREAMS = ("stdout", "stderr")


class Segment(NamedTuple):
    """A stretch of one row: ``stream`` as an index of STREAMS, when it was read, how many bytes."""

    stream: int
    at: datetime
    size: int


class Row(NamedTuple):
    """One row of output; ``start`` counts the bytes that the attempt had printed before it, dropped ones included."""

    seq: int
    start: int
    segments: tuple[Segment, ...]
    data: bytes


class Place(NamedTuple):
    """How far a reader has come: the last row it has seen, and how many bytes of the attempt that was."""

    seq: int = -1
    end: int = 0


def write(
    db: Database, run_id: int, attempt: int, server_id: int, rows: Sequence[Row], *, drop: tuple[int, int] | None
) -> None:
    """Adds rows and removes those numbered ``drop[0] <= n < drop[1]``, while this server holds the attempt."""
    held = f"SELECT 1 FROM runs WHERE id = ? AND state = 'running' AND attempt = ? AND server_id = ?{db.for_update}"
    insert = (
        "INSERT INTO output (run_id, attempt, seq, start, segments, data) VALUES (?, ?, ?, ?, ?, ?)"
        " ON CONFLICT (run_id, attempt, seq) DO NOTHING"
    )
    with db.transaction():
        if db.execute(held, (run_id, attempt, server_id)).fetchone() is None:
            return
        for row in rows:
            db.execute(insert, (run_id, attempt, row.seq, row.start, _segments_text(row.segments), row.data))
        if drop is not None:
            remove = "DELETE FROM output WHERE run_id = ? AND attempt = ? AND seq >= ? AND seq < ?"
            db.execute(remove, (run_id, attempt, *drop))


def read(db: Database, run_id: int, attempt: int, *, place: Place) -> tuple[list[OutputPart], Place]:
    """The next kept output of an attempt from ``place`` on, about a megabyte at most, and the place after it.

    Nothing is returned where nothing is kept beyond ``place`` yet.
    """
    sql = (
        "SELECT seq, start, segments, data FROM output WHERE run_id = ? AND attempt = ? AND seq > ?"
        " ORDER BY seq LIMIT 8"
    )
    parts = list[OutputPart]()
    for seq, start, segments, data in db.execute(sql, (run_id, attempt, place.seq)).fetchall():
        parts += _parts(segments, data, missing=start - place.end)
        place = Place(seq, start + len(data))
    return parts, place


def chunks(db: Database, run_id: int, attempt: int, *, place: Place, most: int) -> tuple[list[OutputChunk], Place]:
    """The next kept output as it is kept, about ``most`` bytes (at least one row of it), and the place after it."""
    sizes = db.execute(
        "SELECT seq, length(data) FROM output WHERE run_id = ? AND attempt = ? AND seq > ? ORDER BY seq LIMIT 4096",
        (run_id, attempt, place.seq),
    ).fetchall()
    last, size = place.seq, 0
    for seq, length in sizes:
        if size and size + length > most:
            break
        last, size = seq, size + length
    sql = "SELECT seq, start, segments, data FROM output WHERE run_id = ? AND attempt = ? AND seq > ? AND seq <= ?"
    found = list[OutputChunk]()
    for seq, start, segments, data in db.execute(f"{sql} ORDER BY seq", (run_id, attempt, place.seq, last)).fetchall():
        first, rows = json.loads(segments)
        said = tuple((stream, first + later, length) for stream, later, length in rows)
        found.append(OutputChunk(start=start, missing=max(start - place.end, 0), data=bytes(data), segments=said))
        place = Place(seq, start + len(data))
    return found, place


def attempts(db: Database, run_id: int) -> int:
    """How many attempts of a run have begun. Raises NotFound."""
    row = db.execute("SELECT attempt FROM runs WHERE id = ?", (run_id,)).fetchone()
    if row is None:
        raise NotFound(f"no run {run_id}", hint="`jobrunner runs` lists them")
    return int(row[0])


def attempt_ended(db: Database, run_id: int, attempt: int) -> bool:
    """Whether an attempt has ended; whatever it printed is kept by then. False where it has not begun."""
    sql = "SELECT finished_at FROM attempts WHERE run_id = ? AND number = ?"
    row = db.execute(sql, (run_id, attempt)).fetchone()
    return row is not None and row[0] is not None


def newest(db: Database, run_id: int, attempt: int) -> Iterator[list[OutputPart]]:
    """The parts of each row, from the last row to the first."""
    sql = (
        "SELECT seq, segments, data FROM output WHERE run_id = ? AND attempt = ? AND seq < ? ORDER BY seq DESC LIMIT 8"
    )
    before = 2**62
    while rows := db.execute(sql, (run_id, attempt, before)).fetchall():
        before = rows[-1][0]
        for _, segments, data in rows:
            yield _parts(segments, data, missing=0)


def _segments_text(segments: Sequence[Segment]) -> str:
    first = to_micros(segments[0].at)
    rows = [[segment.stream, to_micros(segment.at) - first, segment.size] for segment in segments]
    return json.dumps([first, rows], separators=(",", ":"))


def _parts(segments: str, data: bytes, *, missing: int) -> list[OutputPart]:
    first, rows = json.loads(segments)
    parts, place = list[OutputPart](), 0
    if missing > 0:
        parts.append(OutputPart(stream=STREAMS[rows[0][0]], at=from_micros(first), data=b"", dropped=missing))
    for stream, later, size in rows:
        at = from_micros(first + later)
        parts.append(OutputPart(stream=STREAMS[stream], at=at, data=data[place : place + size]))
        place += size
    return parts
