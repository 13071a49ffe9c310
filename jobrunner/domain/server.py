"""Servers as values."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple


class ServerState(StrEnum):
    """Where a server stands; ``stopped`` and ``lost`` are kept for a day."""

    STARTING = "starting"
    RUNNING = "running"
    DRAINING = "draining"
    STOPPED = "stopped"
    LOST = "lost"


class Server(NamedTuple):
    """One ``jobrunner run`` process. ``heartbeat_age`` is in seconds, by the reader's clock.

    ``config_error`` is what is wrong with a file that it refused to load: it goes on with the last good one.
    ``scheduler_age`` is for how many seconds its scheduler had looked at nothing when it sent its heartbeat; None where
    it fires no schedules.
    """

    id: int
    name: str
    host: str
    pid: int
    state: ServerState
    started_at: datetime
    heartbeat_age: float
    workers: int
    busy: int
    queues: tuple[str, ...]
    config_hash: str
    version: str
    config_error: str | None = None
    scheduler_age: float | None = None

    @property
    def live(self) -> bool:
        """Whether it counts as living: it may have fallen silent a moment ago."""
        return self.state not in (ServerState.STOPPED, ServerState.LOST)


def configurations(servers: Sequence[Server]) -> dict[str, list[Server]]:
    """The living servers by the configuration that they have in force: all are meant to have the same."""
    found = dict[str, list[Server]]()
    for server in servers:
        if server.live:
            found.setdefault(server.config_hash, []).append(server)
    return found


def odd_configurations(servers: Sequence[Server]) -> frozenset[str]:
    """Those that most servers do not have; all of several, where no one is that of most."""
    by_hash = configurations(servers)
    most = max(map(len, by_hash.values()), default=0)
    usual = [digest for digest, having in by_hash.items() if len(having) == most]
    return frozenset(by_hash).difference(usual if len(usual) == 1 else ())


class Reloaded(NamedTuple):
    """What a server made of a request: ``done`` whether it has answered, ``error`` why it keeps its old file."""

    server_id: int
    name: str
    host: str
    live: bool
    done: bool
    config_hash: str
    error: str | None
