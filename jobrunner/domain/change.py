"""What it means to load another jobs.toml: jobs that come, go and change, and fires gained and lost. Pure.

Used by every way to edit the file, by ``diff``, and to say what changed since a job last succeeded.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date, datetime, timedelta
from functools import lru_cache
from itertools import islice
from typing import Any, NamedTuple

from jobrunner.domain.clock import from_micros, to_micros
from jobrunner.domain.cron import uses_hash
from jobrunner.domain.due import Due
from jobrunner.domain.job import Job
from jobrunner.domain.jobfile import Jobfile
from jobrunner.domain.params import MASK
from jobrunner.domain.timetable import Timed
from jobrunner.domain.version import Version, does
from jobrunner.domain.words import describe

AHEAD = timedelta(days=7)
"""How far fires are compared."""

MOST_FIRES = 20_000
"""Fires of a job that are looked at: more than two a minute for a week is not counted to the end."""

_MOST_OF_ALL = 100_000
"""Fires of all jobs together: of ten thousand jobs in another time zone each gets ten."""

_SHOWN_FIRES = 3
_REFERENCES = re.compile(r"(\$\{[^{}]*\})+")
_DECIDES_FIRES = frozenset({"schedule", "enabled", "shadow", "timezone", "blackout", "on_blackout"})
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


class InForce(NamedTuple):
    """A version that was put in force and the keys that it changed. ``renamed`` is the job's name before it, or, where
    the version took the job out, the name after it; None where neither is known."""

    version: Version
    keys: tuple[KeyChange, ...]
    renamed: str | None


class Ran(NamedTuple):
    """What a run ran, and what was another when its job last succeeded before it.

    ``version`` is the one that was in force when its last attempt started, None where it ran the definition that it
    carries. ``success`` is the run that is compared with, ``keys`` what differs; None where there is none.
    """

    version: int | None
    success: int | None
    keys: tuple[KeyChange, ...] | None


class _Seen(NamedTuple):
    """A job as one of two files has it, with the days of its blackout."""

    job: Job
    days: Mapping[str, Sequence[date]]


def meaning(before: Jobfile, after: Jobfile, now: datetime) -> Meaning:
    """What it means to load ``after`` where ``before`` is in force."""
    old, new = _seen(before), _seen(after)
    gone = {name: old[name] for name in sorted(old.keys() - new.keys())}
    come = {name: new[name] for name in sorted(new.keys() - old.keys())}
    renamed = dict(_renamed(gone, come))
    taken = set(renamed.values())
    added = [job for name, job in come.items() if name not in taken]
    removed = [job for name, job in gone.items() if name not in renamed]
    moved = [(gone[was], come[name]) for was, name in renamed.items()]
    both = [(old[name], new[name]) for name in sorted(old.keys() & new.keys()) if _differ(old[name], new[name])]
    most = max(min(MOST_FIRES, _MOST_OF_ALL // (len(added) + len(removed) + len(moved) + len(both) + 1)), 1)
    settings = tuple(_settings(before, after))
    return Meaning(
        added=tuple(_change(None, job, now, most) for job in added),
        removed=tuple(_change(job, None, now, most) for job in removed),
        renamed=tuple(_change(was, job, now, most) for was, job in moved),
        changed=tuple(
            change for was, job in both if (change := _change(was, job, now, most)).keys or change.fires is not None
        ),
        settings=settings,
        restart=tuple(one.key for one in settings if one.key in _AT_START),
    )


def keys_changed(before: str | None, after: str | None) -> tuple[KeyChange, ...]:
    """The keys in which two definitions (``Job.definition``) differ; None is a job that is not there.

    ``env`` and ``params`` are compared name by name. Of what may be a secret it is told that it changed, not what it
    is: defaults of secret parameters; values of ``env`` and of HTTP headers that are not references.
    """
    old, new = _table(before), _table(after)
    names = [*old, *(name for name in new if name not in old)]
    return tuple(
        KeyChange(name, _masked(name, old.get(name)), _masked(name, new.get(name)))
        for name in names
        if repr(old.get(name)) != repr(new.get(name))
    )


def shown(definition: str) -> dict[str, Any]:
    """The keys of a definition (``Job.definition``), masked as those of ``keys_changed``."""
    table: dict[str, Any] = json.loads(definition)["job"]
    for param in table.get("params", ()):
        param |= _masked("params.", param)
    if "env" in table:
        table["env"] = {name: _masked("env.", value) for name, value in table["env"].items()}
    return table | {key: _masked(key, table[key]) for key in table.keys() & {"http"}}


def _seen(file: Jobfile) -> dict[str, _Seen]:
    days = {name: calendar.dates for name, calendar in file.calendars.items()}
    return {
        name: _Seen(job, {one: days.get(one, ()) for one in job.blackout} if job.blackout else {})
        for name, job in file.jobs.items()
    }


def _differ(old: _Seen, new: _Seen) -> bool:
    return old.job.definition != new.job.definition or old.days != new.days


def _fire_change(old: _Seen | None, new: _Seen | None, now: datetime, most: int) -> FireChange | None:
    """How the fires of a job become others; None where they stay."""
    was, becomes = _fires(old, now, most), _fires(new, now, most)
    # What lies beyond the last that was looked at of one cannot be compared with the other.
    cut = min((fires[-1] for fires in (was, becomes) if len(fires) == most), default=None)
    before, after = (tuple(_words(seen.job)) if seen else () for seen in (old, new))
    gained, lost = _without(becomes, was, cut), _without(was, becomes, cut)
    if not gained and not lost and before == after:
        return None
    return FireChange(
        before=before,
        after=after,
        gained=len(gained),
        lost=len(lost),
        first_gained=tuple(map(from_micros, gained[:_SHOWN_FIRES])),
        first_lost=tuple(map(from_micros, lost[:_SHOWN_FIRES])),
        counted=cut is None,
    )


def _without(fires: Sequence[int], others: Sequence[int], cut: int | None) -> list[int]:
    known = set(others)
    return [at for at in fires if at not in known and (cut is None or at <= cut)]


def _fires(seen: _Seen | None, now: datetime, most: int) -> list[int]:
    """The fires of the coming week in order, at most so many; those of days on which the job does not fire are none."""
    if seen is None or not seen.job.schedules or not seen.job.enabled or seen.job.shadow:
        return []
    found: Iterator[int] = Due(seen.job).fires(to_micros(now), to_micros(now + AHEAD))
    if seen.days and seen.job.on_blackout == "skip":
        timed = Timed.of(seen.job, calendars=seen.days)
        found = (at for at in found if timed.off(from_micros(at)) is None)
    return list(islice(found, most))


def _words(job: Job) -> Iterator[str]:
    for spec in job.schedules:
        zone = f" ({spec.timezone or job.timezone})"
        # Ten thousand jobs have few schedules, unless H makes one for each.
        yield f"{_described(spec.expression, job.name if uses_hash(spec.expression) else '')}{zone}"


@lru_cache(maxsize=1000)
def _described(expression: str, job: str) -> str:
    return describe(expression, job=job)


def _change(old: _Seen | None, new: _Seen | None, now: datetime, most: int) -> JobChange:
    seen = new or old
    assert seen is not None
    keys = keys_changed(old.job.definition, new.job.definition) if old and new else ()
    renamed = old is not None and new is not None and old.job.name != new.job.name
    other_fires = (
        old is None
        or new is None
        or renamed  # H depends on the name
        or old.days != new.days
        or any(one.key in _DECIDES_FIRES for one in keys)
    )
    return JobChange(
        job=seen.job.name,
        keys=keys,
        fires=_fire_change(old, new, now, most) if other_fires else None,
        was=old.job.name if renamed and old else None,
    )


def _renamed(gone: Mapping[str, _Seen], come: Mapping[str, _Seen]) -> Iterator[tuple[str, str]]:
    """Pairs of an old and a new name with the same definition, or else one that does the same; where there is no doubt
    which is which."""
    for what in (str, does):
        old, new = _by_definition(gone, what), _by_definition(come, what)
        pairs = [(names[0], new[text][0]) for text, names in old.items() if len(names) == 1 == len(new.get(text, ()))]
        yield from pairs
        gone = {name: gone[name] for name in gone.keys() - {was for was, _ in pairs}}
        come = {name: come[name] for name in come.keys() - {name for _, name in pairs}}


def _by_definition(jobs: Mapping[str, _Seen], what: Callable[[str], str]) -> dict[str, list[str]]:
    found = dict[str, list[str]]()
    for name, seen in jobs.items():
        found.setdefault(what(seen.job.definition), []).append(name)
    return found


def _settings(before: Jobfile, after: Jobfile) -> Iterator[KeyChange]:
    old, new = before.settings._asdict(), after.settings._asdict()
    for key in old:
        if key not in _NOT_SHOWN and old[key] != new[key]:
            secret = key in ("store", "broker")
            yield KeyChange(key, *(MASK if secret else value for value in (old[key], new[key])))
    for key in ("notifiers", "calendars", "limits"):
        was, becomes = getattr(before, key), getattr(after, key)
        for name in sorted(was.keys() | becomes.keys()):
            if was.get(name) != becomes.get(name):
                yield KeyChange(f"{_TABLES[key]}.{name}", name in was or None, name in becomes or None)


_TABLES = {"notifiers": "notify", "calendars": "calendars", "limits": "limits"}


def _table(definition: str | None) -> dict[str, Any]:
    """The keys of a definition, with those of ``env`` and ``params`` beside them; no secret is masked yet."""
    if definition is None:
        return {}
    parts = json.loads(definition)
    table = dict(parts["job"]) | {"timezone": parts["timezone"], "folder": parts["folder"]}
    for param in table.pop("params", ()):
        table[f"params.{param.pop('name')}"] = param
    for name, value in table.pop("env", {}).items():
        table[f"env.{name}"] = value
    return table


def _masked(key: str, value: Any) -> Any:
    if key.startswith("params.") and value and value.get("secret") and "default" in value:
        return value | {"default": MASK}
    if key.startswith("env.") and value is not None:
        return _unless_reference(value)
    if key == "http" and isinstance(value, dict) and value.get("headers"):
        return value | {"headers": {name: _unless_reference(text) for name, text in value["headers"].items()}}
    return value


def _unless_reference(text: str) -> str:
    return text if _REFERENCES.fullmatch(text) else MASK
