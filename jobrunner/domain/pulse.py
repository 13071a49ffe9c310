"""How it goes as a whole, at a glance: what the header of every screen of the dashboard says. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from typing import NamedTuple

from jobrunner.domain.health import heard
from jobrunner.domain.server import Server, ServerState
from jobrunner.domain.settings import Settings

COUNTED = 20_000
"""Up to how many are counted: so many mean so many or more."""


class Scheduling(StrEnum):
    """Whether fires become runs: ``none`` living server fires schedules, or the ones that do have stood still."""

    OK = "ok"
    NONE = "none"
    STALLED = "stalled"


class Counts(NamedTuple):
    """Runs now, up to ``COUNTED`` of each: ``failed`` those that were created within a day and failed for good.

    ``scheduled``: servers have applied schedules. ``paused``: everything is.
    """

    running: int
    queued: int
    dead: int
    failed: int
    scheduled: bool
    paused: bool


class Pulse(NamedTuple):
    """How it goes. Counts stop at ``COUNTED``.

    ``servers`` have been heard of lately, ``workers`` are theirs. ``refused``: a server goes on with an older file.
    ``differ``: servers have different files in force. ``project`` is the name of the folder of jobs.toml.
    """

    running: int
    queued: int
    dead: int
    failed: int
    busy: int
    workers: int
    servers: int
    scheduling: Scheduling
    refused: bool
    differ: bool
    paused: bool
    project: str
    host: str
    production: bool


def pulse(counts: Counts, servers: Sequence[Server], settings: Settings, host: str) -> Pulse:
    """The pulse, by what the store holds now."""
    there = heard(servers, settings.lost_after)
    return Pulse(
        running=counts.running,
        queued=counts.queued,
        dead=counts.dead,
        failed=counts.failed,
        busy=sum(server.busy for server in there),
        workers=sum(server.workers for server in there),
        servers=len(there),
        scheduling=_scheduling(there, settings.lost_after.total_seconds(), scheduled=counts.scheduled),
        refused=any(server.config_error is not None for server in there),
        differ=len({server.config_hash for server in there}) > 1,
        paused=counts.paused,
        project=settings.folder.rstrip("/").rpartition("/")[2] or "/",
        host=host,
        production=settings.production,
    )


def _scheduling(there: Sequence[Server], longest: float, *, scheduled: bool) -> Scheduling:
    ages = [server.scheduler_age for server in there if server.scheduler_age is not None]
    if any(age <= longest for age in ages):
        return Scheduling.OK
    if ages:
        return Scheduling.STALLED
    starting = any(server.state is ServerState.STARTING for server in there)
    return Scheduling.NONE if scheduled and not starting else Scheduling.OK
