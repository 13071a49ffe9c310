"""Backfills: the runs of fire times that have none, as a batch whose members start one by one. Called by admin."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime

from jobrunner.domain.backfill import Answered
from jobrunner.domain.clock import from_micros, to_micros
from jobrunner.domain.request import NewRun
from jobrunner.domain.state import Ready, RunState, WaitingReason
from jobrunner.store import definitions, schedules
from jobrunner.store.database import Database
from jobrunner.store.runs.add import COLUMNS, Start, insert_row
from jobrunner.store.runs.ending import next_fire

_ANSWERED = (
    "SELECT fire_time, id, state FROM runs WHERE job = ? AND fire_time >= ? AND fire_time < ?"
    " AND fire_time IS NOT NULL ORDER BY fire_time"
)
_FIRE_TIMES = {
    "sqlite": ("json_each(?) AS item", "item.value"),
    "postgresql": ("jsonb_array_elements_text(?::jsonb) AS item (value)", "item.value::bigint"),
}


def answered(db: Database, job: str, since: datetime, until: datetime) -> list[Answered]:
    """The runs of a job's fire times, ``since <= fire time < until``, in order."""
    rows = db.execute(_ANSWERED, (job, to_micros(since), to_micros(until)))
    return [Answered(from_micros(at), run_id, RunState(state)) for at, run_id, state in rows]


def alone(db: Database, job: str) -> None:
    """Keeps servers and others from answering fire times of a job until the transaction ends."""
    schedules.alone(db, job)


def create(db: Database, template: NewRun, name: str, fire_times: Sequence[datetime]) -> tuple[int, list[Ready]]:
    """Creates a batch with a run for each of these fire times; gives its id and what may start.

    Called in the transaction that found, after ``alone``, that they have none. Whatever the job allows otherwise, a
    member waits until no other run of the job is active: making up for the past must not crowd out the present.
    """
    created = to_micros(template.created_at)
    sql = "INSERT INTO batches (name, created_at) VALUES (?, ?) RETURNING id"
    (batch_id,) = db.execute(sql, (name, created)).fetchone()
    start = Start(RunState.WAITING, WaitingReason.OVERLAP, f"those of batch b{batch_id} before it")
    definition = definitions.keep(db, template.job, template.definition)
    row = list(insert_row(template._replace(batch_id=batch_id), definition, start))
    each, value = _FIRE_TIMES[db.dialect]
    place = COLUMNS.index("fire_time")
    columns = ["?"] * len(row)
    columns[place] = value
    del row[place]
    sql = f"INSERT INTO runs ({', '.join(COLUMNS)}) SELECT {', '.join(columns)} FROM {each}"
    db.execute(sql, (*row, json.dumps([to_micros(at) for at in fire_times])))
    return batch_id, next_fire(db, template.job, template.created_at)
