"""Every fire time that was due against what became of it: one answer each, or a list of what is wrong. Pure.

A job is walked once, its fires, its runs and its decisions side by side, so that a year of seconds needs no memory.
Called by admin for ``verify``, and for ``why`` of a fire time without an answer. Instants are microseconds.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from jobrunner.domain.due import Due

GRACE = 60_000_000
"""For how long a fire may be without an answer while a server schedules."""

_CHANGE = 2_000_000
"""Within which of a change of the definition a fire belongs to neither of the two."""

_HANDOVER = 60_000_000
"""For how long after a change another server may still have fired the former definition."""

_LISTED = 1_000


class Stretch(NamedTuple):
    """A definition in force with ``after < fire <= until``; ``last`` is the one in force still.

    ``enabled`` False: its fires need no answer beyond that.
    """

    after: int
    until: int
    due: Due
    enabled: bool = True
    last: bool = False


class Fired(NamedTuple):
    """A run of a fire time: ``state`` and ``trigger`` are texts of RunState and Trigger."""

    at: int
    state: str
    trigger: str


class Decided(NamedTuple):
    """A decision about ``fires`` fires from ``first`` to ``last``; one in between that has a run is none of them."""

    first: int
    last: int
    kind: str
    fires: int


class Attention(NamedTuple):
    """Who has looked at the fires of a job, and when.

    ``until`` is how far its schedule has been attended to, None where that is not known; ``served`` the times with a
    server that schedules, (from, to) in order and apart; ``since`` when the servers that schedule now began, None where
    there is none. Runs of fires until ``removed`` may have been removed by age.
    """

    until: int | None
    served: Sequence[tuple[int, int]]
    since: int | None
    now: int
    removed: int | None = None


class Unanswered(StrEnum):
    """Why a fire time has neither run nor decision."""

    PENDING = "pending"
    NO_SERVER = "no_server"
    CHANGED = "changed"
    DISABLED = "disabled"
    REMOVED = "removed"
    MISSING = "missing"


class Span(NamedTuple):
    """Consecutive fires of one kind."""

    first: int
    last: int
    fires: int


@dataclass(slots=True)
class Listed:
    """Spans of fires, the first thousand of them, and how many fires there are in all."""

    fires: int = 0
    spans: list[Span] = field(default_factory=list)

    def add(self, at: int, *, follows: bool) -> None:
        """One more; ``follows``: the expected fire before it was one, too."""
        self.fires += 1
        if follows and self.spans and len(self.spans) < _LISTED:
            first, _, fires = self.spans[-1]
            self.spans[-1] = Span(first, at, fires + 1)
        elif len(self.spans) < _LISTED:
            self.spans.append(Span(at, at, 1))

    def add_many(self, span: Span) -> None:
        """So many more, somewhere in a span."""
        self.fires += span.fires
        if len(self.spans) < _LISTED:
            self.spans.append(span)


@dataclass(slots=True)
class JobCheck:
    """What became of the fire times of one job.

    ``expected`` is the sum of ``ran``, ``skipped`` (by ``overlap``), ``expired``, the ``decided`` by kind, ``pending``
    and ``missing``. ``double`` have a run and a decision. ``unexpected`` are runs whose fire time no definition that
    was in force gives, and no part of ``expected``.
    """

    job: str
    expected: int = 0
    ran: int = 0
    skipped: int = 0
    expired: int = 0
    decided: Counter[str] = field(default_factory=Counter)
    pending: Listed = field(default_factory=Listed)
    missing: Listed = field(default_factory=Listed)
    double: Listed = field(default_factory=Listed)
    unexpected: Listed = field(default_factory=Listed)

    @property
    def sound(self) -> bool:
        """Nothing missing, nothing twice, nothing that was not due."""
        return not (self.missing.fires or self.double.fires or self.unexpected.fires)


class Verification(NamedTuple):
    """What ``verify`` found: fire times with ``since < fire <= until``, by job.

    ``known_since`` is when the first definition was recorded, None where none is. ``unserved_since`` is when the last
    server that schedules was heard of, None while one lives.
    """

    since: datetime
    until: datetime
    jobs: tuple[JobCheck, ...]
    known_since: datetime | None
    unserved_since: datetime | None

    @property
    def sound(self) -> bool:
        """Every fire time has exactly one answer."""
        return all(job.sound for job in self.jobs)


def check(
    job: str, stretches: Sequence[Stretch], runs: Iterator[Fired], decisions: Iterator[Decided], attention: Attention
) -> JobCheck:
    """Walks the fires of a job's ``stretches`` (in order, apart) beside its runs and decisions (in order)."""
    found = JobCheck(job)
    spans = _Spans(decisions, since=stretches[0].after if stretches else 0)
    run, before = next(runs, None), ""
    for place, stretch in enumerate(stretches):
        for at in stretch.due.fires(stretch.after, stretch.until):
            while run is not None and run.at < at:
                _not_due(found, run, stretches[: place + 1])
                run = next(runs, None)
            spans.move_to(at, found)
            fired = run if run is not None and run.at == at else None
            before = _count(found, at, fired, spans.over(at, fired), stretch, attention, before)
            if fired is not None:
                run = next(runs, None)
    spans.move_to(2**63, found)
    while run is not None:
        _not_due(found, run, stretches)
        run = next(runs, None)
    return found


class _Spans:
    """The decisions of a job, in order, each held against the fires that it says it is about."""

    def __init__(self, decisions: Iterator[Decided], *, since: int) -> None:
        self._decisions = decisions
        self._since = since
        self._now = next(decisions, None)
        self._counted = 0

    def move_to(self, at: int, found: JobCheck) -> None:
        """Leaves the decisions that end before a fire; one about fewer fires than fell due in it hides the others."""
        while self._now is not None and self._now.last < at:
            first, last, kind, fires = self._now
            hidden = self._counted - fires
            if hidden > 0 and first > self._since:
                found.decided[kind] -= hidden
                found.missing.add_many(Span(first, last, hidden))
            self._now, self._counted = next(self._decisions, None), 0

    def over(self, at: int, run: Fired | None) -> Decided | None:
        """The decision about a fire. A run in the middle of a span is the answer to its own fire."""
        span = self._now
        if span is None or span.first > at:
            return None
        if run is not None:
            return span if at in (span.first, span.last) else None
        self._counted += 1
        return span


def unanswered(at: int, stretch: Stretch, attention: Attention) -> Unanswered:
    """What it means that a fire of this stretch has no answer."""
    if not stretch.enabled:
        return Unanswered.DISABLED
    until, served, since, now, removed = attention
    if removed is not None and at <= removed:
        return Unanswered.REMOVED
    if stretch.last and (until is None or at > until) and (since is None or now - max(at, since) <= GRACE):
        return Unanswered.PENDING
    if not stretch.last and not _served_between(served, at, stretch.until - _CHANGE):
        return Unanswered.NO_SERVER
    if at - stretch.after <= _CHANGE or (not stretch.last and stretch.until - at <= _CHANGE):
        return Unanswered.CHANGED
    return Unanswered.MISSING


def _count(
    found: JobCheck,
    at: int,
    run: Fired | None,
    decision: Decided | None,
    stretch: Stretch,
    attention: Attention,
    before: str,
) -> str:
    """Counts one fire; gives its kind, by which the next one knows whether it follows."""
    found.expected += 1
    if run is not None:
        double = decision is not None and run.trigger != "backfill"
        if double:
            found.double.add(at, follows=before == "double")
        if run.state == "skipped":
            found.skipped += 1
        elif run.state == "expired":
            found.expired += 1
        else:
            found.ran += 1
        return "double" if double else "ran"
    if decision is not None:
        found.decided[decision.kind] += 1
        return decision.kind
    kind = unanswered(at, stretch, attention)
    match kind:
        case Unanswered.PENDING:
            found.pending.add(at, follows=before == kind)
        case Unanswered.MISSING:
            found.missing.add(at, follows=before == kind)
        case _:
            found.decided[kind.value] += 1
    return kind


def _not_due(found: JobCheck, run: Fired, stretches: Sequence[Stretch]) -> None:
    """A run whose fire time is none of those in force; right after a change it may be one of the former."""
    former = (each for each in stretches[:-1] if 0 < run.at - each.until <= _HANDOVER)
    if any(each.due.schedule_at(run.at) for each in former):
        found.expected += 1
        found.ran += 1
    elif run.trigger != "backfill":
        found.unexpected.add(run.at, follows=False)


def _served_between(served: Sequence[tuple[int, int]], start: int, end: int) -> bool:
    place = bisect_right(served, (start, 2**63))
    return (place > 0 and served[place - 1][1] > start) or (place < len(served) and served[place][0] < end)
