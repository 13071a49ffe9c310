"""What to write instead of a cron expression that cannot be read. Called by ``cron`` when it refuses one."""

from __future__ import annotations

import re

_FIVE = "write five (minute hour day month weekday), or six with seconds first"
_MISTAKES = tuple(
    (fields, re.compile(shape, re.ASCII | re.IGNORECASE), hint)
    for fields, shape, hint in (
        ("", r"", "take out the comma too many"),
        ("", r"\*(\d+)", r"write '*/\1'"),
        ("", r"/(\d+)", r"write '*/\1'"),
        ("", r"(.*)/", "write a number after the slash"),
        ("", r"(\d+)~(\d+)", r"write 'H(\1-\2)' for a value that is stable for each job"),
        ("", r"(?:\d*~\d*/\d+|~|r(?:\(.*\))?)", "write 'H' for a value that is stable for each job"),
        ("", r"([a-z]+|\d+)\.\.([a-z]+|\d+)", r"write '\1-\2'"),
        ("", r"h\((.*)\).*", "write it like 'H(0-29)' or 'H(0-29)/10'"),
        ("weekday", r"l", "write 'sat' for Saturdays, or 'satL' for the last one of the month"),
        ("weekday", r"l(\d)", r"write '\1L' for the last such day of the month"),
        ("weekday", r"(?:.*)w", "W, a nearest weekday, belongs to the field for the day of the month"),
        ("day", r"\$", "write 'L' for the last day of the month"),
        ("day", r"w(\d+)", r"write '\1W'"),
        ("day", r"(\d+)-l", r"write '\1-31'"),
        ("day", r"l-\d+w", "write 'LW' for the last weekday of the month"),
        ("day", r".*#.*|\d+l|[a-z]{3,}l?", "weekdays stand in the last field"),
        ("day weekday", r".*[lw#].*/.*", "L, W and # take no step"),
        ("day weekday", r".*-.*[lw#].*|.*[lw#].*-.*", "L, W and # take no range, write a list"),
        ("second minute hour month", r"l|w|lw|\d+[lw]|.*#.*", "L, W and # belong to the fields for days"),
        ("hour", r"\d+[ap]m", "hours go from 0 to 23"),
        ("second minute hour", r"[a-z]{3,}", "names belong to the fields for months and weekdays"),
    )
)
_EACH = re.compile(r"@every_(second|minute)", re.IGNORECASE)


def quote(text: str) -> str:
    """A piece of an expression, fit for a message of one line."""
    shown = ascii(text)
    return shown if len(shown) <= 64 else f"{shown[:60]}...{shown[0]}"


def alias_hint(text: str, known: tuple[str, ...]) -> str:
    """What to write instead of an alias that does not exist."""
    if text.lower() == "@reboot":
        return "the start of a machine is no time; start the job from a unit of the system"
    if unit := _EACH.fullmatch(text):
        return f"write {quote('every 1' + unit[1][0].lower())}"
    if text[1:].isdecimal():
        return f"write {quote(f'every {text[1:]}s')} for an interval of seconds"
    if text.lower().startswith("@every") and text[6:].strip():
        return f"write {quote('every ' + text[6:].strip())}"
    return "write 'every 15m' for an interval, or one of " + " ".join(known)


def field_count_hint(texts: list[str]) -> str:
    """What to write instead of too few or too many fields."""
    if len(texts) == 7:
        return f"there is no field for years (use start and end); {_FIVE}"
    if len(texts) < 5:
        return f"{_FIVE}; or 'every 15m', or 'at 2026-12-01T06:00:00Z'"
    return _FIVE


def unreadable_hint(field: str, element: str) -> str | None:
    """What to write instead of an element that looks like a known mistake; None for others."""
    for fields, shape, hint in _MISTAKES:
        if (not fields or field in fields.split()) and (match := shape.fullmatch(element)):
            return match.expand(hint)
    return None


def wrapping_hint(
    first: int, top: int, names: tuple[str, ...], match: re.Match[str], low: int, high: int, step: int | None
) -> str:
    """The list to write instead of a range that wraps, of a field whose values go from ``first`` to ``top``.

    Vixie's cron takes such a range for no value at all, and others disagree on its steps.
    """
    values = [*range(low, top + 1), *range(first, high + 1)][:: step or 1]
    if names and not match["low"].isdecimal():
        return "write '" + ",".join(names[value - first][:3] for value in values) + "'"
    if step or len(values) <= 8:
        return "write '" + ",".join(str(value) for value in values) + "'"
    return f"write '{low}-{top},{first}-{high}'"
