"""A whole jobs.toml as a value. Built by ``jobfile``, read by server and admin."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from types import MappingProxyType
from typing import NamedTuple

from jobrunner.domain.job import Job
from jobrunner.domain.settings import Settings


class Notifier(NamedTuple):
    """One ``[notify.NAME]``: an Apprise URL as written, and the events it is told."""

    name: str
    url: str
    on: tuple[str, ...]


class Calendar(NamedTuple):
    """One ``[calendars.NAME]``: days on which jobs that name it do not fire; ``file`` is where some are from."""

    name: str
    dates: tuple[date, ...] = ()
    file: str | None = None


class Jobfile(NamedTuple):
    """A whole, valid jobs.toml with its includes.

    ``config_hash`` (12 hex digits) is equal for two files that mean the same; ``warnings`` are faults that do not make
    the file invalid, one line each, where they were asked for.
    """

    settings: Settings
    jobs: Mapping[str, Job]
    notifiers: Mapping[str, Notifier] = MappingProxyType({})
    calendars: Mapping[str, Calendar] = MappingProxyType({})
    limits: Mapping[str, int] = MappingProxyType({})
    config_hash: str = ""
    warnings: tuple[str, ...] = ()
