"""The part of jobs.toml that is not jobs, as values. Built by ``jobfile``, read by wiring, server and admin."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta

from jobrunner.domain.job import DEFAULT_QUEUES, Job


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """``[jobrunner]``, ``[retention]`` and ``[queues.*]``.

    ``path`` is the main file, ``folder`` its folder (both absolute). ``store`` and ``broker`` have their references
    resolved and are absolute URLs (``sqlite:////var/lib/…``, ``postgresql://…``, ``redis://…``); ``broker`` None is the
    store itself. ``queues`` is every queue there is, in the order that a server takes them. ``retention`` maps the name
    of a final state to how long its runs are kept. ``queue_limits`` maps a queue to its ``max_running``.
    """

    path: str
    folder: str
    timezone: str
    store: str
    broker: str | None = None
    workers: int = 4
    queues: tuple[str, ...] = DEFAULT_QUEUES
    shutdown_timeout: timedelta = timedelta(seconds=30)
    durability: str = "full"
    reload: str = "auto"
    include: tuple[str, ...] = ()
    lost_after: timedelta = timedelta(seconds=30)
    production: bool = False
    retention: Mapping[str, timedelta] = field(default_factory=dict)
    queue_limits: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Notifier:
    """One ``[notify.NAME]``: an Apprise URL as written, and the events it is told."""

    name: str
    url: str
    on: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Calendar:
    """One ``[calendars.NAME]``: days on which jobs that name it do not fire, and a file with more of them."""

    name: str
    dates: tuple[date, ...] = ()
    file: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Jobfile:
    """A whole, valid jobs.toml with its includes.

    ``config_hash`` (12 hex digits) is equal for two files that mean the same; ``warnings`` are faults that do not make
    the file invalid, one line each.
    """

    settings: Settings
    jobs: Mapping[str, Job]
    notifiers: Mapping[str, Notifier] = field(default_factory=dict)
    calendars: Mapping[str, Calendar] = field(default_factory=dict)
    limits: Mapping[str, int] = field(default_factory=dict)
    config_hash: str = ""
    warnings: tuple[str, ...] = ()
