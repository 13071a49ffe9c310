"""What jobs are surrounded with, such as folder and user: what all of them share goes to [defaults]. Called by both
imports."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from textwrap import TextWrapper
from typing import Any, NamedTuple

from jobrunner.domain.params import escape
from jobrunner.jobfile.imports.writing import Default, ImportedJob

_WRAPPER = TextWrapper(108, subsequent_indent="  ", break_long_words=False, break_on_hyphens=False)
_ORDER = (
    "description",
    "command",
    "shell",
    "cwd",
    "user",
    "env",
    "umask",
    "nice",
    "schedule",
    "catchup",
    "catchup_window",
    "timeout",
    "kill_grace",
    "retries",
    "retry_delays",
    "memory_max",
    "cpu_time",
    "open_files",
    "processes",
)


class Found(NamedTuple):
    """A job before it is known what all of them share.

    ``keys`` are its own, with a list as ``command`` as it is to be run; ``surroundings`` those that may be shared,
    variables as ``env.NAME``.
    """

    name: str
    keys: Mapping[str, Any]
    surroundings: Mapping[str, str]
    above: tuple[str, ...]


def remarks_above(said: Sequence[str]) -> tuple[str, ...]:
    """Remarks as lines of comments above a job."""
    return tuple(line for text in said for line in _WRAPPER.wrap(text))


def shared(jobs: Sequence[Found]) -> dict[str, str]:
    """The surroundings that are the same for all jobs."""
    first = jobs[0].surroundings if jobs else {}
    return {key: text for key, text in first.items() if all(job.surroundings.get(key) == text for job in jobs)}


def defaults(common: Mapping[str, str], why: Mapping[str, str]) -> list[Default]:
    """The lines of [defaults] for what is shared; ``why`` are the comments by key."""
    found = [Default(key, text, why.get(key, "")) for key, text in common.items() if not key.startswith("env.")]
    return found + ([Default("env", env, why.get("env", ""))] if (env := _env(common)) else [])


def finished(job: Found, common: Mapping[str, str]) -> ImportedJob:
    """The job with those of its surroundings that not all jobs have."""
    own = {key: text for key, text in job.surroundings.items() if common.get(key) != text}
    found: dict[str, Any] = {key: text for key, text in own.items() if not key.startswith("env.")}
    if env := _env(own):
        found["env"] = env
    found |= job.keys
    if isinstance(found["command"], list):
        found.pop("shell", None)
        found["command"] = [escape(word) for word in found["command"]]
    return ImportedJob(job.name, {key: found[key] for key in _ORDER if key in found}, job.above)


def _env(surroundings: Mapping[str, str]) -> dict[str, str]:
    return {key.removeprefix("env."): text for key, text in surroundings.items() if key.startswith("env.")}
