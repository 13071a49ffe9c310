"""Entries of the audit trail as values."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple


class AuditEntry(NamedTuple):
    """Who did what, when, to which, and with what result."""

    id: int
    at: datetime
    who: str
    host: str
    action: str
    target: str
    detail: str
    outcome: str
