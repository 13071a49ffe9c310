"""A job from its table, and its definition, the canonical JSON text that rebuilds it. Used by ``reader``, admin and
the server."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping, Sequence
from datetime import date, datetime, time, timedelta
from functools import lru_cache
from typing import Any

from jobrunner.domain.duration import format_duration
from jobrunner.domain.job import Command, Job, Kind, RetryPolicy, ScheduleSpec
from jobrunner.domain.job import Limits as Resources
from jobrunner.domain.params import escape
from jobrunner.domain.settings import Settings
from jobrunner.errors import JobrunnerError, UsageError
from jobrunner.jobfile.draft import Defaults, Draft, draft
from jobrunner.jobfile.kind_forms import KINDS
from jobrunner.jobfile.rules import check_draft
from jobrunner.jobfile.source import Source
from jobrunner.jobfile.words import meant, quoted

RESOURCES = frozenset({"memory_max", "cpu_time", "open_files", "processes"})
RETRY_FIELDS = {
    "retries": "retries",
    "retry_delay": "delay",
    "retry_backoff": "backoff",
    "retry_max_delay": "max_delay",
    "retry_jitter": "jitter",
    "retry_delays": "delays",
    "retry_on": "retry_on",
    "no_retry_on": "no_retry_on",
}


def job_from_definition(name: str, definition: str) -> Job:
    """The job that ``Job.definition`` was taken from, without any file. A schedule that can no longer be read is left
    out, since a run does not need it.

    Raises:
        JobrunnerError: the text is no definition that this version can read.
    """
    try:
        parts = json.loads(definition)
        folder, timezone = sys.intern(parts["folder"]), sys.intern(parts["timezone"])
        table = _listed_params(parts["job"])
    except (ValueError, TypeError, KeyError, RecursionError):
        raise JobrunnerError(f"the definition that a run of {name} carries cannot be read") from None
    source = Source(f"definition of {name}")
    made = draft(name, source, table, Defaults(Source("")), strict=False)
    check_draft(made)
    if not source.sound:
        fault = next(source.messages())
        raise JobrunnerError(f"the definition that a run of {name} carries cannot be read: {fault}")
    return build(made, folder=folder, timezone=timezone, definition=definition)


def adhoc(name: str, argv: Sequence[str], *, settings: Settings, cwd: str, options: Mapping[str, Any]) -> Job:
    """A job that is in no file: a command as given, braces and all, in the folder ``cwd`` (absolute).

    ``options`` are keys of a job as the file would write them; a timedelta stands for a duration. [defaults] do not
    apply.

    Raises:
        UsageError: an option that a job does not have or does not allow, a queue that does not exist, no command.
    """
    plain = {key: format_duration(value) if isinstance(value, timedelta) else value for key, value in options.items()}
    table = {**plain, "command": [escape(argument) for argument in argv], "cwd": os.path.abspath(cwd)}
    source = Source(name)
    made = draft(name, source, table, Defaults(Source("")))
    check_draft(made)
    if not source.sound:
        raise UsageError(next(source.messages()).removeprefix(f"jobs.{quoted(name)}."))
    queue = made.found.get("queue", "default")
    if queue not in settings.queues:
        raise UsageError(f"there is no queue {quoted(queue)}", hint=meant(queue, settings.queues))
    return build(made, folder=settings.folder, timezone=settings.timezone)


def build(made: Draft, *, folder: str, timezone: str, definition: str | None = None) -> Job:
    """The job of a sound draft; ``folder`` is that of jobs.toml, ``timezone`` that of schedules which name none."""
    found = dict(made.found)
    kind = _kind(found)
    params = tuple(found.pop("params", {}).values())
    schedules = _localised(found.pop("schedule", ()), timezone)
    text = definition or definition_text(table_text(made.table), folder=folder, timezone=timezone)
    return Job(
        name=made.name,
        kind=kind,
        folder=folder,
        timezone=timezone,
        definition=text,
        schedules=schedules,
        params=params,
        retry=_retry(found),
        resources=_resources(found),
        **found,
    )


def table_of(definition: str) -> dict[str, Any]:
    """The table that a definition was taken from, with [defaults] in it."""
    return _listed_params(json.loads(definition)["job"])


def table_text(table: Mapping[str, Any]) -> str:
    """The canonical JSON of a job's merged table: equal tables have equal texts. Parameters keep their order."""
    if "params" in table:
        params = [{"name": name, **param} for name, param in table["params"].items()]
        table = {**table, "params": params}
    return CANONICAL.encode(table)


def definition_text(table: str, *, folder: str, timezone: str) -> str:
    """``Job.definition`` from the canonical text of the table."""
    before, after = _around(folder, timezone)
    return before + table + after


@lru_cache(maxsize=16)
def _around(folder: str, timezone: str) -> tuple[str, str]:
    return f'{{"folder":{CANONICAL.encode(folder)},"job":', f',"timezone":{CANONICAL.encode(timezone)}}}'


def _listed_params(table: dict[str, Any]) -> dict[str, Any]:
    if "params" not in table:
        return table
    params = {}
    for listed in table["params"]:
        rest = dict(listed)
        params[rest.pop("name")] = rest
    return {**table, "params": params}


def _kind(found: dict[str, Any]) -> Kind:
    shell = found.pop("shell", None)
    kind: Kind = next(found.pop(key) for key in KINDS if key in found)
    if shell is not None and isinstance(kind, Command) and kind.line is not None:
        return Command(line=kind.line, shell=shell)
    return kind


def _retry(found: dict[str, Any]) -> RetryPolicy:
    if RETRY_FIELDS.keys().isdisjoint(found):
        return _NO_RETRY
    given = {field: found.pop(key) for key, field in RETRY_FIELDS.items() if key in found}
    if "delays" in given:
        given.setdefault("retries", len(given["delays"]))
    return RetryPolicy(**given)


def _resources(found: dict[str, Any]) -> Resources:
    if RESOURCES.isdisjoint(found):
        return _NO_LIMITS
    return Resources(**{key: found.pop(key) for key in RESOURCES & found.keys()})


def _localised(specs: Sequence[ScheduleSpec], timezone: str) -> tuple[ScheduleSpec, ...]:
    """The specs with every time made aware: one without an offset is on the wall clock of the schedule's zone.

    A spec whose times cannot be computed is left out; a whole file has been refused for it by then.
    """
    if not any(map(_has_times, specs)):
        return tuple(specs)
    found = list[ScheduleSpec]()
    for spec in specs:
        if not _has_times(spec):
            found.append(spec)
            continue
        try:
            found.append(_aware(spec, timezone))
        except (UsageError, ValueError, OverflowError):
            pass
    return tuple(found)


def _has_times(spec: ScheduleSpec) -> bool:
    return spec.expression.startswith("at ") or spec.start is not None or spec.end is not None


def _aware(spec: ScheduleSpec, timezone: str) -> ScheduleSpec:
    from jobrunner.domain.timepoint import local_to_instant
    from jobrunner.domain.zone import load_zone

    zone = load_zone(spec.timezone or timezone)

    def aware(moment: datetime) -> datetime:
        return moment if moment.tzinfo else local_to_instant(moment, zone).astimezone(zone)

    expression = spec.expression
    if expression.startswith("at "):
        expression = f"at {aware(datetime.fromisoformat(expression[3:].strip().upper())).isoformat()}"
    return ScheduleSpec(
        expression=expression,
        timezone=spec.timezone,
        jitter=spec.jitter,
        start=aware(spec.start) if spec.start else None,
        end=aware(spec.end) if spec.end else None,
    )


def _iso(value: object) -> str:
    if isinstance(value, datetime | date | time):
        return value.isoformat()
    raise TypeError(f"{type(value).__name__} is no value of TOML")


CANONICAL = json.JSONEncoder(sort_keys=True, ensure_ascii=False, separators=(",", ":"), default=_iso)

_NO_RETRY = RetryPolicy()
_NO_LIMITS = Resources()
