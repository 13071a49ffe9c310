"""``[jobrunner]`` and what belongs to it, as a value. Built by ``jobfile``, read by wiring, server and admin."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from types import MappingProxyType
from typing import NamedTuple

from jobrunner.domain.job import DEFAULT_QUEUES


class Settings(NamedTuple):
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
    retention: Mapping[str, timedelta] = MappingProxyType({})
    queue_limits: Mapping[str, int] = MappingProxyType({})
