"""A job's table in a file made to say again what an older definition said. Called by admin's editing."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import tomli

from jobrunner.errors import ConfigError, Refused
from jobrunner.jobfile.definition import table_of
from jobrunner.jobfile.draft import merge
from jobrunner.jobfile.edit import add_job, remove_value, set_value, spell
from jobrunner.jobfile.layout import Keys
from jobrunner.jobfile.source import load


class _Step(NamedTuple):
    """A key to be set, or to be removed where ``value`` is None: TOML has no such value."""

    path: Keys
    value: Any


def restored(text: str, main: str | os.PathLike[str], job: str, definition: str) -> str:
    """The text with a job's table changed, key by key, to what a definition says; a job that it lacks is added.

    ``main`` is the main file, whose [defaults] count.

    Raises:
        Refused: [defaults] have a key that the definition has not; or a key cannot be changed in place.
        ConfigError: the main file cannot be read.
    """
    source = load(os.fspath(main))
    if source.broken is not None:
        raise ConfigError([source.broken])
    defaults = source.tree.get("defaults", {})
    target = table_of(definition)
    own = tomli.loads(text).get("jobs", {}).get(job)
    if own is None:
        return add_job(text, job, {key: value for key, value in target.items() if defaults.get(key) != value})
    for step in tuple(_steps(own, merge(defaults, own), target, ())):
        path = ("jobs", job, *step.path)
        text = remove_value(text, path) if step.value is None else set_value(text, path, step.value)
    return text


def _steps(own: Mapping[str, Any], now: Mapping[str, Any], then: Mapping[str, Any], at: Keys) -> Iterator[_Step]:
    for key in now:
        if key not in then:
            if key not in own:
                raise Refused(
                    f"[defaults] now gives {spell((*at, key))}, which that version did not have",
                    hint="use `jobrunner edit`",
                )
            yield _Step((*at, key), None)
    for key, value in then.items():
        if key in now and now[key] == value and type(now[key]) is type(value):
            continue
        mine = own.get(key)
        if isinstance(mine, dict) and isinstance(value, dict):
            yield from _steps(mine, now[key], value, (*at, key))
            continue
        if isinstance(mine, dict):
            yield _Step((*at, key), None)
        yield _Step((*at, key), value)
