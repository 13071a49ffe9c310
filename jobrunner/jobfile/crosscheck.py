"""What the parts of a whole file must fulfil together: names that point somewhere, schedules that fire, no cycles."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, NamedTuple

from jobrunner.domain.job import After, HttpRequest
from jobrunner.domain.schedule import parse
from jobrunner.domain.workflow import cycles
from jobrunner.errors import ScheduleError
from jobrunner.jobfile.draft import Draft
from jobrunner.jobfile.references import ReferenceFailed, resolve
from jobrunner.jobfile.rules import unknown
from jobrunner.jobfile.words import dotted

_POINTING = frozenset({"notify", "blackout", "limits", "after"})


class Names(NamedTuple):
    """The names that a job may point to."""

    queues: Collection[str]
    notifiers: Collection[str]
    calendars: Collection[str]
    limits: Collection[str]
    jobs: Mapping[str, Draft]


def check_names(draft: Draft, names: Names) -> None:
    """Notes names that point nowhere."""
    found = draft.found
    if _POINTING.isdisjoint(found):
        return
    for key, what, known in (
        ("notify", "[notify.NAME]", names.notifiers),
        ("blackout", "[calendars.NAME]", names.calendars),
        ("limits", "[limits.NAME]", names.limits),
    ):
        for index, name in enumerate(found.get(key, ())):
            name = name.partition(":")[0]
            if name not in known:
                message = unknown(what, name, known, declare="the file has none")
                draft.fault(*_item(draft, key, index), message=message)
    if "after" in found:
        _check_parents(draft, found["after"], names.jobs)


def check_given_params(draft: Draft) -> None:
    """Notes required parameters that a fire of the schedule could not give."""
    if not draft.found.get("schedule"):
        return
    for name, param in (draft.found.get("params") or {}).items():
        if param.required:
            draft.fault(
                "params",
                name,
                message="is required, but the job has a schedule, which gives no values: give it a default",
            )


def check_schedules(draft: Draft, timezone: str) -> None:
    """Notes schedules that cannot be read or never fire."""
    for index, spec in enumerate(draft.found.get("schedule", ())):
        try:
            parse(spec, job=draft.name, timezone=timezone)
        except ScheduleError as error:
            source, path = draft.place("schedule")
            path = _schedule_path(draft, path, index)
            source.fault_as(path, f"{dotted(path)}: {error}", on_key=False)


def check_cycles(drafts: Mapping[str, Draft]) -> None:
    """Notes each cycle of parents at the first of its jobs."""
    edges = {name: draft.found["after"].jobs for name, draft in drafts.items() if "after" in draft.found}
    for cycle in cycles(edges):
        path = " after ".join(cycle[:8]) + (" after ..." if len(cycle) > 8 else "")
        drafts[cycle[0]].fault("after", message=f"makes a cycle: {path}")


class References:
    """Warns of references outside [jobrunner] that cannot be resolved here; each text is tried once."""

    def __init__(self, environ: Mapping[str, str], folder: str) -> None:
        self._environ = environ
        self._folder = folder
        self._tried: dict[str, str | None] = {}

    def check(self, draft: Draft) -> None:
        """Tries the texts of a job's environment and request."""
        for name, text in (draft.found.get("env") or {}).items():
            self._warn(draft, text, "env", name)
        if isinstance(draft.found.get("http"), HttpRequest):
            request = draft.found["http"]
            self._warn(draft, request.url, "http", "url")
            for name, text in request.headers.items():
                self._warn(draft, text, "http", "headers", name)
            if isinstance(request.body, str):
                self._warn(draft, request.body, "http", "body")
            for text in _strings(request.json):
                self._warn(draft, text, "http", "json")

    def complaint(self, text: str) -> str | None:
        """Why a text cannot be resolved here; None when it can."""
        if "${" not in text:
            return None
        if text not in self._tried:
            try:
                resolve(text, environ=self._environ, where="", folder=self._folder)
                self._tried[text] = None
            except ReferenceFailed as error:
                self._tried[text] = error.message.removeprefix(": ")
        return self._tried[text]

    def _warn(self, draft: Draft, text: str, *keys: str) -> None:
        complaint = self.complaint(text)
        if complaint:
            draft.warn(*keys, message=f"cannot be resolved here: {complaint}")


def _check_parents(draft: Draft, after: After, jobs: Mapping[str, Draft]) -> None:
    for index, name in enumerate(after.jobs):
        if name not in jobs:
            keys = _item(draft, "after", index)
            draft.fault(*keys, message=unknown("job", name, jobs, declare="the file has no other"))
    parents = [jobs[name] for name in after.jobs if name in jobs]
    given = {name for parent in parents for name in parent.found.get("params") or {}}
    for name, param in (draft.found.get("params") or {}).items():
        if param.required and name not in given:
            draft.fault(
                "params", name, message="is required, but no parent has a parameter of that name: give it a default"
            )


def _item(draft: Draft, key: str, index: int) -> tuple[str | int, ...]:
    """The path of an element of a list, of the value itself where it stands alone, of ``jobs`` in a table."""
    raw = draft.table.get(key)
    if isinstance(raw, list):
        return key, index
    if isinstance(raw, dict):
        return (key, "jobs", index) if isinstance(raw.get("jobs"), list) else (key, "jobs")
    return (key,)


def _schedule_path(draft: Draft, path: tuple[str | int, ...], index: int) -> tuple[str | int, ...]:
    raw: Any = draft.table.get("schedule")
    if isinstance(raw, list):
        path, raw = (*path, index), raw[index]
    if isinstance(raw, dict):
        path = (*path, next((key for key in ("cron", "every", "at") if key in raw), "cron"))
    return path


def _strings(value: Any) -> list[str]:
    if isinstance(value, str):
        return [value]
    if isinstance(value, dict):
        return [text for inner in value.values() for text in _strings(inner)]
    if isinstance(value, list):
        return [text for inner in value for text in _strings(inner)]
    return []
