"""Statistics that a simulation gathers as it goes, in memory that does not grow with the number of runs.

Instants and durations are integer microseconds. Called by ``simulation``.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator

from jobrunner.domain.clock import from_micros
from jobrunner.domain.forecast import Collision, DayLoad, IdleWindow, Load
from jobrunner.domain.zone import Timeline

SLOT = 900_000_000
"""A quarter of an hour: every zone of today is a multiple of it away from UTC."""

_HOUR_SLOTS, _HALF_HOURS = 4, 48
_SECOND, _DAY_SECONDS = 1_000_000, 86_400
_DIGITS = 6
"""Binary digits by which delays are told apart."""

_KEPT = 5
_NAMED = 5


class Delays:
    """Delays of started runs, counted in classes that are two per cent wide at most."""

    __slots__ = ("_classes", "_count", "longest")

    def __init__(self) -> None:
        self.longest = self._count = 0
        self._classes = dict[int, list[int]]()

    def add(self, delay: int) -> None:
        """Notes a delay above zero."""
        self._count += 1
        if delay > self.longest:
            self.longest = delay
        shift = delay.bit_length() - _DIGITS
        number = delay >> shift << shift if shift > 0 else delay
        try:
            counted = self._classes[number]
        except KeyError:
            counted = self._classes[number] = [0, 0]
        counted[0] += 1
        counted[1] += delay

    def quantile(self, part: float, starts: int) -> int:
        """The delay that ``part`` of so many starts do not exceed; starts that were not added had none."""
        rank = part * starts - (starts - self._count)
        for number in sorted(self._classes) if rank > 0 else ():
            count, total = self._classes[number]
            rank -= count
            if rank <= 0:
                return total // count
        return 0


class LoadCurve:
    """How many attempts run, in slots of a quarter of an hour from ``start`` to ``end``."""

    __slots__ = ("_busy", "_carried", "_end", "_first", "_peak", "_start", "_starts", "peak", "peak_at")

    def __init__(self, start: int, end: int) -> None:
        count = max(-(-end // SLOT) - start // SLOT, 1)
        self.peak, self.peak_at = 0, start
        self._start, self._end, self._first = start, end, start // SLOT
        self._starts, self._busy = [0] * count, [0] * count
        self._carried, self._peak = [0] * count, [0] * count

    def started(self, at: int, count: int, running: int) -> None:
        """So many attempts start at once; ``running`` counts them too."""
        slot = at // SLOT - self._first
        self._starts[slot] += count
        if running > self._peak[slot]:
            self._peak[slot] = running
            if running > self.peak:
                self.peak, self.peak_at = running, at

    def ran(self, start: int, end: int) -> None:
        """An attempt ran from start to end, both within the window."""
        slot = start // SLOT - self._first
        border = (slot + self._first + 1) * SLOT
        while end > border:
            self._busy[slot] += border - start
            slot += 1
            self._carried[slot] += 1
            start, border = border, border + SLOT
        self._busy[slot] += end - start

    def hours(self) -> tuple[Load, ...]:
        """The load by the hour, from the hour that the window begins in."""
        found = []
        slot = -(self._first % _HOUR_SLOTS)
        while slot < len(self._busy):
            part = slice(max(slot, 0), slot + _HOUR_SLOTS)
            at = (slot + self._first) * SLOT
            covered = min(at + _HOUR_SLOTS * SLOT, self._end) - max(at, self._start)
            mean = sum(self._busy[part]) / covered
            peak = max(max(self._peak[part]), max(self._carried[part]))
            found.append(Load(at=from_micros(at), mean=mean, peak=peak, starts=sum(self._starts[part])))
            slot += _HOUR_SLOTS
        return tuple(found)

    def day(self, line: Timeline) -> tuple[DayLoad, ...]:
        """The load by the half-hour of the local day; half-hours that the window does not touch are left out."""
        busy, covered, peak = [0] * _HALF_HOURS, [0] * _HALF_HOURS, [0] * _HALF_HOURS
        for slot, half in enumerate(self._half_hours(line)):
            at = (slot + self._first) * SLOT
            busy[half] += self._busy[slot]
            covered[half] += min(at + SLOT, self._end) - max(at, self._start)
            peak[half] = max(peak[half], self._peak[slot], self._carried[slot])
        return tuple(
            DayLoad(minute=half * 30, mean=busy[half] / covered[half], peak=peak[half])
            for half in range(_HALF_HOURS)
            if covered[half]
        )

    def _half_hours(self, line: Timeline) -> Iterator[int]:
        for slot in range(self._first, self._first + len(self._busy)):
            second = slot * SLOT // _SECOND
            yield (second + line.stretch(second).offset) % _DAY_SECONDS // 1800


class Collisions:
    """Instants at which several runs are due, by the minute of the local day."""

    __slots__ = ("_line", "_minutes")

    def __init__(self, line: Timeline) -> None:
        self._line = line
        self._minutes = dict[int, _Minute]()

    def add(self, at: int, runs: int, names: Iterator[str]) -> None:
        """So many runs are due at once, of the jobs named."""
        second = at // _SECOND
        minute = (second + self._line.stretch(second).offset) % _DAY_SECONDS // 60
        known = self._minutes.get(minute)
        if known is None:
            known = self._minutes[minute] = _Minute()
        known.times += 1
        if runs > known.runs:
            known.at, known.runs, known.names = at, runs, tuple(sorted(names)[:_NAMED])

    def most(self) -> tuple[Collision, ...]:
        """The worst of them, the most runs first."""
        worst = heapq.nsmallest(_KEPT, self._minutes.values(), key=lambda found: (-found.runs, -found.times, found.at))
        return tuple(
            Collision(at=from_micros(found.at), runs=found.runs, jobs=found.names, times=found.times) for found in worst
        )


class _Minute:
    __slots__ = ("at", "names", "runs", "times")

    def __init__(self) -> None:
        self.at = self.runs = self.times = 0
        self.names: tuple[str, ...] = ()


class Idle:
    """The longest times in which nothing ran."""

    __slots__ = ("_longest", "_since")

    def __init__(self, start: int) -> None:
        self._since = start
        self._longest = list[tuple[int, int]]()

    def begin(self, at: int) -> None:
        """The last attempt ended."""
        self._since = at

    def end(self, at: int) -> None:
        """An attempt starts, or the window ends."""
        length = at - self._since
        if len(self._longest) < _KEPT:
            if length > 0:
                heapq.heappush(self._longest, (length, -self._since))
        elif length > self._longest[0][0]:
            heapq.heapreplace(self._longest, (length, -self._since))

    def windows(self) -> tuple[IdleWindow, ...]:
        """They, in order of time."""
        found = sorted((-since, length) for length, since in self._longest)
        return tuple(IdleWindow(start=from_micros(at), end=from_micros(at + length)) for at, length in found)
