"""When servers and queues are well, and what is wrong with them if not. Pure; used by ``health`` and ``doctor``."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import NamedTuple

from jobrunner.domain.duration import format_duration
from jobrunner.domain.finding import Finding, fault, warning
from jobrunner.domain.queue import QueueStatus
from jobrunner.domain.server import Server, ServerState

STUCK = timedelta(minutes=1)
"""For how long a run may be queued, with all workers that serve it idle, before something must be wrong."""


class Health(NamedTuple):
    """Whether jobs run as they should: they do where there are no ``problems``, each a line.

    The counts are None where the store could not be asked. ``oldest_wait`` in seconds of the longest-queued run whose
    queue is not paused, None where there is none. ``dead`` counts dead letters, which are no problem by themselves.
    """

    problems: tuple[str, ...]
    servers: int | None = None
    queued: int | None = None
    running: int | None = None
    dead: int | None = None
    oldest_wait: float | None = None

    @property
    def healthy(self) -> bool:
        return not self.problems


def heard(servers: Sequence[Server], lost_after: timedelta) -> list[Server]:
    """The servers that live and have said so lately."""
    return [server for server in servers if server.live and server.heartbeat_age <= lost_after.total_seconds()]


def as_they_count(servers: Sequence[Server], lost_after: timedelta) -> list[Server]:
    """The same, but ``lost`` is who has been silent for so long: where no server is left, none has noted it."""
    there = heard(servers, lost_after)
    return [
        server._replace(state=ServerState.LOST) if server.live and server not in there else server for server in servers
    ]


def of_servers(servers: Sequence[Server], *, scheduled: bool, lost_after: timedelta) -> list[Finding]:
    """What is wrong with the servers; ``scheduled``: there are jobs with schedules."""
    found = [_silent(server) for server in servers if server.live and server not in heard(servers, lost_after)]
    there = heard(servers, lost_after)
    if not there:
        return [fault("servers", "no server runs", "start one: jobrunner run"), *found]
    for server in there:
        found += _of_server(server, lost_after)
    if scheduled and not any(_fires(server) for server in there):
        hint = "start one without --no-scheduler and --burst"
        found.append(fault("scheduler", "jobs have schedules, and no living server fires them", hint))
    return found


def of_queues(queues: Sequence[QueueStatus], servers: Sequence[Server], lost_after: timedelta) -> list[Finding]:
    """What is wrong with queues that have runs in them and are not paused. Where no server runs: nothing more."""
    there = heard(servers, lost_after)
    waiting = [queue for queue in queues if queue.queued and not queue.paused] if there else []
    return [finding for queue in waiting if (finding := _of_queue(queue, there)) is not None]


def _silent(server: Server) -> Finding:
    silence = format_duration(timedelta(seconds=round(server.heartbeat_age)))
    detail = f"server {server.name} (pid {server.pid} on {server.host}) has been silent for {silence}"
    return warning("servers", detail, "see whether it runs, and whether it reaches the store")


def _of_server(server: Server, lost_after: timedelta) -> list[Finding]:
    found = []
    if server.config_error is not None:
        detail = f"server {server.name} goes on with an older file: {server.config_error}"
        found.append(fault("servers", detail, "mend the file (jobrunner check), then: jobrunner reload"))
    if server.scheduler_age is not None and server.scheduler_age > lost_after.total_seconds():
        still = format_duration(timedelta(seconds=round(server.scheduler_age)))
        hint = "restart it, and report this with its log"
        found.append(fault("scheduler", f"the scheduler of server {server.name} has stood still for {still}", hint))
    return found


def _fires(server: Server) -> bool:
    """Whether it fires schedules, or is too young to have said so."""
    return server.scheduler_age is not None or server.state is ServerState.STARTING


def _of_queue(queue: QueueStatus, servers: Sequence[Server]) -> Finding | None:
    serving = [server for server in servers if queue.name in server.queues and server.state is not ServerState.DRAINING]
    runs = "1 run waits" if queue.queued == 1 else f"{queue.queued} runs wait"
    if not serving:
        hint = f"start a server that does: jobrunner run --queue {queue.name}"
        return fault("queues", f"{runs} in queue {queue.name}, which no living server serves", hint)
    full = queue.max_running is not None and queue.running >= queue.max_running
    waited = timedelta(seconds=round(queue.oldest_wait or 0))
    if full or waited < STUCK or any(server.busy for server in serving):
        return None
    detail = f"{runs} in queue {queue.name}, for up to {format_duration(waited)}"
    hint = "see the log of the server, and of the broker; restart the server"
    return fault("queues", f"{detail}, while all workers are idle", hint)
