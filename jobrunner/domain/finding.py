"""What an examination of a project finds. Made by admin and domain, shown by presentation."""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple


class Severity(StrEnum):
    """How bad it is: a ``fault`` keeps jobs from running as they should, or lets others in; a ``warning`` may."""

    OK = "ok"
    NOTE = "note"
    WARNING = "warning"
    FAULT = "fault"


class Finding(NamedTuple):
    """One line on what was looked at (``name``) and how it is; ``hint`` is one on what to do."""

    name: str
    status: Severity
    detail: str
    hint: str | None = None


def ok(name: str, detail: str) -> Finding:
    """All is well."""
    return Finding(name, Severity.OK, detail)


def note(name: str, detail: str, hint: str | None = None) -> Finding:
    """Worth knowing."""
    return Finding(name, Severity.NOTE, detail, hint)


def warning(name: str, detail: str, hint: str | None) -> Finding:
    """May go wrong."""
    return Finding(name, Severity.WARNING, detail, hint)


def fault(name: str, detail: str, hint: str) -> Finding:
    """Is wrong."""
    return Finding(name, Severity.FAULT, detail, hint)
