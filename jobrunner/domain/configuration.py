"""A configuration as who watches sees it: the file as it is, and what of it is in force. Made by admin."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from jobrunner.domain.change import InForce
from jobrunner.domain.server import Server


class Configuration(NamedTuple):
    """``problems`` are the faults of the file as it is now, each with its place; ``config_hash`` and ``jobs`` are those
    of its last valid form, None where none was read yet. ``reading``: it is being read, and more is known soon.

    ``files`` are the main file and those that it includes. ``settings`` are keys of ``[jobrunner]`` and what they say,
    without passwords. ``versions`` are the newest of all jobs that servers put in force.
    """

    files: tuple[str, ...]
    config_hash: str | None
    jobs: int | None
    problems: tuple[str, ...]
    warnings: tuple[str, ...]
    reading: bool
    settings: tuple[tuple[str, str], ...]
    servers: tuple[Server, ...]
    versions: tuple[InForce, ...]

    @property
    def in_force(self) -> bool:
        """Whether every living server has just this file in force."""
        live = [server for server in self.servers if server.live]
        return bool(live) and all(server.config_hash == self.config_hash for server in live)


def text(value: object) -> str:
    """What a setting says, for people."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return ", ".join(map(str, value)) if isinstance(value, Sequence) and not isinstance(value, str) else str(value)
