"""Instants and durations as people read them, and as JSON has them. Used by tables, details and the JSON shapes."""

from __future__ import annotations

from datetime import UTC, datetime, tzinfo
from typing import NamedTuple

_MINUTE, _HOUR, _DAY = 60, 3600, 86_400


class Times(NamedTuple):
    """How one view writes instants: in ``zone``, and relative to ``now`` where ``relative`` is set."""

    now: datetime
    zone: tzinfo
    relative: bool

    def when(self, instant: datetime | None) -> str:
        """``3 m ago`` for a terminal, ``2026-11-21 23:00:05 CET`` elsewhere; ``-`` for None."""
        if instant is None:
            return "-"
        return relative(instant, self.now) if self.relative else absolute(instant, self.zone)

    def full(self, instant: datetime | None) -> str:
        """The absolute time, on a terminal with the relative one behind it."""
        if instant is None:
            return "-"
        text = absolute(instant, self.zone)
        return f"{text} ({relative(instant, self.now)})" if self.relative else text

    def short(self, instant: datetime | None) -> str:
        """For a narrow column: ``3m ago`` and ``in 2h``, or the time of the day, of another day its date and time."""
        if instant is None:
            return "-"
        if self.relative:
            return _short(relative(instant, self.now))
        at, now = instant.astimezone(self.zone), self.now.astimezone(self.zone)
        return at.strftime("%H:%M:%S" if at.date() == now.date() else "%m-%d %H:%M")


def rfc3339(instant: datetime | None) -> str | None:
    """``2026-11-21T22:00:00.123456Z``: how JSON has an aware instant."""
    if instant is None:
        return None
    return instant.astimezone(UTC).isoformat(timespec="microseconds").removesuffix("+00:00") + "Z"


def absolute(instant: datetime, zone: tzinfo) -> str:
    """``2026-11-21 23:00:05 CET``, the instant in the zone and with it."""
    return instant.astimezone(zone).strftime("%Y-%m-%d %H:%M:%S %Z")


def relative(instant: datetime, now: datetime) -> str:
    """``3 m ago``, ``in 2 h``, ``now``; rounded down to one unit."""
    seconds = (instant - now).total_seconds()
    distance = _largest_unit(abs(seconds))
    if distance is None:
        return "now"
    return f"in {distance}" if seconds > 0 else f"{distance} ago"


def elapsed(seconds: float | None) -> str:
    """A measured duration in at most six characters: ``120ms``, ``4.1s``, ``12m03s``, ``3h05m``, ``2d04h``."""
    if seconds is None:
        return "-"
    if seconds < 0.9995:
        return f"{max(seconds, 0) * 1000:.0f}ms"
    if seconds < 59.95:
        return f"{seconds:.1f}s"
    whole = round(seconds)
    if whole < _HOUR:
        return f"{whole // _MINUTE}m{whole % _MINUTE:02d}s"
    if whole < _DAY:
        return f"{whole // _HOUR}h{whole % _HOUR // _MINUTE:02d}m"
    return f"{whole // _DAY}d{whole % _DAY // _HOUR:02d}h"


def _short(text: str) -> str:
    number, space, rest = text.removeprefix("in ").partition(" ")
    return f"{'in ' if text.startswith('in ') else ''}{number}{rest}" if space else text


def _largest_unit(seconds: float) -> str | None:
    if seconds < 1:
        return None
    for unit, size, until in (("s", 1, _MINUTE), ("m", _MINUTE, _HOUR), ("h", _HOUR, 2 * _DAY)):
        if seconds < until:
            return f"{int(seconds // size)} {unit}"
    days = int(seconds // _DAY)
    return f"{days} d" if days < 730 else f"{days // 365} y"
