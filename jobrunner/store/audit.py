"""The audit trail: who did what, when, to which, with what result. Written by admin, never changed."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from itertools import islice, takewhile
from typing import TYPE_CHECKING

from jobrunner.domain.clock import from_micros, to_micros
from jobrunner.store.database import Database

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


def _newest_first(db: Database) -> Iterator[AuditEntry]:
    from jobrunner.domain.audit import AuditEntry

    sql = "SELECT id, at, who, host, action, target, detail, outcome FROM audit WHERE id < ? ORDER BY id DESC LIMIT 500"
    before = 2**62
    while rows := db.execute(sql, (before,)).fetchall():
        for before, at, who, host, action, target, detail, outcome in rows:
            yield AuditEntry(
                id=before,
                at=from_micros(at),
                who=who,
                host=host,
                action=action,
                target=target,
                detail=detail,
                outcome=outcome,
            )
