"""Parts of an attempt in the form in which processes are told of them."""

from __future__ import annotations

import os
from typing import Any

from jobrunner.domain.job import Job
from jobrunner.execution.attempt import AttemptSpec
from jobrunner.execution.environment import rfc3339


def describe(spec: AttemptSpec) -> dict[str, Any]:
    """The run as JSON: what ``current_run()`` and the environment show of it."""
    return {
        "run_id": spec.run_id,
        "job": spec.job.name,
        "attempt": spec.attempt,
        "max_attempts": spec.max_attempts,
        "trigger": str(spec.trigger),
        "server": spec.server,
        "fire_time": None if spec.fire_time is None else rfc3339(spec.fire_time),
        "batch_id": spec.batch_id,
        "params": dict(spec.params),
        "parent_results": None if spec.parent_results is None else dict(spec.parent_results),
    }


def folder_of(job: Job) -> str:
    """Where the job works: its ``cwd``, which counts from the folder of its jobs.toml, or that folder."""
    return job.folder if job.cwd is None else os.path.join(job.folder, job.cwd)


def limits_of(job: Job) -> dict[str, float]:
    """The limits that are set: bytes, seconds, numbers."""
    limits = job.resources
    cpu_time = None if limits.cpu_time is None else limits.cpu_time.total_seconds()
    found = {
        "memory_max": limits.memory_max,
        "cpu_time": cpu_time,
        "open_files": limits.open_files,
        "processes": limits.processes,
    }
    return {name: value for name, value in found.items() if value is not None}
