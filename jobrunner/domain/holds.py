"""What holds runs and fires: pauses, and servers that are not there, in words. Pure; used by the other answers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from jobrunner.domain.answer import Because, because
from jobrunner.domain.queue import Pause
from jobrunner.domain.server import Server

_SHOWN = 5


def pause_words(pause: Pause) -> Because:
    """Who has paused what, since when, until when and why."""
    return _pause(pause, "has been paused by {who} since {since}")


def past_pause_words(pause: Pause) -> Because:
    """The same of a pause that may be over."""
    return _pause(pause, "was paused by {who} from {since}")


def no_server_for(queue: str, servers: Sequence[Server]) -> Iterator[Because]:
    """That nobody serves a queue, where so; ``servers`` are the living ones."""
    if not servers:
        yield because("no_server", "No server runs: jobrunner run.")
    elif not any(queue in server.queues for server in servers):
        names = ", ".join(sorted(server.name for server in servers)[:_SHOWN])
        yield because(
            "queue_not_served", "No server serves queue {queue}; there is {servers}.", queue=queue, servers=names
        )
    elif all(server.state.value == "draining" for server in servers if queue in server.queues):
        yield because("draining", "The servers of queue {queue} are about to end.", queue=queue)


def _pause(pause: Pause, words: str) -> Because:
    what = {"job": "Job {name}", "queue": "Queue {name}"}.get(pause.scope, "Everything")
    until = " until {until}" if pause.until else ""
    reason = ": {reason}" if pause.reason else ""
    return because(
        "paused",
        f"{what} {words}{until}{reason}.",
        scope=pause.scope,
        name=pause.name,
        who=pause.who,
        since=pause.since,
        until=pause.until,
        reason=pause.reason.rstrip("."),
    )
