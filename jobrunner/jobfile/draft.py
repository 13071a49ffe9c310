"""One job of the file on its way to a Job: its own keys, those of [defaults], and where each of them stands."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from jobrunner.jobfile.job_keys import JOB
from jobrunner.jobfile.kind_forms import KINDS
from jobrunner.jobfile.shapes import INVALID, NAME
from jobrunner.jobfile.source import Path, Source
from jobrunner.jobfile.words import quoted

_MERGED = ("env", "params")
_CURVE = frozenset({"retry_delay", "retry_backoff", "retry_max_delay", "retry_jitter"})
_SCHEDULE = frozenset({"schedule"})


class Draft:
    """A job by name: ``own`` and ``table`` are raw, the latter with the defaults merged in; ``found`` is what the
    sound keys of the table mean. ``readable`` is False where the job is no table at all."""

    __slots__ = ("defaults", "found", "main", "name", "own", "readable", "source", "table")

    def __init__(self, name: str, source: Source, own: Any, defaults: Defaults, found: dict[str, Any]) -> None:
        self.name = name
        self.source = source
        self.main = defaults.source
        self.readable = isinstance(own, dict)
        self.own: Mapping[str, Any] = own if self.readable else {}
        self.defaults = defaults.table
        self.table = merge(defaults.table, self.own)
        self.found = merge(defaults.found, found)

    def place(self, *keys: str | int) -> tuple[Source, Path]:
        """Where a key of the job stands: in its own table, or else in [defaults]."""
        if not _within(self.own, keys) and _within(self.defaults, keys):
            return self.main, ("defaults", *keys)
        return self.source, ("jobs", self.name, *keys)

    def fault(self, *keys: str | int, message: str, on_key: bool = False) -> None:
        """Notes a fault at a key of the job."""
        source, path = self.place(*keys)
        source.fault(path, message, on_key=on_key)

    def warn(self, *keys: str | int, message: str, on_key: bool = False) -> None:
        """Notes a warning at a key of the job."""
        source, path = self.place(*keys)
        source.warn(path, message, on_key=on_key)


class Defaults:
    """[defaults] as written and as read; ``strict`` False leaves faults of its schedule aside."""

    def __init__(self, source: Source, *, strict: bool = True) -> None:
        self.source = source
        raw = source.tree.get("defaults", {})
        self.table: Mapping[str, Any] = raw if isinstance(raw, dict) else {}
        self.found = read_keys(raw, ("defaults",), source, strict=strict)


def draft(name: str, source: Source, own: Any, defaults: Defaults, *, strict: bool = True) -> Draft:
    """Reads a job's table, noting its faults; ``strict`` False leaves faults of its schedule aside."""
    found = read_keys(own, ("jobs", name), source, strict=strict)
    return Draft(name, source, own, defaults, found)


def read_keys(table: Any, at: Path, source: Source, *, strict: bool) -> dict[str, Any]:
    """The meaning of the sound keys of a job's table."""
    found = JOB.read_keys(table, at, source, skip=frozenset() if strict else _SCHEDULE)
    if found is INVALID:
        return {}
    if not strict and "schedule" in table:
        schedules = JOB.keys["schedule"].shape.read(table["schedule"], (*at, "schedule"), Source(source.name))
        if schedules is not INVALID:
            found["schedule"] = schedules
    sound: dict[str, Any] = found
    return sound


def merge(defaults: Mapping[str, Any], own: Mapping[str, Any]) -> Mapping[str, Any]:
    """A job's table over [defaults]: its own values replace, ``env`` and ``params`` are merged by name.

    Keys that exclude each other give way to the job's own: what to run, and the two ways to say how long to wait
    before a repetition.
    """
    if not defaults:
        return own
    merged = {**defaults, **own}
    if any(kind in own for kind in KINDS):
        for kind in KINDS:
            if kind not in own:
                merged.pop(kind, None)
    if "retry_delays" not in own and not _CURVE.isdisjoint(own):
        merged.pop("retry_delays", None)
    for key in _MERGED:
        if isinstance(defaults.get(key), dict) and isinstance(own.get(key), dict):
            merged[key] = {**defaults[key], **own[key]}
    return merged


def _within(table: Mapping[str, Any], keys: tuple[str | int, ...]) -> bool:
    first = table.get(keys[0]) if keys and isinstance(keys[0], str) else None
    if len(keys) > 1 and keys[0] in _MERGED:
        return isinstance(first, dict) and keys[1] in first
    return first is not None


def name_fault(name: str) -> str | None:
    """Why a text cannot be the name of a job; None when it can."""
    if not NAME.fullmatch(name):
        return (
            f"{quoted(name)} cannot name a job: letters, digits, dots, dashes and underscores, at most 100, beginning "
            "with a letter or digit"
        )
    if name.isdigit():
        return f"{quoted(name)} cannot name a job: it looks like the id of a run"
    if name[0] == "b" and name[1:].isdigit():
        return f"{quoted(name)} cannot name a job: it looks like the id of a batch"
    return None
