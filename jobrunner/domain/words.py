"""Schedules in words, for ``explain`` and the dashboard: cron-descriptor's where it has them, ours for the rest."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from itertools import islice

from jobrunner.domain.cron import DAY, FIELDS, MONTH, WEEKDAY, Cron, Days, Field, bits, parse_cron, split_fields
from jobrunner.domain.duration import format_duration, parse_duration
from jobrunner.domain.job import ScheduleSpec
from jobrunner.domain.schedule import parse
from jobrunner.domain.status import Explanation
from jobrunner.domain.traps import traps
from jobrunner.domain.zone import load_zone

_END = datetime.max.replace(tzinfo=UTC)
_WORD = re.compile(r"(every|at)[ \t]+(.*)", re.IGNORECASE)
_STAR = re.compile(r"[*?](?:/1)?")
_SPOKEN = re.compile(r"(?:[*?]|(\d+|[a-z]{3,})(?:-(\d+|[a-z]{3,}))?)(?:/(\d+))?", re.ASCII | re.IGNORECASE)
_SPECIAL = re.compile(r"(?<![a-z])(?:l|lw)(?![a-z])|\dw|[a-z0-9]l$|#", re.ASCII | re.IGNORECASE)
_UNITS = {"d": "day", "h": "hour", "m": "minute", "s": "second", "ms": "millisecond"}
_ORDINALS = ("first", "second", "third", "fourth", "fifth")


def explain(expression: str, *, timezone: str, job: str = "", after: datetime, n: int) -> Explanation:
    """An expression in words, the ``n`` fires strictly after an instant, and remarks on what may surprise.

    Raises:
        ScheduleError: it cannot be read, never fires, or its zone does not exist.
    """
    schedule = parse(ScheduleSpec(expression=expression), job=job, timezone=timezone)
    zone = load_zone(timezone)
    fires = islice(schedule.between(after, _END), max(n, 0))
    return Explanation(
        expression=expression,
        timezone=timezone,
        description=describe(expression, job=job),
        next=tuple(fire.astimezone(zone) for fire in fires),
        notes=traps(schedule, job=job, after=after),
    )


def describe(expression: str, *, job: str = "") -> str:
    """When a schedule fires, as an English phrase that begins with a capital letter. For what ``parse`` accepts.

    Raises:
        UsageError: it cannot be read.
    """
    if word := _WORD.fullmatch(expression.strip(" \t")):
        if word[1].lower() == "at":
            return f"Once, at {word[2].strip()}"
        return f"Every {_duration_words(parse_duration(word[2]))}"
    texts, cron = split_fields(expression), parse_cron(expression, job=job)
    plain = [_plain(*parts) for parts in zip(FIELDS, texts, _masks(cron), strict=True)]
    if _library_knows(texts[3], texts[5], cron.days):
        return _library_words(" ".join(plain), expression)
    times = _library_words(" ".join([*plain[:3], "* * *"]), expression)
    return f"{times}, {_day_words(cron.days)}{_month_words(cron)}"


def _masks(cron: Cron) -> tuple[int, ...]:
    return cron.seconds, cron.minutes, cron.hours, cron.days.days, cron.months, cron.days.weekdays


def _plain(field: Field, text: str, mask: int) -> str:
    """The field as the library reads it rightly: no names in full, no ``H``, no steps that leave the field."""
    elements = text.split(",")
    if any(_STAR.fullmatch(element) for element in elements):
        return "*"
    if field in (DAY, WEEKDAY) and any(_SPECIAL.search(element) for element in elements):
        return _short_names(field, text)
    if all(_fits(field, element) for element in elements):
        return ",".join(_single(element) for element in _short_names(field, text).replace("?", "*").split(","))
    return ",".join(map(str, bits(mask)))


def _fits(field: Field, element: str) -> bool:
    match = _SPOKEN.fullmatch(element)
    if match is None:
        return False
    return match[3] is None or (field not in (MONTH, WEEKDAY) and _even(field, int(match[3])))


def _even(field: Field, step: int) -> bool:
    """The library calls ``*/45`` "every 45 minutes", which it is not."""
    size = field.high - field.low + 1
    return 0 < step <= size // 2 and (field is DAY or size % step == 0)


def _single(element: str) -> str:
    low, _, high = element.partition("-")
    return low if low == high else element


def _short_names(field: Field, text: str) -> str:
    text = text.lower()
    for name in field.names:
        text = text.replace(name, name[:3])
    return text.upper()


def _library_knows(day: str, weekday: str, days: Days) -> bool:
    if any("," in text and _SPECIAL.search(text) for text in (day, weekday)):
        return False
    return days.either or bool(_STAR.fullmatch(day)) or bool(_STAR.fullmatch(weekday))


def _library_words(fields: str, expression: str) -> str:
    from cron_descriptor import FormatError, MissingFieldError, Options, WrongArgumentError, get_description

    seconds, _, rest = fields.partition(" ")
    try:
        options = Options(locale_code="en_US", use_24hour_time_format=True)
        return str(get_description(rest if seconds == "0" else fields, options))
    except (FormatError, MissingFieldError, WrongArgumentError, ValueError, LookupError):
        return f"At the times of {expression.strip()!r}"


def _day_words(days: Days) -> str:
    by_day, by_weekday = _days_of_month(days), _weekdays(days)
    if days.either:
        return f"on {_listed(by_day, 'and')} of the month, or on {_listed(by_weekday, 'and')}"
    if days.weekdays == 0x7F:
        return f"on {_listed(by_day, 'and')} of the month"
    if days.days == 0xFFFF_FFFE:
        return f"on {_listed(by_weekday, 'and')}"
    return f"on {_listed(by_day, 'and')} of the month, only if that is {_listed(by_weekday, 'or')}"


def _days_of_month(days: Days) -> list[str]:
    plain = [str(day) for day in bits(days.days)]
    return [
        *([f"day{'s' if len(plain) > 1 else ''} {', '.join(plain)}"] if plain else []),
        *(f"the weekday nearest day {day}" for day in bits(days.near) if day),
        *(f"{back} {'day' if back == 1 else 'days'} before the last day" for back in bits(days.from_end)[::-1] if back),
        *(["the last weekday"] if days.near & 1 else []),
        *(["the last day"] if days.from_end & 1 else []),
    ]


def _weekdays(days: Days) -> list[str]:
    names = [name.capitalize() for name in WEEKDAY.names]
    return [
        *(names[weekday] for weekday in bits(days.weekdays)),
        *(f"the {_ORDINALS[bit % 5]} {names[bit // 5]} of the month" for bit in bits(days.nth)),
        *(f"the last {names[weekday]} of the month" for weekday in bits(days.last)),
    ]


def _month_words(cron: Cron) -> str:
    months = [MONTH.names[month - 1].capitalize() for month in bits(cron.months)]
    return "" if len(months) == 12 else f", only in {_listed(months, 'and')}"


def _listed(words: list[str], last: str) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} {last} {words[-1]}"


def _duration_words(duration: timedelta) -> str:
    parts = re.findall(r"([\d.]+)([a-z]+)", format_duration(duration))
    if len(parts) == 1 and parts[0][0] == "1":
        return _UNITS[parts[0][1]]
    words = [f"{number} {_UNITS[unit]}{'' if number == '1' else 's'}" for number, unit in parts]
    return _listed(words, "and")
