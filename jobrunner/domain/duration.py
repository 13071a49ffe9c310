"""Durations as people write them, ``90s``, ``1h30m``, ``2d``, to timedelta and back. Used by every room."""

from __future__ import annotations

import re
from datetime import timedelta

from jobrunner.errors import UsageError

_UNITS = {"w": 604_800_000_000, "d": 86_400_000_000, "h": 3_600_000_000, "m": 60_000_000, "s": 1_000_000, "ms": 1_000}
_SHAPE = re.compile(r"(?:\d+(?:\.\d+)?(?:ms|[wdhms]))+", re.ASCII)
_PART = re.compile(r"(\d+(?:\.\d+)?)(ms|[wdhms])", re.ASCII)
_LONGEST = timedelta(days=36_525)


def parse_duration(text: str) -> timedelta:
    """Reads numbers with units in falling order: w, d, h, m, s, ms (``1d12h``, ``1.5h``). Never negative.

    Raises:
        UsageError: not a duration, a unit twice or out of order, or longer than a hundred years.
    """
    text = text.strip()
    if len(text) > 64 or not _SHAPE.fullmatch(text):
        raise UsageError(f"not a duration: {text[:64]!r}", hint='write it like "90s", "1h30m" or "2d"')
    micros, last = 0, None
    order = list(_UNITS)
    for number, unit in _PART.findall(text):
        place = order.index(unit)
        if last is not None and place <= last:
            raise UsageError(f"not a duration: {text!r}", hint='units go from large to small, like "1h30m"')
        last = place
        micros += round(float(number) * _UNITS[unit])
    if micros > _LONGEST / timedelta(microseconds=1):
        raise UsageError(f"too long: {text!r}", hint="at most a hundred years")
    return timedelta(microseconds=micros)


def format_duration(value: timedelta) -> str:
    """The shortest text that ``parse_duration`` reads back to the same value; zero is ``0s``."""
    micros = value // timedelta(microseconds=1)
    if micros < 0:
        return "-" + format_duration(-value)
    parts = []
    for unit in ("d", "h", "m"):
        count, micros = divmod(micros, _UNITS[unit])
        if count:
            parts.append(f"{count}{unit}")
    if micros and micros % _UNITS["s"] == 0:
        parts.append(f"{micros // _UNITS['s']}s")
    elif micros and micros % _UNITS["ms"] == 0 and micros < _UNITS["s"]:
        parts.append(f"{micros // _UNITS['ms']}ms")
    elif micros:
        parts.append(f"{micros / _UNITS['s']:.6f}".rstrip("0") + "s")
    return "".join(parts) or "0s"
