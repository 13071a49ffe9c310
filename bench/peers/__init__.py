"""The peers that this program is measured against, each in an environment of its own. Used by the measurements."""

from __future__ import annotations

from collections.abc import Iterable

from bench.options import Options
from bench.peers import celery, dramatiq, huey, pgqueuer, procrastinate, rq, saq, taskiq
from bench.peers.peer import Peer

ALL: tuple[Peer, ...] = tuple(
    peer for module in (huey, rq, celery, dramatiq, taskiq, saq, procrastinate, pgqueuer) for peer in module.PEERS
)


def wanted(options: Options) -> tuple[Peer, ...]:
    """The peers that were asked for, in the order in which they are shown."""
    return tuple(peer for peer in ALL if options.wants(peer.venv))


def settings(peers: Iterable[Peer]) -> tuple[str, ...]:
    """A line for each: its version and configuration."""
    return tuple(f"{peer.title}: {peer.settings}" for peer in peers)


def shares(peers: Iterable[Peer], runs: int) -> str:
    """Which peers get fewer runs than ``runs``, and how many."""
    return ", ".join(f"{peer.title} {peer.part(runs):,}" for peer in peers if peer.share < 1) or "none"
