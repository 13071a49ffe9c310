"""A server's changes to the store, made up: ``python -m bench.changes FOLDER RATE`` commits until it is ended.

Of a project of ``history``. Servers that live send a heartbeat every five seconds; beside that ``RATE`` events a
second: a run is queued, it starts, it ends, and so on. Up to 100 commits a second, as servers put things together.
"""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path

from bench.project import environment
from jobrunner import jobfile
from jobrunner.store import Database, open_store

MOST_COMMITS = 100
BEAT_SECONDS = 5.0

_QUEUE = (
    "INSERT INTO runs (job, definition_id, state, max_attempts, queue, priority, source, params, created_at, run_after)"
    " SELECT job, definition_id, 'queued', 1, queue, 0, 'api', '{{}}', {now}, {now} FROM runs WHERE id = {like}"
    " RETURNING id"
)
_START = "UPDATE runs SET state = 'running', attempt = 1, started_at = {now}, server_id = 1 WHERE id = {run}"
_ATTEMPT = (
    "INSERT INTO attempts (run_id, number, server_id, started_at, finished_at, outcome, exit_code)"
    " SELECT id, 1, 1, started_at, {now}, '{state}', 0 FROM runs WHERE id = {run}"
)
_END = "UPDATE runs SET state = '{state}', finished_at = {now}, exit_code = 0 WHERE id = {run}"
_BEAT = "UPDATE servers SET heartbeat = heartbeat + 1, heartbeat_at = {now}, ticked_at = {now} WHERE state = 'running'"


@contextmanager
def changes(folder: Path, rate: int) -> Iterator[None]:
    """Changes go on meanwhile."""
    process = subprocess.Popen(
        [sys.executable, "-m", "bench.changes", str(folder), str(rate)],
        cwd=Path(__file__).parent.parent,
        env=environment(),
        stdout=subprocess.PIPE,
    )
    try:
        assert process.stdout is not None
        if not process.stdout.readline():
            raise RuntimeError(f"no changes are made: bench.changes ended with {process.wait()}")
        yield
    finally:
        process.terminate()
        process.wait(10)
        if process.stdout is not None:
            process.stdout.close()


def main(folder: Path, rate: int) -> None:
    settings = jobfile.read_settings_alone(folder / "jobs.toml")
    db = open_store(settings.store, durability="normal")
    events = _events(db)
    each = max(rate // MOST_COMMITS, 1)
    pause = each / rate if rate else BEAT_SECONDS
    due, beaten = time.monotonic(), 0.0
    print("begun", flush=True)
    while True:
        if (now := time.monotonic()) - beaten >= BEAT_SECONDS:
            beaten = now
            db.execute(_BEAT.format(now=_micros()))
        if rate:
            with db.transaction():
                for _ in range(each):
                    next(events)
        due += pause
        time.sleep(max(due - time.monotonic(), 0))


def _events(db: Database) -> Iterator[None]:
    """A run is queued, started, ended, and so on; every tenth fails."""
    for n in count():
        run = db.execute(_QUEUE.format(now=_micros(), like=1 + n * 7919 % 900)).fetchone()[0]
        yield
        db.execute(_START.format(now=_micros(), run=run))
        yield
        state = "failed" if n % 10 == 9 else "succeeded"
        db.execute(_ATTEMPT.format(now=_micros(), run=run, state=state))
        db.execute(_END.format(now=_micros(), run=run, state=state))
        yield


def _micros() -> int:
    return time.time_ns() // 1000


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
