"""Schedules: an expression of the file to the instants at which it is due. Called by jobfile, admin and the server.

A schedule is a cron expression, ``every 15m``, or ``at 2026-12-01T06:00:00Z``. Cron fields are walked by ``walker`` in
naive local time and mapped to instants here. Daylight saving follows Vixie's cron: a job at a fixed time that the clock
skips runs once right after the gap, and in a repeated hour once; one whose second, minute or hour begins with a star
runs at every real interval. A change of the clock by more than three hours is a correction, and nothing is made up for.
"""

from __future__ import annotations

import re
from collections.abc import Hashable, Iterator
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Literal, NamedTuple

from jobrunner.domain.clock import from_micros, to_micros
from jobrunner.domain.cron import LONGEST, Cron, hashed, parse_cron, uses_hash
from jobrunner.domain.cron_mistakes import quote
from jobrunner.domain.duration import parse_duration
from jobrunner.domain.job import ScheduleSpec
from jobrunner.domain.timepoint import local_to_instant, parse_timestamp
from jobrunner.domain.walker import ever_fires, next_local
from jobrunner.domain.zone import FIRST_INSTANT, LAST_INSTANT, Timeline, timeline
from jobrunner.errors import ScheduleError, UsageError

_SECOND = 1_000_000
_FIRST, _LAST = FIRST_INSTANT * _SECOND, LAST_INSTANT * _SECOND
_TWO_DAYS = 2 * 86_400
_WORD = re.compile(r"(every|at)(?:[ \t]+(.*))?", re.IGNORECASE)


class CronRule(NamedTuple):
    """Cron fields on the wall clock of a zone."""

    cron: Cron
    timeline: Timeline

    def next_after(self, micros: int) -> int | None:
        """The first fire strictly after an instant, both in microseconds; None beyond the year 9998."""
        cron, line = self
        now = micros // _SECOND
        stretch = line.stretch(now)
        behind = now + stretch.offset
        if cron.fixed and stretch.done > behind:
            behind = stretch.done
        local = next_local(cron, behind)
        while local is not None and local >= stretch.end + stretch.offset:
            stretch = line.stretch(stretch.end)
            done = stretch.done if cron.fixed else stretch.start + stretch.offset - 1
            if behind <= done < local:
                stretch = line.stretch(max(stretch.start, local - stretch.offset - _TWO_DAYS))
            else:
                behind = done
                local = next_local(cron, behind)
        return None if local is None else max(local - stretch.offset, stretch.start) * _SECOND


class IntervalRule(NamedTuple):
    """Every ``step`` microseconds, at the multiples since ``origin``."""

    step: int
    origin: int

    def next_after(self, micros: int) -> int:
        """The first fire strictly after an instant."""
        return micros + self.step - (micros - self.origin) % self.step


class DateRule(NamedTuple):
    """Once, at ``instant``."""

    instant: int

    def next_after(self, micros: int) -> int | None:
        """The instant, if it is still to come."""
        return self.instant if self.instant > micros else None


class Schedule(NamedTuple):
    """When a job fires by itself. ``key`` is equal for two schedules that always fire at the same instants.

    ``expression`` is as written, ``zone`` the name of the zone whose wall clock it is on. ``rule`` is what the kind
    needs; ``first`` and ``last`` bound the fires, inclusive, in microseconds since the epoch.
    """

    expression: str
    kind: Literal["cron", "every", "at"]
    zone: str
    rule: CronRule | IntervalRule | DateRule
    first: int
    last: int
    key: Hashable

    def next_after(self, instant: datetime) -> datetime | None:
        """The first fire strictly after an instant, aware, in UTC; None when it never fires again."""
        micros = self.rule.next_after(max(to_micros(instant), self.first - 1))
        return None if micros is None or micros > self.last else from_micros(micros)

    def between(self, after: datetime, until: datetime) -> Iterator[datetime]:
        """The fires with ``after < fire <= until``, in order."""
        micros, last = max(to_micros(after), self.first - 1), min(to_micros(until), self.last)
        while (fire := self.rule.next_after(micros)) is not None and fire <= last:
            yield from_micros(fire)
            micros = fire


def parse(spec: ScheduleSpec, *, job: str, timezone: str) -> Schedule:
    """The schedule of a spec for the job named, shared between equal ones; ``timezone`` is the default of the spec's.

    Raises:
        ScheduleError: it cannot be read, its zone does not exist, or it never fires; in one line, with what to write.
    """
    named = job if uses_hash(spec.expression) else ""
    return _parse(spec.expression, spec.timezone or timezone, spec.start, spec.end, named)


def jitter_delay(jitter: timedelta | None, job: str) -> timedelta:
    """How much later than its fire time a job starts: a part of ``jitter`` that is the same on every host."""
    return timedelta(0) if jitter is None else jitter * (hashed(job, "jitter") / 2**64)


@lru_cache(maxsize=262_144)
def _parse(expression: str, timezone: str, start: datetime | None, end: datetime | None, job: str) -> Schedule:
    bounds = _bounds(timezone, start, end)
    word = _WORD.fullmatch(expression.strip(" \t")) if len(expression) <= LONGEST else None
    if word is None:
        return _cron_schedule(expression, timezone, parse_cron(expression, job=job), bounds)
    kind, rule, identity = _read(word, expression, bounds)
    return _schedule(expression, kind, timezone, rule, identity, bounds)


class _Bounds(NamedTuple):
    """Between which instants a schedule fires, both inclusive, and whether the file gave them; ``line`` of its zone."""

    line: Timeline
    first: int
    last: int
    starts: bool
    ends: bool


@lru_cache(maxsize=4096)
def _bounds(timezone: str, start: datetime | None, end: datetime | None) -> _Bounds:
    try:
        line = timeline(timezone)
        first = _FIRST if start is None else max(_bound(start, line), _FIRST)
        last = _LAST - 1 if end is None else min(_bound(end, line), _LAST - 1)
    except UsageError as error:
        raise ScheduleError(error.message, hint=error.hint) from None
    return _Bounds(line, first, last, start is not None, end is not None)


@lru_cache(maxsize=65_536)
def _cron_schedule(expression: str, timezone: str, cron: Cron, bounds: _Bounds) -> Schedule:
    """One for all jobs of the same times: ``H`` is another expression for each job, and there are few times."""
    if not ever_fires(cron):
        raise ScheduleError(f"{quote(expression)} never fires", hint="no month that it names has such a day")
    rule = CronRule(cron, bounds.line)
    return _schedule(expression, "cron", timezone, rule, ("cron", cron, bounds.line.name), bounds)


def _schedule(
    expression: str,
    kind: Literal["cron", "every", "at"],
    timezone: str,
    rule: CronRule | IntervalRule | DateRule,
    identity: Hashable,
    bounds: _Bounds,
) -> Schedule:
    _, first, last, starts, ends = bounds
    if first > last:
        raise ScheduleError("the schedule never fires: its end is before its start", hint="set a later end")
    if starts and ends and ((fire := rule.next_after(first - 1)) is None or fire > last):
        raise ScheduleError(f"{quote(expression)} never fires between its start and its end", hint="widen them")
    key = (identity, (first if starts else None, last if ends else None))
    return Schedule(expression, kind, timezone, rule, first, last, key)


def _bound(moment: datetime, line: Timeline) -> int:
    return to_micros(moment if moment.tzinfo else local_to_instant(moment, line.zone))


def _read(
    word: re.Match[str], expression: str, bounds: _Bounds
) -> tuple[Literal["every", "at"], IntervalRule | DateRule, Hashable]:
    if word[1].lower() == "every":
        step, origin = _step(expression, word[2] or ""), bounds.first if bounds.starts else 0
        return "every", IntervalRule(step, origin), ("every", step, origin % step)
    instant = _instant(expression, word[2] or "", bounds.line)
    return "at", DateRule(instant), ("at", instant)


def _step(expression: str, text: str) -> int:
    try:
        step = parse_duration(text) // timedelta(microseconds=1)
    except UsageError as error:
        raise ScheduleError(f"{quote(expression)} has no interval", hint=error.hint) from None
    if step < _SECOND:
        raise ScheduleError(f"{quote(expression)} is too often", hint="an interval is at least '1s'")
    return step


def _instant(expression: str, text: str, line: Timeline) -> int:
    try:
        instant = to_micros(parse_timestamp(text, zone=line.zone))
    except UsageError as error:
        what = error.message.partition(":")[0]
        raise ScheduleError(f"{quote(expression)}: {what}", hint="write it like 'at 2026-12-01T06:00:00Z'") from None
    if not _FIRST <= instant < _LAST:
        raise ScheduleError(f"{quote(expression)} is out of range", hint="years go from 2 to 9998")
    return instant
