"""What is examined: a project as far as it can be found. Built by wiring."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from jobrunner.domain.clock import Clock
from jobrunner.domain.settings import Settings
from jobrunner.errors import Problem
from jobrunner.store.database import Database

if TYPE_CHECKING:
    from jobrunner.queue.redis import RedisQueues


class Patient(NamedTuple):
    """``path`` is None where no file was found, ``settings`` None where ``[jobrunner]`` cannot be used: the
    ``problems`` say why. ``open_store`` opens the store as it is, and ``open_broker`` the broker, None for the store
    itself; neither makes anything. ``host`` is this host's name.
    """

    path: Path | None
    settings: Settings | None
    problems: tuple[Problem, ...]
    open_store: Callable[[], Database]
    open_broker: Callable[[Database], RedisQueues | None]
    clock: Clock
    host: str
    environ: Mapping[str, str]
