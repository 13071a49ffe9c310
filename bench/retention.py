"""What a busy server loses while runs that are kept no longer are removed beside it.

All runs of the history ended half a year ago. Whether they are removed is up to the mark that says when it was last
done: one of this moment keeps a server from it for an hour.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

from bench import kept, ours
from bench.options import Options
from bench.project import jobrunner, server
from bench.result import Table, in_turn
from bench.services import Services
from bench.table import spread
from jobrunner import Client
from jobrunner.store import Database, open_store, retention

AGE = timedelta(days=180)
EVERY = 5
"""Each so manyth run that was started has output."""

LINES = b"0001234 INFO  loaded 42 rows into orders; 1234 ms ok\n" * 12


@dataclass(frozen=True, kw_only=True)
class Kept:
    """A store with old runs, shared by the rounds: ``runs`` are worked off in each, ``removed`` a second beside it."""

    title: str
    folder: Path
    url: str
    runs: int
    removed: list[float] = field(default_factory=list)

    @property
    def alone(self) -> str:
        return f"{self.title}, nothing removed"

    @property
    def beside(self) -> str:
        return f"{self.title}, old runs removed beside it"


def measure(options: Options) -> tuple[Table, ...]:
    with Services(options.appendfsync) as services, tempfile.TemporaryDirectory(prefix="jobrunner-bench-kept-") as name:
        file, folder = Path(name, "sqlite"), Path(name, "postgresql")
        stores = (
            Kept(title=ours.FULL.title, folder=file, url=f"sqlite:///{file}/jobrunner.db", runs=options.runs),
            Kept(title=ours.POSTGRESQL.title, folder=folder, url=services.postgresql(), runs=options.runs // 4),
        )
        work: dict[str, Callable[[], float]] = {}
        for one in stores:
            _fill(one, options.largest)
            work[one.alone] = partial(_rate, one, removing=False)
            work[one.beside] = partial(_rate, one, removing=True)
        rows = {row.name: row for row in in_turn(options.rounds, work)}
        settings = services.settings()
    for one in stores:
        gone = f"{spread(one.removed)} removed a second" if one.removed else ""
        rows[one.beside] = replace(rows[one.beside], against=one.alone, note=gone)
    return (
        Table(
            title="Drain of no-op Python runs while old runs are removed",
            unit="runs/s",
            rows=tuple(rows.values()),
            notes=(
                f"{options.largest:,} old runs with attempts, each {EVERY}th with {len(LINES)} bytes of output",
                "goal: at least 0.90 ×, so less than a tenth is lost",
                "runs worked off in a round: " + ", ".join(f"{one.title} {one.runs:,}" for one in stores),
                settings,
                ours.NOTE,
            ),
        ),
    )


def _fill(one: Kept, runs: int) -> None:
    kept.make(one.folder, runs, store=one.url, now=datetime.now(UTC) - AGE)
    db = open_store(one.url, durability="normal")
    db.execute(
        "INSERT INTO output (run_id, attempt, seq, start, segments, data)"
        " SELECT id, attempt, 0, 0, '[' || started_at || ',[[0,0,' || CAST(? AS TEXT) || ']]]', ?"
        " FROM runs WHERE id % ? = 0 AND attempt > 0 ON CONFLICT DO NOTHING",
        (len(LINES), LINES, EVERY),
    )
    db.execute("DELETE FROM batches")  # they go first, and for a few of them a while
    if db.dialect == "postgresql":
        db.execute("VACUUM ANALYZE")  # else it does so while something is measured
    db.close()


def _rate(one: Kept, *, removing: bool) -> float:
    """Runs worked off a second, from the first start to the end of the batch, by the server's records."""
    with closing(open_store(one.url)) as db:
        retention.take(db, datetime.now(UTC), timedelta())
        if removing:
            db.execute("DELETE FROM properties WHERE name = 'retention'")
        jobrunner(one.folder, "pause", "--all", "-c", kept.FILE)
        with Client.open(one.folder / kept.FILE) as client, server(one.folder, "-c", kept.FILE):
            batch = client.batch("nop", [{"n": n} for n in range(one.runs)])
            whole = _runs(db)
            time.sleep(1)  # the children are warm
            if removing:
                _until_removed(db, whole)
            before, begun = _runs(db), time.monotonic()
            jobrunner(one.folder, "resume", "--all", "-c", kept.FILE)
            ended = batch.wait(300).finished_at
            gone, seconds = before - _runs(db), time.monotonic() - begun
        first = db.execute("SELECT min(started_at) FROM runs WHERE batch_id = ?", (batch.id,)).fetchone()[0]
    assert ended is not None
    if removing:
        one.removed.append(gone / seconds)
    return one.runs / (ended.timestamp() - float(first) / 1e6)


def _until_removed(db: Database, whole: int) -> None:
    """Until there are fewer runs than ``whole``."""
    deadline = time.monotonic() + 60
    while _runs(db) >= whole:
        if time.monotonic() > deadline:
            raise RuntimeError("nothing was removed in a minute")
        time.sleep(0.1)


def _runs(db: Database) -> int:
    return int(db.execute("SELECT count(*) FROM runs").fetchone()[0])
