"""Fires that are due together: those that nothing speaks against become runs by the statements of one.

Called by the scheduler. What has to be looked at more closely is decided by ``schedules``, one by one.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import datetime

from jobrunner.domain.clock import to_micros
from jobrunner.domain.job import Overlap
from jobrunner.domain.state import Ready, RunState
from jobrunner.store import definitions, schedules
from jobrunner.store.database import Database, in_parts, table
from jobrunner.store.migrations import ACTIVE
from jobrunner.store.runs.add import COLUMNS, Start, insert_row, ready
from jobrunner.store.schedules import Fire

_TOGETHER = 200

_ITEM = "of_job TEXT, of_fire BIGINT, of_schedule BIGINT, of_overlap TEXT"
_OF_JOB = "((scope = 'job' AND name = of_job) OR scope = 'all')"
_REMARKABLE = (
    "SELECT of_job FROM item WHERE of_job IS NOT NULL AND"
    " (EXISTS (SELECT 1 FROM runs WHERE job = of_job AND fire_time = of_fire AND fire_time IS NOT NULL)"
    " OR (SELECT last_fire FROM decisions WHERE job = of_job AND first_fire <= of_fire"
    " ORDER BY first_fire DESC LIMIT 1) >= of_fire"
    f" OR EXISTS (SELECT 1 FROM pauses WHERE {_OF_JOB})"
    f" OR EXISTS (SELECT 1 FROM past_pauses WHERE until > of_fire AND since <= of_fire AND {_OF_JOB})"
    f" OR (of_overlap <> '{Overlap.ALLOW}' AND EXISTS (SELECT 1 FROM runs INDEXED BY runs_active WHERE job = of_job"
    f" AND {ACTIVE} AND (state <> 'waiting' OR source <> 'backfill'))))"
)
_ATTENDED = (
    "UPDATE schedules SET seen_until = of_fire FROM item"
    " WHERE job = of_job AND schedule = of_schedule AND seen_until < of_fire"
)
_MAKE = (
    f"INSERT INTO runs ({', '.join(COLUMNS)}) VALUES {{}}"
    " ON CONFLICT (job, fire_time) WHERE fire_time IS NOT NULL DO NOTHING RETURNING id, job, state"
)


def fire_all(db: Database, due: Sequence[Fire], now: datetime) -> list[Ready]:
    """Decides due fires as ``schedules.fire`` does each; gives the runs that a worker may take."""
    made = list[Ready]()
    with db.transaction():
        # All at once: two servers come to the fires of a moment in orders of their own, and would wait for each other.
        schedules.alone(db, *(each.run.job for each in due))
        for start in range(0, len(due), _TOGETHER):
            some = due[start : start + _TOGETHER]
            plain = _plain(db, some)
            made += _make(db, [each for each in some if each.run.job in plain], now)
            for each in some:
                if each.run.job not in plain:
                    made += schedules.fire(db, each, now)
    return made


def _plain(db: Database, due: Sequence[Fire]) -> set[str]:
    """The jobs whose fire nothing speaks against, neither the file nor the store."""
    times = Counter(each.run.job for each in due)
    hopeful = [each for each in due if times[each.run.job] == 1 and _may_be_plain(each)]
    if len(hopeful) < 2:
        return set()
    item, values = table(_ITEM, [_values(each) for each in hopeful])
    return {each.run.job for each in hopeful} - {job for (job,) in db.execute(item + _REMARKABLE, values)}


def _may_be_plain(due: Fire) -> bool:
    special = due.instead is not None or due.shadow or due.one_by_one or due.run.unique_key is not None
    return not special and (not due.delayed or due.overlap is Overlap.ALLOW)


def _make(db: Database, due: Sequence[Fire], now: datetime) -> list[Ready]:
    if not due:
        return []
    item, values = table(_ITEM, [_values(each) for each in due])
    db.execute(item + _ATTENDED, values)
    numbers = definitions.keep_all(db, [(each.run.job, each.run.definition) for each in due])
    rows = [insert_row(each.run, number, _start(each, now)) for each, number in zip(due, numbers, strict=True)]
    runs = {each.run.job: each.run for each in due}
    made = [row for places, values in in_parts(rows) for row in db.execute(_MAKE.format(places), values).fetchall()]
    return [ready(runs[job], run_id) for run_id, job, state in made if state == RunState.QUEUED]


def _start(due: Fire, now: datetime) -> Start:
    return Start(RunState.SCHEDULED if due.run.run_after > now else RunState.QUEUED)


def _values(due: Fire) -> tuple[object, ...]:
    assert due.run.fire_time is not None
    return (due.run.job, to_micros(due.run.fire_time), due.schedule, due.overlap.value)
