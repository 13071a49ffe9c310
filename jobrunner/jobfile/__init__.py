"""jobs.toml: found, read with located errors, described as JSON Schema. Used by wiring, admin, server and cli.

Nothing is imported before it is asked for, since shell completion and ``trigger`` pay for every import.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from jobrunner.jobfile.apart import read_apart as read_apart
    from jobrunner.jobfile.definition import adhoc as adhoc
    from jobrunner.jobfile.definition import job_from_definition as job_from_definition
    from jobrunner.jobfile.json_schema import schema as schema
    from jobrunner.jobfile.location import locate as locate
    from jobrunner.jobfile.names import job_names as job_names
    from jobrunner.jobfile.reader import check as check
    from jobrunner.jobfile.reader import home_of as home_of
    from jobrunner.jobfile.reader import read as read
    from jobrunner.jobfile.reader import read_job as read_job
    from jobrunner.jobfile.reader import read_settings as read_settings
    from jobrunner.jobfile.reader import read_settings_alone as read_settings_alone
    from jobrunner.jobfile.secrets import secrets_of as secrets_of
    from jobrunner.jobfile.starter_text import starter as starter
    from jobrunner.jobfile.whole import CheckResult as CheckResult

_HOMES = {
    "CheckResult": "whole",
    "adhoc": "definition",
    "check": "reader",
    "home_of": "reader",
    "job_from_definition": "definition",
    "job_names": "names",
    "locate": "location",
    "read": "reader",
    "read_apart": "apart",
    "read_job": "reader",
    "read_settings": "reader",
    "read_settings_alone": "reader",
    "schema": "json_schema",
    "secrets_of": "secrets",
    "starter": "starter_text",
}

__all__ = list(_HOMES)


def __getattr__(name: str) -> Any:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f"{__name__}.{home}"), name)
    globals()[name] = value
    return value
