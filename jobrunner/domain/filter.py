"""Which runs or jobs a list is to hold. Built by the command line and the dashboard, read by admin and the store."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from typing import NamedTuple

from jobrunner.domain.run import Run
from jobrunner.domain.state import RunState


class Field(StrEnum):
    """What a term is about, as it is written; a text and a pattern stand without a name."""

    TEXT = "text"
    PATTERN = "pattern"
    STATE = "state"
    JOB = "job"
    TAG = "tag"
    QUEUE = "queue"
    TRIGGER = "trigger"
    KIND = "kind"
    SERVER = "server"
    SINCE = "since"
    UNTIL = "until"
    DURATION = "dur"
    EXIT = "exit"
    BATCH = "batch"
    DEAD = "dead"


class Length(NamedTuple):
    """A bound of how long something took: ``longer`` than ``than``, or shorter."""

    longer: bool
    than: timedelta


Value = str | int | datetime | Length


class Term(NamedTuple):
    """One condition: that a field has any of these values, or (``negated``) none of them.

    Names (job, tag, queue, server) may hold ``*`` and ``?``. A batch and an exit code are numbers, ``since`` and
    ``until`` have an instant (aware), ``dur`` a Length, ``dead`` nothing.
    """

    field: Field
    values: tuple[Value, ...] = ()
    negated: bool = False


class RunFilter(NamedTuple):
    """All conditions hold at once; of several values of one, any.

    ``jobs`` and ``states`` empty: all. ``since`` (aware): created at or after it. ``limit`` 0: all of them.
    ``dead``: dead letters only. ``batch``: members of this batch only. ``terms``: what else has to hold.
    """

    jobs: tuple[str, ...] = ()
    states: tuple[RunState, ...] = ()
    since: datetime | None = None
    limit: int = 50
    dead: bool = False
    batch: int | None = None
    terms: tuple[Term, ...] = ()

    @property
    def conditions(self) -> tuple[Term, ...]:
        """All that has to hold, as terms."""
        named = (
            (Field.JOB, self.jobs),
            (Field.STATE, tuple(state.value for state in self.states)),
            (Field.SINCE, (self.since,) if self.since is not None else ()),
            (Field.BATCH, (self.batch,) if self.batch is not None else ()),
        )
        given = [Term(field, values) for field, values in named if values]
        return (*given, *([Term(Field.DEAD)] if self.dead else []), *self.terms)


class Page(NamedTuple):
    """Runs of a list, newest first; their ``result`` and ``definition`` have not been read.

    ``more_before``: there are newer ones, which stand before these; ``more_after``: older ones. ``searched_to``: the
    search was broken off at this id, where it had not found as many as were wanted in its time: whether there are more
    is not known, and it goes on from there.
    """

    rows: Sequence[Run]
    more_before: bool
    more_after: bool
    searched_to: int | None = None
    searched_back_to: datetime | None = None


def is_glob(name: str) -> bool:
    """Whether a name stands for several."""
    return "*" in name or "?" in name
