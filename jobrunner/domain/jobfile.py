"""A whole jobs.toml as a value. Built by ``jobfile``, read by server and admin."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

from jobrunner.domain.job import Job
from jobrunner.domain.settings import Settings


@dataclass(frozen=True, slots=True, kw_only=True)
class Notifier:
    """One ``[notify.NAME]``: an Apprise URL as written, and the events it is told."""

    name: str
    url: str
    on: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Calendar:
    """One ``[calendars.NAME]``: days on which jobs that name it do not fire; ``file`` is where some are from."""

    name: str
    dates: tuple[date, ...] = ()
    file: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Jobfile:
    """A whole, valid jobs.toml with its includes.

    ``config_hash`` (12 hex digits) is equal for two files that mean the same; ``warnings`` are faults that do not make
    the file invalid, one line each, where they were asked for.
    """

    settings: Settings
    jobs: Mapping[str, Job]
    notifiers: Mapping[str, Notifier] = field(default_factory=dict)
    calendars: Mapping[str, Calendar] = field(default_factory=dict)
    limits: Mapping[str, int] = field(default_factory=dict)
    config_hash: str = ""
    warnings: tuple[str, ...] = ()
