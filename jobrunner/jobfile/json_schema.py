"""The JSON Schema of jobs.toml, made from the table of keys. Printed by ``jobrunner schema`` for editors."""

from __future__ import annotations

from typing import Any

from jobrunner.jobfile.job_keys import JOB
from jobrunner.jobfile.keys import CALENDAR, JOBRUNNER, LIMIT, NOT_YET, NOTIFIER, PLAYED, QUEUE, RETENTION, TOP
from jobrunner.jobfile.kind_forms import KINDS
from jobrunner.jobfile.shapes import NAME_PATTERN, Schema
from jobrunner.jobfile.tables import Table

_NO_JOB_NAME = "^b?[0-9]+$"  # looks like a run or a batch
_NO_EFFECT = " (Checked, and not acted upon in this version.)"
_PLAYED_ONLY = " (Acted upon by `simulate`, and not by servers in this version.)"


def schema() -> dict[str, Any]:
    """JSON Schema, draft 2020-12. TOML's dates and times are texts in it.

    It holds for every valid file; what depends on several keys or on other tables is left to ``jobrunner check``.
    """
    job = _marked(JOB.schema(), "jobs.*")
    properties = {
        "jobrunner": _marked(JOBRUNNER.schema(), "jobrunner"),
        "retention": RETENTION.schema(),
        "queues": _named(_marked(QUEUE.schema(), "queues.*")),
        "defaults": {"$ref": "#/$defs/defaults"},
        "notify": _named(NOTIFIER.schema()),
        "jobs": {
            "type": "object",
            # Not in the pattern: Taplo's regular expressions know no look-ahead, and then it completes nothing below.
            "propertyNames": {"not": {"pattern": _NO_JOB_NAME}},
            "patternProperties": {f"^{NAME_PATTERN}$": {"$ref": "#/$defs/job"}},
            "additionalProperties": False,
        },
        "calendars": _named(CALENDAR.schema()),
        "limits": _named(LIMIT.schema()),
    }
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "jobs.toml of jobrunner",
        "type": "object",
        "properties": {name: {**inner, "description": TOP[name] + _effect(name)} for name, inner in properties.items()},
        "additionalProperties": False,
        # Not a reference with more beside it: editors read one or the other.
        "$defs": {"job": {**job, "not": {"anyOf": _two_kinds()}}, "defaults": job},
    }


def _named(item: Schema) -> Schema:
    return {"type": "object", "patternProperties": {f"^{NAME_PATTERN}$": item}, "additionalProperties": False}


def _marked(table: Schema, path: str) -> Schema:
    """The schema with a remark on each key that has no effect yet."""
    for name, inner in table["properties"].items():
        inner["description"] += _effect(f"{path}.{name}")
    return table


def _effect(name: str) -> str:
    if name not in NOT_YET:
        return ""
    return _PLAYED_ONLY if name in PLAYED else _NO_EFFECT


def _two_kinds() -> list[Schema]:
    """What no job is; other keys are allowed, since strict editors take a table without properties for an empty one."""
    pairs = [(first, second) for index, first in enumerate(KINDS) for second in KINDS[index + 1 :]]
    return [{"required": list(pair), "additionalProperties": True} for pair in pairs]


def documented() -> dict[str, Table]:
    """Every table of keys by the path under which the file has it, for the documentation and its tests."""
    return {
        "jobrunner": JOBRUNNER,
        "retention": RETENTION,
        "queues.NAME": QUEUE,
        "jobs.NAME": JOB,
        "notify.NAME": NOTIFIER,
        "calendars.NAME": CALENDAR,
        "limits.NAME": LIMIT,
    }
