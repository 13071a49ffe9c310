"""A project with a long history: ``python -m bench.history FOLDER --jobs 10000 --runs 1000000``.

Writes a jobs.toml and fills its store with statements in bulk, which takes seconds for a million runs. What there is
depends on the numbers alone; only the times are reckoned back from now. Used by measurements and tests.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from bench import history_jobs
from jobrunner import jobfile
from jobrunner.domain.clock import to_micros
from jobrunner.store import Database, open_store
from jobrunner.store.database import insert
from jobrunner.store.definitions import number

SECOND = 1_000_000
SPAN = timedelta(days=30)
"""How long ago the oldest run was created."""

AT_WORK = 260
"""How many of the newest runs have not ended, where there are at least four times as many."""

ERRORS = (
    "exit code 1",
    "exit code 2: no such table: orders",
    "exit code 75",
    "timed out after 1h",
    "ConnectionError: connection refused by db.example.com:5432",
    "ValueError: amount must not be negative",
    "HTTP 503 Service Unavailable",
    "killed: used more than memory_max (512 MiB)",
)
SERVERS = ("web1", "web2", "night", "old")


def make(
    folder: Path, *, jobs: int, runs: int, lines: int = 0, store: str | None = None, now: datetime | None = None
) -> Path:
    """A project in ``folder``: jobs.toml, and a store (``store``: its URL) with the history; gives its path.

    ``lines`` > 0 gives the newest run that succeeded an output of so many lines. ``now`` is when it is made up to.
    """
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "jobs.toml"
    for name, text in history_jobs.files(jobs).items():
        if store is not None and name == path.name:
            text = text.replace("[jobrunner]\n", f'[jobrunner]\nstore = "{store}"\n', 1)
        (folder / name).write_text(text)
    whole = jobfile.read(path)
    definitions = [(job.name, job.definition, job.queue) for job in whole.jobs.values()]
    db = open_store(whole.settings.store, durability="normal")
    fill(db, definitions, runs=runs, lines=lines, now=now or datetime.now(UTC), config_hash=whole.config_hash)
    db.close()
    return path


def fill(
    db: Database,
    definitions: Sequence[tuple[str, str, str]],
    *,
    runs: int,
    now: datetime,
    lines: int = 0,
    config_hash: str = "abc",
) -> None:
    """Fills an empty store; ``definitions`` are the (name, definition, queue) of the jobs."""
    if db.dialect == "sqlite":
        db.execute("PRAGMA synchronous = off")
    at = to_micros(now)
    with db.transaction():
        _jobs(db, definitions, at)
        _servers(db, at, config_hash)
        indexes = list(_without_indexes(db)) if runs > 50_000 else []
        _runs(db, len(definitions), runs, at)
        for statement in indexes:
            db.execute(statement)
        _around(db, definitions, at)
        _outputs(db, lines)
        db.execute("DROP TABLE history_jobs")
        _number_on(db)


def _jobs(db: Database, definitions: Sequence[tuple[str, str, str]], at: int) -> None:
    first = at - _micros(SPAN)
    db.execute("CREATE TEMPORARY TABLE history_jobs (n BIGINT PRIMARY KEY, job TEXT, definition BIGINT, queue TEXT)")
    numbered = [(n, job, number(job, body), queue) for n, (job, body, queue) in enumerate(definitions)]
    insert(db, "history_jobs (n, job, definition, queue)", numbered)
    insert(db, "definitions (id, job, body)", [(number(job, body), job, body) for job, body, _ in definitions])
    columns = "versions (job, version, definition_id, calendars_id, applied_at, replaced_at, who, host, server, origin)"
    versions = [
        (job, 1, number(job, body), None, first, None, "ana", "web1", "web1", "start") for job, body, _ in definitions
    ]
    insert(db, columns, versions)


def _servers(db: Database, at: int, config_hash: str) -> None:
    states = ("running", "running", "draining", "lost")
    for place, (name, state) in enumerate(zip(SERVERS, states, strict=True)):
        ended = at - 3_600 * SECOND if state == "lost" else None
        db.execute(
            "INSERT INTO servers (id, name, host, identity, pid, state, started_at, heartbeat, heartbeat_at, ended_at,"
            " workers, busy, queues, config_hash, version)"
            " VALUES (?, ?, 'shop', ?, ?, ?, ?, 1000, ?, ?, 8, ?, ?, ?, '1')",
            (
                place + 1,
                name,
                f"boot/{name}",
                4_000 + place,
                state,
                at - (place + 1) * 86_400 * SECOND,
                ended or at,
                ended,
                4 if state == "running" else 0,
                json.dumps(history_jobs.QUEUES),
                config_hash,
            ),
        )


def _without_indexes(db: Database) -> Iterator[str]:
    """Drops the indexes of runs, which are made much quicker at the end; gives the statements that do it."""
    if db.dialect == "sqlite":
        sql = "SELECT name, sql FROM sqlite_master WHERE type = 'index' AND tbl_name = 'runs' AND sql IS NOT NULL"
    else:
        sql = (
            "SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = current_schema() AND tablename = 'runs'"
            " AND indexname <> 'runs_pkey'"
        )
    for name, statement in db.execute(sql).fetchall():
        db.execute(f"DROP INDEX {name}")
        yield statement


_DRAWN = """
WITH RECURSIVE numbers(i) AS (SELECT CAST(1 AS BIGINT) UNION ALL SELECT i + 1 FROM numbers WHERE i < {runs}),
hashed AS (SELECT i, i * 48271 % 2147483647 / 7 AS h, {runs} - i + {spare} AS back FROM numbers),
drawn AS (SELECT i, h, {first} + i * {step} AS at,
  200000 + h % 30000000 + CASE WHEN h % 41 = 0 THEN 900000000 ELSE 0 END AS took,
  CASE WHEN i % 5000 BETWEEN 2400 AND 2499 THEN 0 WHEN h % 3 = 0 THEN h % 97 * (h % 13) % {jobs} ELSE h % {jobs} END
    AS n,
  CASE WHEN i % 5000 BETWEEN 2400 AND 2499 THEN 'batch' WHEN h % 100 < 80 THEN 'schedule'
    WHEN h % 100 < 88 THEN 'manual' WHEN h % 100 < 93 THEN 'after' WHEN h % 100 < 98 THEN 'api'
    WHEN h % 100 < 99 THEN 'catchup' ELSE 'backfill' END AS source,
  CASE WHEN back < 8 THEN 'running' WHEN back < 200 THEN 'queued' WHEN back < 215 THEN 'retrying'
    WHEN back < 235 THEN 'waiting' WHEN back < {at_work} THEN 'scheduled'
    WHEN h % 1000 < 45 THEN 'failed' WHEN h % 1000 < 55 THEN 'cancelled' WHEN h % 1000 < 63 THEN 'skipped'
    WHEN h % 1000 < 66 THEN 'expired' ELSE 'succeeded' END AS state FROM hashed),
made AS (SELECT i, h, at, took, n, source, state,
  CASE WHEN state IN ('queued','waiting','scheduled','skipped','expired') THEN 0 WHEN state = 'cancelled' THEN i % 2
    WHEN state = 'succeeded' AND i % 20 = 7 THEN 2 ELSE 1 END AS tries FROM drawn)"""
"""What each run is, from its number; ``h`` is a number that looks like chance, ``back`` counts from the newest."""

_RUNS = """
INSERT INTO runs (id, job, definition_id, state, attempt, max_attempts, failures, queue, priority, source, params,
 created_at, run_after, started_at, finished_at, exit_code, error, progress, server_id, batch_id, fire_time,
 waiting_reason, waiting_detail, dead)
{drawn}
SELECT i, j.job, j.definition, state, tries, CASE WHEN state = 'retrying' THEN 3 WHEN tries = 2 THEN 2 ELSE 1 END,
 CASE WHEN state IN ('failed','retrying') THEN 1 ELSE 0 END, j.queue, CASE WHEN h % 50 = 0 THEN 10 ELSE 0 END, source,
 CASE WHEN h % 13 = 5 THEN '{month}' ELSE '{{}}' END, at,
 CASE WHEN state IN ('scheduled','retrying') THEN {now} + (h % 3600 + 60) * 1000000 ELSE at END,
 CASE WHEN tries > 0 THEN at + h % 5000000 END,
 CASE WHEN state IN ('running','retrying','queued','waiting','scheduled') THEN NULL
  WHEN tries > 0 THEN at + h % 5000000 + took ELSE at + 5000000 END,
 CASE WHEN state = 'succeeded' THEN 0 WHEN state IN ('failed','retrying') THEN 1 + h % 3 END,
 CASE WHEN state IN ('failed','retrying') THEN CASE h % {kinds} {errors} END
  WHEN state = 'skipped' THEN 'run 7 of this job was still active' WHEN state = 'expired' THEN 'not started in 2h' END,
 CASE WHEN state = 'running' AND i % 2 = 0 THEN '[' || (h % 100) || ',100,"rows"]' END,
 CASE WHEN tries > 0 THEN 1 + h % 2 END, CASE WHEN source = 'batch' THEN i / 5000 + 1 END,
 CASE WHEN source IN ('schedule','catchup','backfill') THEN at - at % {grain} END,
 CASE WHEN state = 'waiting' THEN CASE WHEN i % 2 = 0 THEN 'overlap' ELSE 'paused' END END,
 CASE WHEN state = 'waiting' THEN CASE WHEN i % 2 = 0 THEN 'run 7' ELSE 'by ana: disk migration' END END,
 CASE WHEN state = 'failed' AND i * 10 > {runs} * 9 AND h % 9 = 0 THEN 1 ELSE 0 END
FROM made JOIN history_jobs j ON j.n = made.n
"""
_ATTEMPTS = """
INSERT INTO attempts (run_id, number, server_id, started_at, finished_at, outcome, exit_code, error, peak_memory,
 cpu_time)
SELECT id, attempt, server_id, started_at, CASE WHEN state = 'retrying' THEN started_at + 900000 ELSE finished_at END,
 CASE WHEN state IN ('succeeded','cancelled') THEN state
  WHEN error LIKE 'timed out%' THEN 'timeout' ELSE 'failed' END,
 exit_code, error, 10000000 + id % 90 * 1000000, 100000 + id % 977 * 1000
FROM runs WHERE attempt > 0 AND state <> 'running'
"""
_FIRST_ATTEMPTS = """
INSERT INTO attempts (run_id, number, server_id, started_at, finished_at, outcome, exit_code, error)
SELECT id, 1, server_id, created_at, created_at + 900000, 'failed', 75, 'exit code 75' FROM runs WHERE attempt = 2
"""


def _runs(db: Database, jobs: int, runs: int, at: int) -> None:
    step = max(_micros(SPAN) // runs, 1)
    given = {
        "jobs": jobs,
        "runs": runs,
        "spare": 0 if runs >= 4 * AT_WORK else AT_WORK,
        "at_work": AT_WORK,
        "first": at - _micros(SPAN) - step,
        "step": step,
        "grain": SECOND if step >= SECOND else 1,
        "now": at,
        "month": '{"month":"2026-10"}',
        "kinds": len(ERRORS),
        "errors": " ".join(f"WHEN {place} THEN '{error}'" for place, error in enumerate(ERRORS)),
    }
    db.execute(_RUNS.format(drawn=_DRAWN.format_map(given), **given))
    db.execute(_ATTEMPTS)
    db.execute(_FIRST_ATTEMPTS)


def _around(db: Database, definitions: Sequence[tuple[str, str, str]], at: int) -> None:
    """Batches, pauses, decisions and the audit trail."""
    sql = (
        "INSERT INTO batches (id, name, created_at, finished_at)"
        " SELECT batch_id, 'batch of ' || min(job), min(created_at),"
        " CASE WHEN min(coalesce(finished_at, 0)) > 0 THEN max(finished_at) END"
        " FROM runs WHERE batch_id IS NOT NULL GROUP BY batch_id"
    )
    db.execute(sql)
    names = [job for job, _, _ in definitions]
    hour = 3_600 * SECOND
    pauses = [("job", name, "ana", at - hour, at + 5 * hour, "disk migration") for name in names[2:40:9]]
    insert(db, "pauses (scope, name, who, since, until, reason)", [*pauses, ("queue", "low", "ben", at, None, "")])
    decisions = [
        (name, at - 20 * hour + n, at - 19 * hour + n, 1 + n % 30, why, f"{why}, says the file", at - 19 * hour, 0)
        for n, name in enumerate(names[:200])
        for why in [("paused", "missed", "blackout", "disabled", "not unique")[n % 5]]
    ]
    columns = "decisions (job, first_fire, last_fire, fires, decision, detail, decided_at, schedule)"
    insert(db, columns, decisions)
    sql = (
        "INSERT INTO audit (at, who, host, action, target, detail, outcome)"
        " SELECT created_at, CASE WHEN id % 3 = 0 THEN 'ana' ELSE 'ben' END, 'shop',"
        " CASE WHEN source = 'manual' THEN 'trigger' ELSE 'cancel' END, 'run ' || id, job, 'done'"
        " FROM runs WHERE (source = 'manual' OR state = 'cancelled') AND id % 7 = 0 ORDER BY id"
    )
    db.execute(sql)


_ENDED = "SELECT id, attempt, started_at FROM runs WHERE state = ? AND attempt = 1 ORDER BY id DESC LIMIT ?"
_OUTPUT = "output (run_id, attempt, seq, start, segments, data)"


def _outputs(db: Database, lines: int) -> None:
    """A few lines of the newest runs, and ``lines`` of the newest one that succeeded."""
    few = db.execute(_ENDED, ("succeeded", 40)).fetchall() + db.execute(_ENDED, ("failed", 40)).fetchall()
    rows = [row for run in few[1 if lines else 0 :] for row in _output(*run, lines=12)]
    insert(db, _OUTPUT, rows)
    if lines and few:
        for row in _output(*few[0], lines=lines):
            insert(db, _OUTPUT, [row])


def _output(run_id: int, attempt: int, started: int, *, lines: int) -> Iterator[tuple[Any, ...]]:
    """Rows of about 256 KiB of segments of 50 lines, every seventh of them on stderr, as a server keeps them."""
    seq, start = 0, 0
    for first in range(0, lines, 3_500):
        pieces = list[bytes]()
        for begin in range(first, min(first + 3_500, lines), 50):
            numbers = range(begin, min(begin + 50, first + 3_500, lines))
            pieces.append(b"".join(_line(n) for n in numbers))
        segments = [[int(n % 7 == 6), n * 20_000, len(piece)] for n, piece in enumerate(pieces)]
        data = b"".join(pieces)
        text = json.dumps([started + first * 400, segments], separators=(",", ":"))
        yield (run_id, attempt, seq, start, text, data)
        seq, start = seq + 1, start + len(data)


def _line(n: int) -> bytes:
    if n % 5_000 == 4_321:
        return f"ERROR row {n}: duplicate key value violates unique constraint\n".encode()
    return f"{n:07d} INFO  loaded {n % 97} rows into orders; {n * 48271 % 9973} ms \x1b[32mok\x1b[0m\n".encode()


def _number_on(db: Database) -> None:
    if db.dialect == "postgresql":
        for table in ("runs", "batches", "servers"):
            db.execute(f"SELECT setval('{table}_id_seq', (SELECT max(id) FROM {table}) + 1, false)")


def _micros(length: timedelta) -> int:
    return length // timedelta(microseconds=1)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.history", description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--jobs", type=int, default=10_000)
    parser.add_argument("--runs", type=int, default=1_000_000)
    parser.add_argument("--lines", type=int, default=0, help="of output of the newest run that succeeded")
    parser.add_argument("--store", help="a URL; default: a file in the folder")
    given = parser.parse_args()
    began = time.perf_counter()
    path = make(given.folder, jobs=given.jobs, runs=given.runs, lines=given.lines, store=given.store)
    print(f"{path}: {given.jobs:,} jobs, {given.runs:,} runs, {time.perf_counter() - began:.1f} s")
    return 0


if __name__ == "__main__":
    sys.exit(main())
