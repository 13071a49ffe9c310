"""Statistics of the runs that ended within a day, kept from one look to the next: what is new is added, what is over
a day ago leaves. Pure; instants and durations inside are microseconds."""

from __future__ import annotations

from array import array
from bisect import bisect_left, insort
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from jobrunner.domain.clock import from_micros, to_micros

DAY = timedelta(days=1)

MOST = 50_000
"""Runs that are looked at at first: where more were created within a day, the newest of them. Of at most twice as many
is remembered how long they took, and that they may be retried."""

MINUTE = 60_000_000
_STATES = ("succeeded", "failed", "cancelled", "skipped", "expired")
_PLACES = {state: place for place, state in enumerate(_STATES)}

Row = tuple[int, str, int | None, int | None]
"""A run: id, state, when its last attempt began, when it ended."""


class Day(NamedTuple):
    """How the runs ended that did from ``since`` to ``until``. ``whole``: that is a whole day; else there were more
    runs than are looked at.

    ``success`` is the part of those that succeeded or failed which succeeded, None where there was none. ``p95``:
    so long or shorter did 95 of 100 successful runs take, of the newest where they are very many. ``ok`` and
    ``bad`` count those that succeeded, and those that failed or expired, in stretches of equal length, the oldest
    first.
    """

    since: datetime
    until: datetime
    whole: bool
    succeeded: int
    failed: int
    cancelled: int
    skipped: int
    expired: int
    success: float | None
    p95: timedelta | None
    ok: tuple[int, ...]
    bad: tuple[int, ...]

    @property
    def total(self) -> int:
        """How many runs ended."""
        return self.succeeded + self.failed + self.cancelled + self.skipped + self.expired


class _Minute:
    """What ended within one minute: counts by state, and how long the successful runs took."""

    __slots__ = ("counts", "took")

    def __init__(self) -> None:
        self.counts = [0] * len(_STATES)
        self.took = array("q")


class Recent:
    """The runs that ended within a day, by the minute. Runs that have not ended are remembered, to be asked for."""

    def __init__(self) -> None:
        self.unended = set[int]()
        self._minutes = dict[int, _Minute]()
        self._took = array("q")
        self._again = dict[int, tuple[int, int]]()

    def begin(self, succeeded: Iterable[tuple[int, Sequence[int]]], others: Iterable[Row]) -> None:
        """Takes many at once: of those that succeeded how long they took, by the minute since the epoch in which they
        ended, each minute once; and all others."""
        for number, took in succeeded:
            minute = self._minutes[number] = _Minute()
            minute.counts[0] = len(took)
            minute.took.extend(took)
        for row in others:
            self._note(row)
        self._sort()

    def add(self, rows: Iterable[Row]) -> None:
        """Takes rows that are new, or that have ended."""
        for row in rows:
            took = self._note(row)
            if took is not None:
                insort(self._took, took)
        self._forget()

    def reopened(self, active: Iterable[int]) -> None:
        """Forgets how runs ended that are active again: a person has retried them."""
        for run_id in self._again.keys() & set(active):
            minute, place = self._again.pop(run_id)
            self.unended.add(run_id)
            if minute in self._minutes:
                self._minutes[minute].counts[place] -= 1

    def look(self, now: datetime, since: datetime, buckets: int) -> Day:
        """What ended after ``since``, which is at most a day ago."""
        end, start = to_micros(now), max(to_micros(since), to_micros(now - DAY))
        self._leave(to_micros(now - DAY) // MINUTE)
        totals, first, length = [0] * len(_STATES), start // MINUTE, max(end - start, 1)
        ok, bad = [0] * buckets, [0] * buckets
        for number, minute in self._minutes.items():
            if number < first:
                continue
            succeeded, failed, _, _, expired = minute.counts
            totals = [a + b for a, b in zip(totals, minute.counts, strict=True)]
            place = min(max((number * MINUTE + MINUTE // 2 - start) * buckets // length, 0), buckets - 1)
            ok[place] += succeeded
            bad[place] += failed + expired
        judged = totals[0] + totals[1]
        p95 = self._took[-(-len(self._took) * 95 // 100) - 1] if self._took else None
        return Day(
            since=from_micros(start),
            until=now,
            whole=start <= to_micros(now - DAY),
            success=totals[0] / judged if judged else None,
            p95=timedelta(microseconds=p95) if p95 is not None else None,
            ok=tuple(ok),
            bad=tuple(bad),
            **dict(zip(_STATES, totals, strict=True)),
        )

    def _note(self, row: Row) -> int | None:
        """Counts one row; gives how long it took where it succeeded."""
        run_id, state, started, finished = row
        place = _PLACES.get(state)
        if place is None or finished is None:
            self.unended.add(run_id)
            return None
        self.unended.discard(run_id)
        number = finished // MINUTE
        minute = self._minutes.get(number)
        if minute is None:
            minute = self._minutes[number] = _Minute()
        minute.counts[place] += 1
        if place:
            self._again[run_id] = (number, place)
            return None
        took = max(finished - started, 0) if started is not None else 0
        minute.took.append(took)
        return took

    def _leave(self, first: int) -> None:
        for number in [number for number in self._minutes if number < first]:
            for took in self._minutes.pop(number).took:
                del self._took[bisect_left(self._took, took)]

    def _forget(self) -> None:
        """A day of a busy store would fill the memory: of what is older the counts alone are kept."""
        if len(self._took) > 2 * MOST:
            kept = 0
            for number in sorted(self._minutes, reverse=True):
                minute = self._minutes[number]
                if kept >= MOST:
                    minute.took = array("q")
                kept += len(minute.took)
            self._sort()
        if len(self._again) > 2 * MOST:
            self._again = dict(sorted(self._again.items())[-MOST:])

    def _sort(self) -> None:
        self._took = array("q", sorted(took for minute in self._minutes.values() for took in minute.took))
