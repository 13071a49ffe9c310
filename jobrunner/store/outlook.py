"""What a server has to know in the transaction in which it claims, read at once. Called by the queue's engine."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from jobrunner.domain.clock import from_micros
from jobrunner.store import pauses, servers
from jobrunner.store.database import Database
from jobrunner.store.migrations import TIMED
from jobrunner.store.servers import LIVE

_OUTLOOK = (
    f"SELECT EXISTS (SELECT 1 FROM servers WHERE id = ? AND {LIVE}),"
    " EXISTS (SELECT 1 FROM pauses WHERE scope IN ('queue', 'all')),"
    f" (SELECT run_after FROM runs WHERE {TIMED} ORDER BY run_after LIMIT 1)"
)


class Outlook(NamedTuple):
    """Whether the server counts as living, which of its queues are open, when the next run falls due."""

    living: bool
    queues: Sequence[str]
    next_due: datetime | None


def outlook(db: Database, server_id: int, queues: Sequence[str]) -> Outlook:
    """Inside a transaction: until that has ended nobody can declare the server lost."""
    # PostgreSQL holds what is locked, and that EXISTS does not do.
    held = not db.for_update or servers.hold(db, server_id)
    living, paused, due = db.execute(_OUTLOOK, (server_id,)).fetchone()
    queues = pauses.open_queues(db, queues) if paused else queues
    return Outlook(held and bool(living), queues, from_micros(due) if due is not None else None)
