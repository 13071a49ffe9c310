"""How long runs of a job take, as its latest runs tell. Called by admin for simulations."""

from __future__ import annotations

from array import array
from collections import defaultdict
from collections.abc import Iterable
from datetime import timedelta
from functools import partial
from typing import NamedTuple

from jobrunner.store.database import Database

_LATEST = 200
_SUCCEEDED = (
    "SELECT a.finished_at - a.started_at FROM (SELECT id FROM runs WHERE job = ? ORDER BY id DESC LIMIT ?) latest"
    " JOIN attempts a ON a.run_id = latest.id WHERE a.outcome = 'succeeded' AND a.finished_at IS NOT NULL"
)
_LATELY = (
    "SELECT job, finished_at - started_at FROM runs WHERE id > (SELECT max(id) FROM runs) - ?"
    " AND state = 'succeeded' AND started_at IS NOT NULL"
)


class Measured(NamedTuple):
    """Of ``attempts`` successful attempts, half took up to ``median``, 95 of 100 up to ``p95``."""

    median: timedelta
    p95: timedelta
    attempts: int


def measured(db: Database, jobs: Iterable[str]) -> dict[str, Measured]:
    """The durations of successful attempts among the last 200 runs of each job; jobs without any are left out."""
    found = {}
    with db.snapshot():
        for job in jobs:
            taken = sorted(max(micros, 0) for (micros,) in db.execute(_SUCCEEDED, (job, _LATEST)))
            if taken:
                found[job] = Measured(_quantile(taken, 0.5), _quantile(taken, 0.95), len(taken))
    return found


def lately(db: Database, limit: int) -> dict[str, float]:
    """How many seconds half of the successful runs of a job took at most, of the newest ``limit`` runs of all jobs."""
    taken: dict[str, array[int]] = defaultdict(partial(array, "q"))
    for job, micros in db.execute(_LATELY, (limit,)).in_parts():
        taken[job].append(max(micros, 0))
    return {job: sorted(each)[len(each) // 2] / 1_000_000 for job, each in taken.items()}


def _quantile(taken: list[int], part: float) -> timedelta:
    """The nearest rank: the smallest duration that so large a part of all does not exceed."""
    return timedelta(microseconds=taken[max(-(-len(taken) * round(part * 100) // 100), 1) - 1])
