"""The JSON shapes that others build on: one function per noun, from a value to what ``json.dumps`` takes.

Instants are RFC 3339 in UTC with microseconds, durations seconds (float), what does not apply is null; batches are
``"b7"``. Keys may be added; none goes or changes its meaning.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from jobrunner.domain.audit import AuditEntry
from jobrunner.domain.backfill import Backfill
from jobrunner.domain.batch import Batch
from jobrunner.domain.job import Job
from jobrunner.domain.params import Param, fill
from jobrunner.domain.queue import Pause, QueueStatus
from jobrunner.domain.run import Attempt, Run
from jobrunner.domain.server import Server
from jobrunner.domain.status import Explanation, Fire, JobStatus, OutputPart
from jobrunner.domain.trigger import BatchTriggered
from jobrunner.errors import Problem
from jobrunner.presentation.times import rfc3339


def document(value: Any, *, indent: bool = False) -> str:
    """One JSON document. Pure ASCII, so that no terminal can be misled and every locale can hold it."""
    return json.dumps(value, indent=2 if indent else None)


def run(value: Run) -> dict[str, Any]:
    """A run, without its attempts."""
    return {
        "id": value.id,
        "job": value.job,
        "state": value.state.value,
        "attempt": value.attempt,
        "max_attempts": value.max_attempts,
        "queue": value.queue,
        "priority": value.priority,
        "trigger": value.trigger.value,
        "params": value.params,
        "created_at": rfc3339(value.created_at),
        "run_after": rfc3339(value.run_after),
        "started_at": rfc3339(value.started_at),
        "finished_at": rfc3339(value.finished_at),
        "duration": seconds_between(value.started_at, value.finished_at),
        "exit_code": value.exit_code,
        "error": value.error,
        "result": value.result,
        "progress": _progress(value),
        "server": value.server,
        "batch_id": batch_name(value.batch_id),
        "workflow_id": value.workflow_id,
        "parent_ids": list(value.parent_ids),
        "fire_time": rfc3339(value.fire_time),
        "waiting_for": _waiting_for(value),
        "dead": value.dead,
        "cancelling": value.cancelling,
    }


def run_whole(value: Run) -> dict[str, Any]:
    """A run with its attempts, oldest first."""
    return run(value) | {"command": submitted(value), "attempts": [attempt(each) for each in value.attempts]}


def submitted(value: Run) -> list[str] | None:
    """The program of a run that ``submit`` has made, with its arguments; None for the run of a job."""
    if value.definition is None or not value.job.startswith("submit:"):
        return None
    return [fill(each, {}) for each in json.loads(value.definition)["job"]["command"]]


def attempt(value: Attempt) -> dict[str, Any]:
    return {
        "attempt": value.number,
        "outcome": value.outcome.value if value.outcome else None,
        "server": value.server,
        "started_at": rfc3339(value.started_at),
        "finished_at": rfc3339(value.finished_at),
        "duration": seconds_between(value.started_at, value.finished_at),
        "exit_code": value.exit_code,
        "signal": value.signal,
        "error": value.error,
        "peak_memory": value.peak_memory,
        "cpu_time": value.cpu_time,
    }


def triggered(value: Run, *, existing: bool) -> dict[str, Any]:
    """What ``trigger`` answers: the run, and ``existing`` where ``unique`` gave back an older one."""
    return run(value) | ({"existing": True} if existing else {})


def batch_triggered(value: BatchTriggered) -> dict[str, Any]:
    return {"batch_id": batch_name(value.id), "runs": value.total}


def backfill(value: Backfill) -> dict[str, Any]:
    """A backfill; ``missing`` are the fire times without a run, of which a batch was made if ``batch_id`` says so."""
    return {
        "job": value.job,
        "from": rfc3339(value.since),
        "to": rfc3339(value.until),
        "batch_id": batch_name(value.batch),
        "runs": len(value.missing) if value.batch is not None else 0,
        "missing": [rfc3339(at) for at in value.missing],
        "answered": [
            {"fire_time": rfc3339(one.at), "run_id": one.run, "state": one.state.value} for one in value.answered
        ],
    }


def job(value: JobStatus) -> dict[str, Any]:
    """A job as lists show it. ``schedule`` is a text, several are a list of texts."""
    definition = value.job
    expressions = [spec.expression for spec in definition.schedules]
    return {
        "name": definition.name,
        "description": definition.description,
        "kind": definition.kind_name,
        "schedule": expressions[0] if len(expressions) == 1 else expressions or None,
        "timezone": timezone_of(definition),
        "next_fire": rfc3339(value.next_fire),
        "last_run": _last_run(value.last_run),
        "paused": value.pause is not None,
        "enabled": definition.enabled,
        "queue": definition.queue,
        "tags": list(definition.tags),
    }


def job_whole(value: JobStatus) -> dict[str, Any]:
    """A job with what else ``show`` tells; of ``env`` the names only."""
    definition = value.job
    return job(value) | {
        "pause": pause(value.pause) if value.pause else None,
        "priority": definition.priority,
        "retries": definition.retry.retries,
        "timeout": _seconds(definition.timeout),
        "expires": _seconds(definition.expires),
        "overlap": definition.overlap.value,
        "catchup": definition.catchup.value,
        "after": list(definition.after.jobs) if definition.after else [],
        "params": [_param(each) for each in definition.params],
        "env": sorted(definition.env),
    }


def server(value: Server) -> dict[str, Any]:
    return {
        "id": value.id,
        "name": value.name,
        "host": value.host,
        "pid": value.pid,
        "state": value.state.value,
        "started_at": rfc3339(value.started_at),
        "heartbeat_age": float(value.heartbeat_age),
        "workers": value.workers,
        "busy": value.busy,
        "queues": list(value.queues),
        "config_hash": value.config_hash,
        "config_error": value.config_error,
        "version": value.version,
    }


def queue(value: QueueStatus) -> dict[str, Any]:
    return {
        "name": value.name,
        "queued": value.queued,
        "running": value.running,
        "waiting": value.waiting,
        "scheduled": value.scheduled,
        "retrying": value.retrying,
        "oldest_wait": None if value.oldest_wait is None else float(value.oldest_wait),
        "paused": value.paused,
        "max_running": value.max_running,
    }


def batch(value: Batch) -> dict[str, Any]:
    return {
        "id": batch_name(value.id),
        "name": value.name,
        "state": value.state.value,
        "total": value.total,
        "succeeded": value.succeeded,
        "failed": value.failed,
        "other": value.other,
        "created_at": rfc3339(value.created_at),
        "finished_at": rfc3339(value.finished_at),
    }


def pause(value: Pause) -> dict[str, Any]:
    return {
        "scope": value.scope,
        "name": value.name,
        "who": value.who,
        "since": rfc3339(value.since),
        "until": rfc3339(value.until),
        "reason": value.reason,
    }


def audit(value: AuditEntry) -> dict[str, Any]:
    return {
        "id": value.id,
        "at": rfc3339(value.at),
        "who": value.who,
        "host": value.host,
        "action": value.action,
        "target": value.target,
        "detail": value.detail,
        "outcome": value.outcome,
    }


def fire(value: Fire) -> dict[str, Any]:
    return {"job": value.job, "at": rfc3339(value.at), "timezone": value.zone, "note": value.note or None}


def explanation(value: Explanation) -> dict[str, Any]:
    """An expression in words; the times keep the offset of its zone."""
    return {
        "expression": value.expression,
        "timezone": value.timezone,
        "description": value.description,
        "next": [instant.isoformat() for instant in value.next],
        "notes": list(value.notes),
    }


def check(*, valid: bool, jobs: int, errors: Iterable[Problem], warnings: Iterable[Problem]) -> dict[str, Any]:
    return {
        "valid": valid,
        "jobs": jobs,
        "errors": [problem(each) for each in errors],
        "warnings": [problem(each) for each in warnings],
    }


def imported(*, toml: str, jobs: Iterable[str], remarks: Iterable[Problem]) -> dict[str, Any]:
    return {"toml": toml, "jobs": list(jobs), "remarks": [problem(each) for each in remarks]}


def problem(value: Problem) -> dict[str, Any]:
    return {"file": value.file, "line": value.line, "column": value.column, "message": value.message}


def output(value: OutputPart, text: str) -> dict[str, Any]:
    """A piece of output; ``text`` is its bytes decoded by the caller, who sees where characters are split."""
    return {"stream": value.stream, "at": rfc3339(value.at), "text": text, "dropped": value.dropped}


def batch_name(number: int | None) -> str | None:
    """``b7`` for batch 7: how batches are named wherever a person or a program meets them."""
    return None if number is None else f"b{number}"


def timezone_of(definition: Job) -> str:
    """The zone of a job's first schedule, else the one that its schedules would have."""
    zones = [spec.timezone for spec in definition.schedules if spec.timezone]
    return zones[0] if zones else definition.timezone


def seconds_between(start: datetime | None, end: datetime | None) -> float | None:
    """Seconds from start to end; None while one of them is missing."""
    return None if start is None or end is None else (end - start).total_seconds()


def _progress(value: Run) -> dict[str, Any] | None:
    if value.progress is None:
        return None
    return {"done": value.progress.done, "total": value.progress.total, "message": value.progress.message}


def _waiting_for(value: Run) -> dict[str, Any] | None:
    if value.waiting_reason is None:
        return None
    return {"reason": value.waiting_reason.value, "detail": value.waiting_detail}


def _last_run(value: Run | None) -> dict[str, Any] | None:
    if value is None:
        return None
    return {
        "id": value.id,
        "state": value.state.value,
        "started_at": rfc3339(value.started_at),
        "duration": seconds_between(value.started_at, value.finished_at),
    }


def _param(value: Param) -> dict[str, Any]:
    return {
        "name": value.name,
        "type": value.type.value,
        "required": value.required,
        "default": "***" if value.secret and value.has_default else value.default,
        "choices": list(value.choices),
        "secret": value.secret,
        "description": value.description,
    }


def _seconds(value: timedelta | None) -> float | None:
    return None if value is None else value.total_seconds()
