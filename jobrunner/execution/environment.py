"""What a run sees of itself in its environment. Used for commands, and inside warm children."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from jobrunner.domain.params import to_text


def run_variables(run: Mapping[str, Any]) -> dict[str, str]:
    """``JOBRUNNER_*`` of a run as ``describe`` gives it; what does not apply is not set."""
    variables = {
        "JOBRUNNER_RUN_ID": str(run["run_id"]),
        "JOBRUNNER_JOB": run["job"],
        "JOBRUNNER_ATTEMPT": str(run["attempt"]),
        "JOBRUNNER_MAX_ATTEMPTS": str(run["max_attempts"]),
        "JOBRUNNER_TRIGGER": run["trigger"],
        "JOBRUNNER_SERVER": run["server"],
    }
    if run.get("fire_time") is not None:
        variables["JOBRUNNER_FIRE_TIME"] = run["fire_time"]
    if run.get("batch_id") is not None:
        variables["JOBRUNNER_BATCH_ID"] = str(run["batch_id"])
    if run.get("parent_results") is not None:
        variables["JOBRUNNER_PARENT_RESULTS"] = json.dumps(run["parent_results"], separators=(",", ":"))
    for name, value in run["params"].items():
        if value is not None:
            variables[f"JOBRUNNER_PARAM_{name.upper()}"] = to_text(value)
    return variables


def rfc3339(instant: datetime) -> str:
    """``2026-10-25T01:00:00.000000Z``."""
    return instant.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
