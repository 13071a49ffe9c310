"""Versions of a job: what servers put in force, when, and from where. Kept by ``store.versions``."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
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
    """For a name that came its former one, for a name that went its new one.

    They are one job where the definition is the same, or else what it does, at about the same time, and there is no
    doubt which is which.
    """
    found = dict[tuple[str, int], str]()
    went, came = tuple(gone), tuple(come)
    for what in (_whole, does):
        went = tuple(one for one in went if (one.job, one.version) not in found)
        came = tuple(one for one in came if (one.job, one.version) not in found)
        for one, other in _pairs(went, came, what):
            found[one.job, one.version], found[other.job, other.version] = other.job, one.job
    return found


def does(definition: str) -> str:
    """What a job does, of all that its definition says: two of which this is the same are taken for one, renamed."""
    table = json.loads(definition)["job"]
    return json.dumps([table.get(key) for key in ("command", "python", "http", "params")])


def _whole(definition: str) -> str:
    return definition


def _pairs(
    gone: Iterable[Change], come: Iterable[Change], what: Callable[[str], str]
) -> Iterator[tuple[Change, Change]]:
    went, came = _by(gone, what), _by(come, what)
    for key, old in went.items():
        for one in old:
            new = [other for other in came.get(key, ()) if _together(one, other)]
            if len(new) == 1 and sum(_together(each, new[0]) for each in old) == 1:
                yield one, new[0]


def _by(changes: Iterable[Change], what: Callable[[str], str]) -> dict[str, list[Change]]:
    found = dict[str, list[Change]]()
    for one in changes:
        found.setdefault(what(one.definition), []).append(one)
    return found


def _together(gone: Change, come: Change) -> bool:
    return gone.job != come.job and timedelta() <= gone.at - come.at <= RENAMED_WITHIN
