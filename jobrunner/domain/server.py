"""Servers as values."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class ServerState(StrEnum):
    """Where a server stands; ``stopped`` and ``lost`` are kept for a day."""

    STARTING = "starting"
    RUNNING = "running"
    DRAINING = "draining"
    STOPPED = "stopped"
    LOST = "lost"


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """One ``jobrunner run`` process. ``heartbeat_age`` is in seconds, by the reader's clock."""

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
