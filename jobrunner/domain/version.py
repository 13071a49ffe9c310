"""Versions of a job: what servers put in force, when, and from where. Kept by ``store.versions``."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, datetime, timedelta
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


RENAMED_WITHIN = timedelta(minutes=1)
"""How much later than its new name a name may go out of force: another server may have it a while longer."""


class Change(NamedTuple):
    """A job that came with a definition, or went, at an instant; ``definition`` is what it has or had."""

    job: str
    version: int
    at: datetime
    definition: str


Named = Mapping[tuple[str, int], str]
"""Another name of a job by the name and the version that came, or went, with it."""


def renames(gone: Iterable[Change], come: Iterable[Change]) -> Named:
    """Which of the names that went and came are one job: the same definition at about the same time, and no doubt
    which is which. For a name that came its former one, for a name that went its new one."""
    went, came = _by_definition(gone), _by_definition(come)
    found = dict[tuple[str, int], str]()
    for definition, old in went.items():
        for one in old:
            new = [other for other in came.get(definition, ()) if _together(one, other)]
            if len(new) == 1 and sum(_together(each, new[0]) for each in old) == 1:
                found[one.job, one.version], found[new[0].job, new[0].version] = new[0].job, one.job
    return found


def _by_definition(changes: Iterable[Change]) -> dict[str, list[Change]]:
    found = dict[str, list[Change]]()
    for one in changes:
        found.setdefault(one.definition, []).append(one)
    return found


def _together(gone: Change, come: Change) -> bool:
    return gone.job != come.job and timedelta() <= gone.at - come.at <= RENAMED_WITHIN
