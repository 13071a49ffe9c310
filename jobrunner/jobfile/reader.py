"""jobs.toml, read: the whole for servers, parts of it for commands that need no more. Called by wiring and cli."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from jobrunner.domain.job import Job
from jobrunner.domain.settings import Settings
from jobrunner.errors import ConfigError, NotFound
from jobrunner.jobfile.definition import build
from jobrunner.jobfile.draft import Defaults, draft, name_fault
from jobrunner.jobfile.files import AS_THEY_ARE, Files
from jobrunner.jobfile.rules import check_draft, check_queue
from jobrunner.jobfile.settings import read_settings_of
from jobrunner.jobfile.words import nearest, quoted

if TYPE_CHECKING:
    from jobrunner.domain.jobfile import Jobfile
    from jobrunner.jobfile.whole import CheckResult

_SHOWN_WARNINGS = 3


def read(path: str | os.PathLike[str], instead: Mapping[str, str] = AS_THEY_ARE, *, warn: bool = False) -> Jobfile:
    """The whole file with its includes; ``instead`` has texts in the place of what files (by real path) hold. ``warn``:
    with its warnings, which have to be looked for in the text.

    Raises:
        ConfigError: with every fault of every file, by file and line.
    """
    from jobrunner.jobfile.whole import Whole

    whole = Whole(path, os.environ, instead)
    if whole.jobfile is None:
        raise ConfigError(whole.files.problems())
    return whole.jobfile._replace(warnings=tuple(map(str, whole.files.warnings()))) if warn else whole.jobfile


def check(path: str | os.PathLike[str]) -> CheckResult:
    """What is wrong with a file; one that cannot be read at all has one problem, without a line."""
    from jobrunner.jobfile.whole import CheckResult, Whole

    whole = Whole(path, os.environ)
    problems = whole.files.problems()
    return CheckResult(valid=not problems, jobs=whole.job_count, problems=problems, warnings=whole.files.warnings())


def read_settings(path: str | os.PathLike[str]) -> tuple[Settings, tuple[str, ...]]:
    """[jobrunner], [retention] and [queues.*] only; what is wrong elsewhere in the file is told in the warnings, a line
    for each. What needs the whole file (schedules, names that point elsewhere) is not looked at.

    Raises:
        ConfigError: the main file cannot be read, or these tables are not valid.
    """
    files = Files(path)
    if (broken := files.main.broken) is not None:  # which may be in the table of a job
        return read_settings_alone(path), (str(broken),)
    settings = _settings(files)
    from jobrunner.jobfile.whole import read_drafts

    files.check_top()
    for made in read_drafts(files, strict=False).values():
        check_draft(made)
    problems = [str(problem) for problem in files.problems()]
    if len(problems) > _SHOWN_WARNINGS:
        more = len(problems) - _SHOWN_WARNINGS
        problems[_SHOWN_WARNINGS:] = [f"{files.main.name}: {more} more errors; `jobrunner check` shows them"]
    return settings, tuple(problems)


def read_settings_alone(path: str | os.PathLike[str]) -> Settings:
    """The same tables, without a look at the jobs, which may be many: they may be broken, too. For who reads afterwards
    what is needed of the rest.

    Raises:
        ConfigError: the main file cannot be read, or these tables are not valid.
    """
    return _settings(Files(path, without_jobs=True))


def read_job(path: str | os.PathLike[str], name: str) -> tuple[Settings, Job]:
    """The settings and one job. Of the rest of the file only what makes that impossible is told, and the job's
    schedule is not checked; one that cannot be read is left out of the job.

    Raises:
        ConfigError: the main file cannot be read, or [jobrunner], [defaults] or the job are not valid.
        NotFound: there is no such job.
    """
    files = Files(path, without_jobs=True, but=name)
    settings = _settings(files)
    tables = files.tables("jobs")
    if name not in tables:  # or it is written in a way that is not seen at a glance
        files = Files(path)
        settings, tables = _settings(files), files.tables("jobs")
    if name not in tables:
        raise _no_such_job(name, tables, files)
    source, table = tables[name]
    before = _fault_count(files)
    made = draft(name, source, table, Defaults(files.main, strict=False), strict=False)
    complaint = name_fault(name)
    if complaint:
        source.fault_as(("jobs", name), complaint)
    check_draft(made)
    check_queue(made, settings.queues)
    if _fault_count(files) > before or ("jobs", name) in files.repeated:
        raise ConfigError(files.problems())
    return settings, build(made, folder=settings.folder, timezone=settings.timezone)


def home_of(path: str | os.PathLike[str], name: str) -> str:
    """The path of the file, the main one or one that it includes, in which a job stands.

    Raises:
        ConfigError: the main file cannot be read.
        NotFound: there is no such job.
    """
    files = Files(path)
    if files.main.broken is not None:
        raise ConfigError([files.main.broken])
    tables = files.tables("jobs")
    if name not in tables:
        raise _no_such_job(name, tables, files)
    return files.path_of(tables[name][0])


def _settings(files: Files) -> Settings:
    settings = None
    if files.main.broken is None:
        settings = read_settings_of(files.main, files.sources, path=files.path, environ=os.environ)
    if settings is None:
        raise ConfigError(files.problems())
    return settings


def _fault_count(files: Files) -> int:
    return sum(source.fault_count for source in files.sources)


def _no_such_job(name: str, names: Iterable[str], files: Files) -> ConfigError | NotFound:
    broken = [source.broken for source in files.includes if source.broken is not None]
    if broken:
        return ConfigError(broken)
    near = nearest(name, names)
    hint = f"did you mean {near}?" if near else "`jobrunner jobs` lists them"
    return NotFound(f"there is no job {quoted(name)} in {files.main.name}", hint=hint)
