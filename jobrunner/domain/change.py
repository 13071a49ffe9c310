"""What it means to load another jobs.toml: jobs that come, go and change, and fires gained and lost. Pure.

Used by every way to edit the file, by ``diff``, and to say what changed since a job last succeeded.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from itertools import islice
from typing import Any, NamedTuple

from jobrunner.domain.clock import from_micros, to_micros
from jobrunner.domain.due import Due
from jobrunner.domain.job import Job
from jobrunner.domain.jobfile import Jobfile
from jobrunner.domain.words import describe

AHEAD = timedelta(days=7)
"""How far fires are compared."""

MOST_FIRES = 20_000
"""Fires of a job that are looked at: more than two a minute for a week is not counted to the end."""

_SHOWN_FIRES = 3
_MASK = "***"
_DECIDES_FIRES = frozenset({"schedule", "enabled", "shadow", "timezone"})
_NOT_SHOWN = frozenset({"path", "folder", "include"})
_AT_START = frozenset(
    {"store", "broker", "workers", "queues", "shutdown_timeout", "durability", "reload", "lost_after"}
)


class KeyChange(NamedTuple):
    """A key and its value before and after, as the file writes them; ``None`` where it has none."""

    key: str
    before: Any
    after: Any


class FireChange(NamedTuple):
    """Fires of the coming week that one of two definitions has and the other has not: how many, and the first few.

    ``counted`` is False where there are more than are looked at: then the numbers are at least.
    """

    before: tuple[str, ...]
    after: tuple[str, ...]
    gained: int
    lost: int
    first_gained: tuple[datetime, ...]
    first_lost: tuple[datetime, ...]
    counted: bool


class JobChange(NamedTuple):
    """A job whose definition is another: the keys, and its fires where they are others. ``was`` is its former name."""

    job: str
    keys: tuple[KeyChange, ...]
    fires: FireChange | None
    was: str | None = None


class Meaning(NamedTuple):
    """What loading a file changes. ``restart`` names the settings that servers read only when they start."""

    added: tuple[JobChange, ...]
    removed: tuple[JobChange, ...]
    renamed: tuple[JobChange, ...]
    changed: tuple[JobChange, ...]
    settings: tuple[KeyChange, ...]
    restart: tuple[str, ...]

    @property
    def nothing(self) -> bool:
        """Whether it means the same."""
        return not (self.added or self.removed or self.renamed or self.changed or self.settings)

    @property
    def jobs(self) -> tuple[str, ...]:
        """The names, in force now, of the jobs that are taken out, renamed or changed."""
        return tuple(one.was or one.job for one in (*self.removed, *self.renamed, *self.changed))


def meaning(before: Jobfile, after: Jobfile, now: datetime) -> Meaning:
    """What it means to load ``after`` where ``before`` is in force. Days of calendars are not taken off the fires."""
    gone = {name: before.jobs[name] for name in sorted(before.jobs.keys() - after.jobs.keys())}
    come = {name: after.jobs[name] for name in sorted(after.jobs.keys() - before.jobs.keys())}
    renamed = dict(_renamed(gone, come))
    both = [(before.jobs[name], after.jobs[name]) for name in sorted(before.jobs.keys() & after.jobs.keys())]
    settings = tuple(_settings(before, after))
    return Meaning(
        added=tuple(_change(None, job, now) for name, job in come.items() if name not in renamed.values()),
        removed=tuple(_change(job, None, now) for name, job in gone.items() if name not in renamed),
        renamed=tuple(_change(gone[old], come[new], now) for old, new in renamed.items()),
        changed=tuple(
            change for old, new in both if (change := _change(old, new, now)).keys or change.fires is not None
        ),
        settings=settings,
        restart=tuple(one.key for one in settings if one.key in _AT_START),
    )


def keys_changed(before: str | None, after: str | None) -> tuple[KeyChange, ...]:
    """The keys in which two definitions (``Job.definition``) differ; None is a job that is not there.

    ``env`` and ``params`` are compared name by name. The value of a secret parameter is not told.
    """
    old, new = _table(before), _table(after)
    names = [*old, *(name for name in new if name not in old)]
    return tuple(
        KeyChange(name, old.get(name), new.get(name))
        for name in names
        if json.dumps(old.get(name)) != json.dumps(new.get(name))
    )


def _fire_change(old: Job | None, new: Job | None, now: datetime) -> FireChange | None:
    """How the fires of a job become others; None where they stay."""
    was, becomes = _fires(old, now), _fires(new, now)
    before, after = (tuple(_words(job)) if job else () for job in (old, new))
    gained, lost = sorted(becomes - was), sorted(was - becomes)
    if not gained and not lost and before == after:
        return None
    return FireChange(
        before=before,
        after=after,
        gained=len(gained),
        lost=len(lost),
        first_gained=tuple(map(from_micros, gained[:_SHOWN_FIRES])),
        first_lost=tuple(map(from_micros, lost[:_SHOWN_FIRES])),
        counted=max(len(was), len(becomes)) < MOST_FIRES,
    )


def _fires(job: Job | None, now: datetime) -> set[int]:
    if job is None or not job.schedules or not job.enabled or job.shadow:
        return set()
    return set(islice(Due(job).fires(to_micros(now), to_micros(now + AHEAD)), MOST_FIRES))


def _words(job: Job) -> Iterator[str]:
    for spec in job.schedules:
        zone = f" ({spec.timezone or job.timezone})"
        yield f"{describe(spec.expression, job=job.name)}{zone}"


def _change(old: Job | None, new: Job | None, now: datetime) -> JobChange:
    job = new or old
    assert job is not None
    keys = keys_changed(old.definition, new.definition) if old and new else ()
    renamed = old is not None and new is not None and old.name != new.name
    # H depends on the name.
    other_fires = old is None or new is None or renamed or any(one.key in _DECIDES_FIRES for one in keys)
    return JobChange(
        job=job.name,
        keys=keys,
        fires=_fire_change(old, new, now) if other_fires else None,
        was=old.name if renamed and old else None,
    )


def _renamed(gone: Mapping[str, Job], come: Mapping[str, Job]) -> Iterator[tuple[str, str]]:
    """Pairs of an old and a new name with the same definition, where there is no doubt which is which."""
    old, new = _by_definition(gone), _by_definition(come)
    for text, names in old.items():
        if len(names) == 1 and len(new.get(text, ())) == 1:
            yield names[0], new[text][0]


def _by_definition(jobs: Mapping[str, Job]) -> dict[str, list[str]]:
    found = dict[str, list[str]]()
    for name, job in jobs.items():
        found.setdefault(job.definition, []).append(name)
    return found


def _settings(before: Jobfile, after: Jobfile) -> Iterator[KeyChange]:
    old, new = before.settings._asdict(), after.settings._asdict()
    for key in old:
        if key not in _NOT_SHOWN and old[key] != new[key]:
            secret = key in ("store", "broker")
            yield KeyChange(key, *(_MASK if secret else value for value in (old[key], new[key])))
    for key in ("notifiers", "calendars", "limits"):
        was, becomes = getattr(before, key), getattr(after, key)
        for name in sorted(was.keys() | becomes.keys()):
            if was.get(name) != becomes.get(name):
                yield KeyChange(f"{_TABLES[key]}.{name}", name in was or None, name in becomes or None)


_TABLES = {"notifiers": "notify", "calendars": "calendars", "limits": "limits"}


def _table(definition: str | None) -> dict[str, Any]:
    if definition is None:
        return {}
    parts = json.loads(definition)
    table = dict(parts["job"]) | {"timezone": parts["timezone"], "folder": parts["folder"]}
    for param in table.pop("params", ()):
        shown = {key: _MASK if key == "default" and param.get("secret") else param[key] for key in param}
        table[f"params.{shown.pop('name')}"] = shown
    for name, value in table.pop("env", {}).items():
        table[f"env.{name}"] = value
    return table
