"""Versions of a job: what servers put in force, when, and from where. Kept by ``store.versions``."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from enum import StrEnum
from typing import NamedTuple


class Origin(StrEnum):
    """What put a version in force: a server that started or reloaded, or a person's change of the file."""

    START = "start"
    RELOAD = "reload"
    EDIT = "edit"
    ROLLBACK = "rollback"


class Applied(NamedTuple):
    """Who puts a file in force: the OS user, the host, the name of the server, and on what occasion."""

    who: str
    host: str
    server: str
    origin: Origin


class Version(NamedTuple):
    """One version of a job, 1, 2 … by job; in force with ``applied_at <= instant < replaced_at``.

    ``definition`` is the text that ``job_from_definition`` reads, None where the job was taken out of the file.
    ``calendars`` are the days of the calendars that its ``blackout`` names, as they were then, by name. ``replaced_at``
    is None for the one in force. ``who`` is the OS user of the ``server`` that put it in force.
    """

    job: str
    version: int
    definition: str | None
    calendars: Mapping[str, tuple[date, ...]]
    applied_at: datetime
    replaced_at: datetime | None
    who: str
    host: str
    server: str
    origin: Origin
