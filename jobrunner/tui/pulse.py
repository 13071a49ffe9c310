"""What the header of every screen says: how it goes as a whole, at a glance."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from jobrunner.admin import Admin


class Pulse(NamedTuple):
    """Counts of runs now, of dead letters, of workers that are busy and that there are; what is wrong, in words."""

    running: int
    queued: int
    dead: int
    busy: int
    workers: int
    problem: str


def pulse(admin: Admin) -> Pulse:
    """Asks for it. Raises StoreUnavailable."""
    servers = [server for server in admin.servers() if server.live]
    queues = admin.queues()
    return Pulse(
        running=sum(queue.running for queue in queues),
        queued=sum(queue.queued for queue in queues),
        dead=admin.dead_letters(),
        busy=sum(server.busy for server in servers),
        workers=sum(server.workers for server in servers),
        problem="" if servers else "no server",
    )
