"""Entries of the audit trail as values."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditEntry:
    """Who did what, when, to which, and with what result."""

    id: int
    at: datetime
    who: str
    host: str
    action: str
    target: str
    detail: str
    outcome: str
