"""A whole configuration, checked in all its parts and built where it is sound. Used by ``reader``."""

from __future__ import annotations

import gc
import hashlib
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import date
from typing import Any, NamedTuple

from jobrunner.domain.job import Job
from jobrunner.domain.jobfile import Calendar, Jobfile, Notifier
from jobrunner.domain.settings import Settings
from jobrunner.errors import Problem
from jobrunner.jobfile import crosscheck, zones
from jobrunner.jobfile.calendars import read_days
from jobrunner.jobfile.definition import CANONICAL, build, definition_text, table_text
from jobrunner.jobfile.draft import Defaults, Draft, draft, name_fault
from jobrunner.jobfile.files import AS_THEY_ARE, Files
from jobrunner.jobfile.job_keys import JOB
from jobrunner.jobfile.keys import CALENDAR, EVENTS, LIMIT, NOTIFIER, no_effect
from jobrunner.jobfile.rules import check_draft, check_queue
from jobrunner.jobfile.settings import read_settings_of
from jobrunner.jobfile.shapes import INVALID, NAME, NAME_PATTERN
from jobrunner.jobfile.tables import Table, rule
from jobrunner.jobfile.words import quoted


class CheckResult(NamedTuple):
    """What ``check`` found: every fault and every warning, by file and line; ``jobs`` counts those of the file."""

    valid: bool
    jobs: int
    problems: tuple[Problem, ...]
    warnings: tuple[Problem, ...]


class Whole:
    """All files of a configuration. ``jobfile`` is None where they have faults; ``job_count`` counts tables of jobs."""

    def __init__(
        self,
        path: str | os.PathLike[str],
        environ: Mapping[str, str],
        instead: Mapping[str, str] = AS_THEY_ARE,
    ) -> None:
        self.jobfile: Jobfile | None = None
        self.job_count = 0
        with _no_collection():
            self.files = Files(path, instead)
            if self.files.main.broken is None:
                self._read(environ)

    def _read(self, environ: Mapping[str, str]) -> None:
        files = self.files
        files.check_top()
        settings = read_settings_of(files.main, files.sources, path=files.path, environ=environ)
        folder = os.path.dirname(os.path.abspath(files.path))
        references = crosscheck.References(environ, folder)
        drafts = read_drafts(files)
        self.job_count = len(drafts)
        notifiers = self._notifiers(references)
        calendars = self._calendars(folder)
        limits = {name: table.get("max", 0) for name, table in self._named("limits", LIMIT, "a limit").items()}
        names = crosscheck.Names(
            queues=settings.queues if settings else (),
            notifiers=notifiers,
            calendars=calendars,
            limits=limits,
            jobs=drafts,
        )
        self._check(drafts, names, settings, references)
        self._warn_not_yet(drafts)
        if settings is not None and all(source.sound for source in files.sources):
            days = {name: calendar.dates for name, calendar in calendars.items() if calendar.file is not None}
            jobs, digest = _build(drafts, settings, files, days)
            self.jobfile = Jobfile(
                settings=settings,
                jobs=jobs,
                notifiers=notifiers,
                calendars=calendars,
                limits=limits,
                config_hash=digest,
            )

    def _check(
        self,
        drafts: Mapping[str, Draft],
        names: crosscheck.Names,
        settings: Settings | None,
        references: crosscheck.References,
    ) -> None:
        timezone = settings.timezone if settings else zones.host_zone({})
        for made in drafts.values():
            check_draft(made)
            if settings is not None:
                check_queue(made, names.queues)
            crosscheck.check_names(made, names)
            crosscheck.check_given_params(made)
            crosscheck.check_schedules(made, timezone)
            references.check(made)
        crosscheck.check_cycles(drafts)

    def _notifiers(self, references: crosscheck.References) -> dict[str, Notifier]:
        found = {}
        for name, table in self._named("notify", NOTIFIER, "a notifier").items():
            found[name] = Notifier(name=name, url=table.get("url", ""), on=table.get("on", EVENTS))
            complaint = references.complaint(found[name].url)
            if complaint:
                source, _ = self.files.tables("notify")[name]
                source.warn(("notify", name, "url"), f"cannot be resolved here: {complaint}")
        return found

    def _calendars(self, folder: str) -> dict[str, Calendar]:
        found = {}
        for name, table in self._named("calendars", CALENDAR, "a calendar").items():
            dates, file = table.get("dates", ()), None
            if "file" in table:
                file = os.path.join(folder, table["file"])
                days, complaint = read_days(file)
                dates = tuple(sorted({*dates, *days}))
                if complaint is not None:
                    source, _ = self.files.tables("calendars")[name]
                    source.fault(("calendars", name, "file"), f"{quoted(table['file'])} {complaint}")
            found[name] = Calendar(name=name, dates=dates, file=file)
        return found

    def _named(self, top: str, shape: Table, like: str) -> dict[str, dict[str, Any]]:
        """The tables under [``top``.NAME] by name; a faulty one is there too, so that its name can be pointed to."""
        found = {}
        for name, (source, table) in self.files.tables(top).items():
            if not NAME.fullmatch(name):
                source.fault_as((top, name), f"{quoted(name)} cannot name {like}: {rule(NAME_PATTERN)}")
            read = shape.read(table, (top, name), source)
            found[name] = {} if read is INVALID else read
        return found

    def _warn_not_yet(self, drafts: Mapping[str, Draft]) -> None:
        for source in self.files.sources:
            for path in _paths(source.tree):
                if (remark := no_effect(path)) is not None:
                    source.warn(path, remark, on_key=True)
        remarks = {key: remark for key in JOB.keys if (remark := no_effect(("jobs", "*", key))) is not None}
        for name, made in drafts.items():
            for key in remarks.keys() & made.own.keys():
                made.source.warn(("jobs", name, key), remarks[key], on_key=True)


def read_drafts(files: Files, *, strict: bool = True) -> dict[str, Draft]:
    """Every job of every file as a draft, in the order of the files; ``strict`` False leaves schedules aside."""
    defaults = Defaults(files.main, strict=strict)
    drafts = {}
    for name, (source, table) in files.tables("jobs").items():
        complaint = name_fault(name)
        if complaint:
            source.fault_as(("jobs", name), complaint)
        drafts[name] = draft(name, source, table, defaults, strict=strict)
    return drafts


def _build(
    drafts: Mapping[str, Draft], settings: Settings, files: Files, days: Mapping[str, tuple[date, ...]]
) -> tuple[dict[str, Job], str]:
    digest = hashlib.sha256(_rest(settings, files).encode())
    if days:
        digest.update(CANONICAL.encode(days).encode())
    jobs, folder, timezone = dict[str, Job](), settings.folder, settings.timezone
    for name in sorted(drafts):
        text = table_text(drafts[name].table)
        digest.update(f"\n{name} {text}".encode(errors="surrogatepass"))
        definition = definition_text(text, folder=folder, timezone=timezone)
        jobs[name] = build(drafts[name], folder=folder, timezone=timezone, definition=definition)
    return jobs, digest.hexdigest()[:12]


def _rest(settings: Settings, files: Files) -> str:
    """The canonical text of all that is not jobs; in which file a table stands means nothing."""
    own = {key: value for key, value in files.main.tree.get("jobrunner", {}).items() if key != "include"}
    tables = {top: {name: table for name, (_, table) in files.tables(top).items()} for top in _NAMED}
    retention = files.main.tree.get("retention", {})
    return CANONICAL.encode({**tables, "jobrunner": {**own, "timezone": settings.timezone}, "retention": retention})


def _paths(tree: Mapping[str, Any]) -> list[tuple[str, ...]]:
    """The paths in a file that ``no_effect`` may know, those of jobs aside."""
    paths: list[tuple[str, ...]] = [(top,) for top in tree]
    for top in ("jobrunner", "defaults"):
        table = tree.get(top)
        paths.extend((top, key) for key in (table if isinstance(table, dict) else ()))
    queues = tree.get("queues")
    for name, table in queues.items() if isinstance(queues, dict) else ():
        paths.extend(("queues", name, key) for key in (table if isinstance(table, dict) else ()))
    return paths


@contextmanager
def _no_collection() -> Iterator[None]:
    """Of 100,000 jobs nothing is garbage while they are read, and looking for it again and again takes a third more."""
    collects = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collects:
            gc.enable()


_NAMED = ("queues", "notify", "calendars", "limits")
