"""The days of a calendar's file: one date in each line, then anything; ``#`` begins a comment. Used by ``whole``."""

from __future__ import annotations

from datetime import date

from jobrunner.jobfile.source import read_text
from jobrunner.jobfile.words import shown


def read_days(path: str) -> tuple[tuple[date, ...], str | None]:
    """The days in a file, and what is wrong with it, None where nothing is."""
    text, complaint = read_text(path)
    if text is None:
        return (), complaint
    days = []
    for number, line in enumerate(text.removeprefix("\ufeff").splitlines(), 1):
        words = line.partition("#")[0].split(maxsplit=1)
        if not words:
            continue
        day = _day(words[0])
        if day is None:
            return (), f"line {number}: must begin with a date like 2026-12-25, not with {shown(words[0])}"
        days.append(day)
    return tuple(days), None


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text) if len(text) == 10 else None
    except ValueError:
        return None
