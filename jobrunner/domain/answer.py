"""Answers to "why": reasons, what became of a fire time, what comes next. Made by admin, shown by presentation."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import NamedTuple

from jobrunner.domain.decision import Decision
from jobrunner.domain.run import Run

Value = str | int | datetime | timedelta | None


class Because(NamedTuple):
    """One reason, a sentence: each ``{name}`` in ``words`` stands for a value, which whoever shows it writes.

    ``code`` tells programs which reason it is; it is one word, or several with underscores.
    """

    code: str
    words: str
    values: Mapping[str, Value] = MappingProxyType({})


def because(code: str, words: str, **values: Value) -> Because:
    """A reason, with the values that its words name, and those that only programs are told."""
    return Because(code, words, values)


class FireAnswer(NamedTuple):
    """A fire time of a job and what became of it: its run, a decision, or neither (yet); ``verdict`` is one word.

    ``zone`` is that of the schedule which is due then, ``expression`` its text; None where a run has a fire time that
    no definition gives. ``version`` is the version of the definition that was in force.
    """

    at: datetime
    verdict: str
    zone: str | None = None
    expression: str | None = None
    run: Run | None = None
    decision: Decision | None = None
    version: int | None = None


class Coming(NamedTuple):
    """The next fire time of a job, and what is going to keep it from a run, or may."""

    at: datetime
    zone: str
    obstacles: tuple[Because, ...] = ()


class Answer(NamedTuple):
    """What ``why`` says about a job (``run`` None) or a run.

    ``at`` is the time that was asked about, None for now. ``verdict`` is one word: the state of the run where there is
    one, else the kind of the decision, or ``pending``, ``unanswered``, ``coming``, ``not_due``, ``never``. ``headline``
    says it in a sentence, ``because`` gives the reasons. ``before`` and ``after`` are the fire times around a time at
    which nothing was due. ``starts`` is about when a queued run starts, None where that cannot be told.
    """

    job: str
    verdict: str
    headline: Because
    because: tuple[Because, ...] = ()
    at: datetime | None = None
    run: Run | None = None
    fire: FireAnswer | None = None
    before: datetime | None = None
    after: datetime | None = None
    next: Coming | None = None
    starts: datetime | None = None
