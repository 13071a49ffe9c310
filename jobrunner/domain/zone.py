"""Time zones as stretches of constant offset, so that schedules can be walked in plain integers.

Used by ``schedule`` and ``timepoint``. Seconds are counted from 1970-01-01T00:00: *instants* in UTC, *local* seconds as
if the wall clock were UTC.
"""

from __future__ import annotations

from bisect import bisect_right
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

from jobrunner.errors import UsageError

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

FIRST_INSTANT = -62_104_060_800
"""0002-01-01T00:00Z in seconds: nothing is computed before it."""

LAST_INSTANT = 253_370_764_800
"""9999-01-01T00:00Z in seconds: nothing is computed from it on."""

_DAY = 86_400
_BLOCK = 1 << 25  # thirteen months
_CORRECTION = 3 * 3_600
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Stretch(NamedTuple):
    """Instants from ``start`` up to but not including ``end``, all with the same ``offset`` (seconds east of UTC).

    ``done`` is the last local second that a fixed-time job has behind it when the stretch begins. Before an ordinary
    stretch it is the local second before ``start``; after a change of the clock it is the last one that the old offset
    showed, so that what a gap skipped is still to be done, and what an overlap repeats is done already. A change by
    more than three hours is a correction of the clock: everything starts afresh.

    Source: Debian cron 3.0pl1 ``cron.c``, the four kinds of wake-up.
    """

    start: int
    end: int
    offset: int
    done: int


class Timeline:
    """The stretches of one zone, found when they are asked for, ``block`` seconds at once, and kept."""

    __slots__ = ("_block", "_blocks", "name", "zone")

    def __init__(self, name: str, zone: ZoneInfo, *, block: int = _BLOCK) -> None:
        self.name = name
        self.zone = zone
        self._block = block
        self._blocks: dict[int, tuple[list[int], list[Stretch]]] = {}

    def stretch(self, instant: int) -> Stretch:
        """The stretch that contains an instant; it may be cut where it is long, never between two offsets."""
        number = instant // self._block
        starts, stretches = self._blocks.get(number) or self._explore(number)
        return stretches[bisect_right(starts, instant) - 1]

    def changes(self, after: int, until: int) -> list[Stretch]:
        """The stretches that begin with a change of the clock, ``after < start <= until``."""
        found = []
        stretch = self.stretch(after)
        while stretch.end <= until:
            before, stretch = stretch, self.stretch(stretch.end)
            if stretch.offset != before.offset:
                found.append(stretch)
        return found

    def _explore(self, number: int) -> tuple[list[int], list[Stretch]]:
        start, end = number * self._block, (number + 1) * self._block
        stretches = _cut(_stretches(self.zone, start - _DAY, end), start)
        self._blocks[number] = known = ([stretch.start for stretch in stretches], stretches)
        return known


def load_zone(name: str) -> ZoneInfo:
    """The zone of an IANA name.

    Raises:
        UsageError: there is no such zone.
    """
    from zoneinfo import ZoneInfo

    try:
        if not name.startswith(("right/", "posix/")):
            return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        pass
    raise UsageError(f"no such time zone: {name[:64]!r}", hint=_suggestion(name))


@lru_cache(maxsize=1024)
def timeline(name: str) -> Timeline:
    """The shared timeline of a zone.

    Raises:
        UsageError: there is no such zone.
    """
    return Timeline(name, load_zone(name))


def offset_at(zone: ZoneInfo, instant: int) -> int:
    """Seconds east of UTC that a zone has at an instant."""
    moment = _EPOCH + timedelta(seconds=min(max(instant, FIRST_INSTANT), LAST_INSTANT))
    offset = moment.astimezone(zone).utcoffset()
    assert offset is not None
    return offset.days * _DAY + offset.seconds


def change_between(zone: ZoneInfo, before: int, after: int) -> int:
    """The first instant with the offset that the zone has at ``after``, where it had another one at ``before``."""
    late = offset_at(zone, after)
    while after - before > 1:
        middle = (before + after) // 2
        if offset_at(zone, middle) == late:
            after = middle
        else:
            before = middle
    return after


def _stretches(zone: ZoneInfo, start: int, end: int) -> list[Stretch]:
    """Looks once a day: since 1939 no zone changed twice within four days."""
    found = []
    offset = offset_at(zone, start)
    done = start + offset - 1
    for instant in range(start + _DAY, end + _DAY, _DAY):
        later = offset_at(zone, instant)
        if later == offset:
            continue
        change = change_between(zone, instant - _DAY, instant)
        if change >= end:
            break
        found.append(Stretch(start, change, offset, done))
        start, done, offset = change, _done_after(change, offset, later), later
    found.append(Stretch(start, end, offset, done))
    return found


def _done_after(change: int, before: int, after: int) -> int:
    shift = after - before
    if -_CORRECTION <= shift < _CORRECTION:
        return change + before - 1
    return change + after - 1


def _cut(stretches: list[Stretch], start: int) -> list[Stretch]:
    kept = []
    for stretch in stretches:
        if stretch.end <= start:
            continue
        if stretch.start < start:
            done = max(stretch.done, start + stretch.offset - 1)
            stretch = stretch._replace(start=start, done=done)
        kept.append(stretch)
    return kept


def _suggestion(name: str) -> str:
    from difflib import get_close_matches
    from zoneinfo import available_timezones

    folded = {zone.casefold(): zone for zone in sorted(available_timezones())}
    cities = {zone.rpartition("/")[2].casefold(): zone for zone in sorted(folded.values())}
    wanted = name[:64].strip().replace(" ", "_").casefold()
    for known in (folded, cities):
        close = get_close_matches(wanted, known, n=1, cutoff=0.75)
        if close:
            return f"did you mean {known[close[0]]!r}?"
    return "use an IANA name such as 'Europe/Madrid' or 'UTC'"
