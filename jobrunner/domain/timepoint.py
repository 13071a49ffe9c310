"""Points in time as people write them, to instants. Used by the command line, the file of jobs and ``schedule``.

Without an offset, a time is on the wall clock of the zone given: a repeated one is the first of the two, a skipped one
the end of the gap.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from jobrunner.domain.duration import parse_duration
from jobrunner.errors import UsageError

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

_HINT = "write it like '2026-12-01 06:00', '2026-12-01T06:00:00Z', 'now', 'tomorrow 06:00' or '+2h'"
_DAYS = {"yesterday": -1, "today": 0, "tomorrow": 1}
_CLOCK = r"(?P<hour>\d\d?):(?P<minute>\d\d)(?::(?P<second>\d\d)(?:\.(?P<fraction>\d{1,9}))?)?"
_RELATIVE_DAY = re.compile(rf"(?P<day>{'|'.join(_DAYS)})(?:[ \t]+{_CLOCK})?", re.ASCII | re.IGNORECASE)
_DATE = re.compile(
    rf"(?P<year>\d{{4}})-(?P<month>\d\d)-(?P<day>\d\d)(?:(?:[ \t]+|t){_CLOCK}[ \t]?"
    r"(?P<offset>z|[+-]\d\d:\d\d)?)?",
    re.ASCII | re.IGNORECASE,
)


def parse_time(text: str, *, now: datetime, zone: ZoneInfo) -> datetime:
    """An instant (aware, UTC) from RFC 3339, ``YYYY-MM-DD [HH:MM[:SS]]``, ``now``, ``tomorrow 06:00`` or ``+2h``.

    ``yesterday`` and ``today`` too. A day without a time begins at midnight; durations are added in real time.

    Raises:
        UsageError: it is no such text, or no such day or time exists.
    """
    text = text.strip()
    if len(text) > 64:
        raise _unreadable(text)
    if text.lower() == "now":
        return now.astimezone(UTC)
    if text[:1] in ("+", "-"):
        return _shifted(now, text)
    if match := _RELATIVE_DAY.fullmatch(text):
        day = now.astimezone(zone) + timedelta(days=_DAYS[match["day"].lower()])
        return local_to_instant(_on_the_clock(text, (day.year, day.month, day.day), match), zone)
    return parse_timestamp(text, zone=zone)


def parse_since(text: str, *, now: datetime, zone: ZoneInfo) -> datetime:
    """An instant (aware, UTC) from a duration, which is so long ago, or from any text of ``parse_time``.

    Raises:
        UsageError: it is neither.
    """
    text = text.strip()
    if re.fullmatch(r"[\d.]+[a-z].*", text, re.ASCII):
        return _shifted(now, "-" + text)
    return parse_time(text, now=now, zone=zone)


def parse_timestamp(text: str, *, zone: ZoneInfo) -> datetime:
    """An instant (aware, UTC) from RFC 3339 or ``YYYY-MM-DD [HH:MM[:SS]]``: the texts that mean the same tomorrow.

    Raises:
        UsageError: it is no such text, or no such day or time exists.
    """
    match = _DATE.fullmatch(text.strip()) if len(text) <= 64 else None
    if match is None:
        raise _unreadable(text)
    day = int(match["year"]), int(match["month"]), int(match["day"])
    naive = _on_the_clock(text, day, match)
    if match["offset"] is None:
        return local_to_instant(naive, zone)
    return naive.replace(tzinfo=UTC) - _offset(text, match["offset"])


def local_to_instant(naive: datetime, zone: ZoneInfo) -> datetime:
    """The instant (aware, UTC) of a wall clock's time: the first of two, or the end of the gap that skips it."""
    from jobrunner.domain.zone import change_between

    early, late = (naive.replace(tzinfo=zone, fold=fold).utcoffset() for fold in (0, 1))
    assert early is not None
    assert late is not None
    instant = naive.replace(tzinfo=UTC) - early
    if early >= late:
        return instant
    before = naive.replace(tzinfo=UTC) - late
    seconds = change_between(zone, int(before.timestamp()), int(instant.timestamp()))
    return datetime.fromtimestamp(seconds, UTC)


def _shifted(now: datetime, text: str) -> datetime:
    try:
        distance = parse_duration(text[1:])
    except UsageError as error:
        raise UsageError(error.message, hint=error.hint if text[1:].strip() else _HINT) from None
    return now.astimezone(UTC) + (distance if text[0] == "+" else -distance)


def _on_the_clock(text: str, day: tuple[int, int, int], match: re.Match[str]) -> datetime:
    hour, minute, second = (int(match[part] or 0) for part in ("hour", "minute", "second"))
    micros = int((match["fraction"] or "").ljust(6, "0")[:6])
    try:
        naive = datetime(*day, hour, minute, second, micros)  # noqa: DTZ001
    except ValueError:
        raise _nonexistent(text) from None
    if not 1 < naive.year < 9_999:
        raise UsageError(f"too far away: {text[:64]!a}", hint="years go from 2 to 9998")
    return naive


def _offset(text: str, offset: str) -> timedelta:
    if offset in "zZ":
        return timedelta(0)
    hours, minutes = int(offset[1:3]), int(offset[4:6])
    if hours > 23 or minutes > 59:
        raise _nonexistent(text)
    return timedelta(hours=hours, minutes=minutes) * (-1 if offset[0] == "-" else 1)


def _unreadable(text: str) -> UsageError:
    return UsageError(f"not a time: {text[:64]!a}", hint=_HINT)


def _nonexistent(text: str) -> UsageError:
    return UsageError(f"there is no such time: {text[:64]!a}", hint=_HINT)
