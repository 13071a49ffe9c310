"""The audit trail: who did what, when, to which, with what result. Written by admin, never changed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from itertools import islice, takewhile
from typing import TYPE_CHECKING, Any

from jobrunner.domain.clock import from_micros, to_micros
from jobrunner.store.database import Database
from jobrunner.store.migrations import STEERED

if TYPE_CHECKING:
    from jobrunner.domain.audit import AuditEntry


def record(
    db: Database, *, at: datetime, who: str, host: str, action: str, target: str, detail: str, outcome: str
) -> None:
    """Adds one entry; in the transaction of the action itself where there is one."""
    sql = "INSERT INTO audit (at, who, host, action, target, detail, outcome) VALUES (?, ?, ?, ?, ?, ?, ?)"
    db.execute(sql, (to_micros(at), who, host, action, target, detail, outcome))


def find(db: Database, since: datetime | None, limit: int) -> list[AuditEntry]:
    """The newest entries, at most ``limit`` (0: all), none older than ``since``."""
    entries = takewhile(lambda entry: since is None or entry.at >= since, _newest_first(db))
    return list(islice(entries, limit or None))


def steered(db: Database, targets: Sequence[str]) -> list[AuditEntry]:
    """What people did to these runs, batches, jobs or queues, newest first; their creation is not among it."""
    sql = (
        f"SELECT id, at, who, host, action, target, detail, outcome FROM audit INDEXED BY audit_steered"
        f" WHERE target = ? AND {STEERED} AND outcome = 'done'"
    )
    found = [_entry(row) for target in targets for row in db.execute(sql, (target,))]
    return sorted(found, key=lambda entry: -entry.id)


def _newest_first(db: Database) -> Iterator[AuditEntry]:
    sql = "SELECT id, at, who, host, action, target, detail, outcome FROM audit WHERE id < ? ORDER BY id DESC LIMIT 500"
    before = 2**62
    while rows := db.execute(sql, (before,)).fetchall():
        before = rows[-1][0]
        yield from map(_entry, rows)


def _entry(row: Sequence[Any]) -> AuditEntry:
    from jobrunner.domain.audit import AuditEntry

    number, at, who, host, action, target, detail, outcome = row
    return AuditEntry(
        id=number,
        at=from_micros(at),
        who=who,
        host=host,
        action=action,
        target=target,
        detail=detail,
        outcome=outcome,
    )
