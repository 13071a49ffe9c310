"""The files of a configuration: the main one and those that it includes, and the tables that they hold together."""

from __future__ import annotations

import os
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from jobrunner.errors import Problem
from jobrunner.jobfile.include import expand, is_pattern
from jobrunner.jobfile.keys import JOBRUNNER, MAIN_ONLY, TOP
from jobrunner.jobfile.shapes import INVALID
from jobrunner.jobfile.source import Source, load, parse
from jobrunner.jobfile.words import meant, quoted

AS_THEY_ARE: Mapping[str, str] = MappingProxyType({})
"""For ``instead``: every file holds what it holds."""


class Files:
    """``main`` and ``includes`` as read; every fault is noted in the source that has it.

    ``instead`` has texts by real path that take the place of what those files hold: what would be if they were written.
    ``without_jobs``: tables of jobs are passed over, as far as that is easy, but those of job ``but``.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        instead: Mapping[str, str] = AS_THEY_ARE,
        *,
        without_jobs: bool = False,
        but: str | None = None,
    ) -> None:
        self.path = os.fspath(path)
        self._without_jobs = without_jobs
        self._but = but
        self._instead = instead
        self._paths = dict[Source, str]()
        self.repeated: set[tuple[str, str]] = set()
        self.main = self._source(self.path)
        self.includes = self._included()

    @property
    def sources(self) -> list[Source]:
        """The main file first, then the others by name."""
        return [self.main, *self.includes]

    def path_of(self, source: Source) -> str:
        """Where the file is."""
        return self._paths[source]

    def problems(self) -> tuple[Problem, ...]:
        """Every fault, by file and line."""
        return tuple(problem for source in self.sources for problem in source.problems())

    def warnings(self) -> tuple[Problem, ...]:
        """Every warning, by file and line."""
        return tuple(warning for source in self.sources for warning in source.warnings())

    def check_top(self) -> None:
        """Notes unknown tables, and tables that only the main file may have."""
        for source in self.sources:
            for name in source.tree:
                if name not in TOP:
                    source.fault_as((name,), _unknown_table(name))
                elif name in MAIN_ONLY and source is not self.main:
                    source.fault_as((name,), f"[{name}] belongs into {self.main.name}; an included file cannot have it")

    def tables(self, top: str) -> dict[str, tuple[Source, Any]]:
        """The tables under [``top``.NAME] of all files, by name; a name that comes twice is noted as a fault."""
        found: dict[str, tuple[Source, Any]] = {}
        for source in self.sources:
            named = source.tree.get(top, {})
            if not isinstance(named, dict):
                source.fault((top,), f"must hold tables, [{top}.NAME]")
                continue
            for name, table in named.items():
                if name in found:
                    self.repeated.add((top, name))
                    _note_twice(top, name, source, found[name][0])
                else:
                    found[name] = (source, table)
        return found

    def _included(self) -> list[Source]:
        table = self.main.tree.get("jobrunner")
        written = table.get("include") if isinstance(table, dict) else None
        at = ("jobrunner", "include")
        # Faults of the value are noted with the rest of [jobrunner]; here it only has to be usable.
        patterns = JOBRUNNER.keys["include"].shape.read(written or [], at, Source(self.main.name))
        if patterns is INVALID:
            return []
        found: dict[str, Source] = {}
        own = os.path.realpath(self.path)
        for index, pattern in enumerate(patterns):
            place = (*at, index) if isinstance(written, list) else at
            self._expand(pattern, place, own, found)
        return [found[name] for name in sorted(found)]

    def _expand(self, pattern: str, place: tuple[str | int, ...], own: str, found: dict[str, Source]) -> None:
        paths = expand(pattern, os.path.dirname(self.path))
        if not paths:
            self.main.warn(place, f"matches no file: {quoted(pattern)}")
        for path in paths:
            if os.path.realpath(path) == own:
                if not is_pattern(pattern):
                    self.main.fault(place, "is this file itself")
            elif path not in found:
                found[path] = self._load(path, place, named=not is_pattern(pattern))

    def _load(self, path: str, place: tuple[str | int, ...], *, named: bool) -> Source:
        if named and not os.path.exists(path):
            self.main.fault(place, f"names a file that does not exist: {quoted(path)}")
            return Source(path)
        return self._source(path)

    def _source(self, path: str) -> Source:
        text = self._instead.get(os.path.realpath(path)) if self._instead else None
        source = load(path, without_jobs=self._without_jobs, but=self._but) if text is None else parse(path, text)
        self._paths[source] = path
        return source


def _unknown_table(name: str) -> str:
    if name in JOBRUNNER.keys:
        return f"unknown key {quoted(name)} at the top of the file; it belongs into [jobrunner]"
    return f"unknown table {quoted(name)} at the top of the file; {meant(name, TOP)}"


def _note_twice(top: str, name: str, source: Source, first: Source) -> None:
    line, _ = first.position((top, name))
    source.fault((top, name), f"is defined twice; first in {first.name}:{line}", on_key=True)
