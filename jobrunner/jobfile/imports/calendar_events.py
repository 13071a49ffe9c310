"""systemd's calendar events and time spans, in the words of schedules. Called by ``timer_jobs``.

Source: systemd.time(7); each form is compared with ``systemd-analyze calendar`` by the tests where there is one.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import timedelta
from typing import Any, NamedTuple

from jobrunner.domain.job import ScheduleSpec
from jobrunner.domain.schedule import parse
from jobrunner.errors import JobrunnerError, ScheduleError
from jobrunner.jobfile import zones

_WORDS = {
    "minutely": "* * * * *",
    "hourly": "@hourly",
    "daily": "@daily",
    "monthly": "@monthly",
    "weekly": "0 0 * * mon",
    "yearly": "@yearly",
    "annually": "@yearly",
    "quarterly": "0 0 1 1,4,7,10 *",
    "semiannually": "0 0 1 1,7 *",
    "biannually": "0 0 1 1,7 *",
    "bi-annually": "0 0 1 1,7 *",
    "semi-annually": "0 0 1 1,7 *",
}
_WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_FULL = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_DATE = re.compile(r"(?:([^-~]+)-)?([^-~]+)([-~])([^-~]+)")
_ELEMENT = re.compile(r"(\d+)(?:\.\.(\d+))?(?:/(\d+))?", re.ASCII)
_LAST_DAY, _WEEK = 31, 7
_UNITS = {
    timedelta(microseconds=1): "us usec µs",
    timedelta(milliseconds=1): "ms msec",
    timedelta(seconds=1): "s sec second seconds",
    timedelta(minutes=1): "m min minute minutes",
    timedelta(hours=1): "h hr hour hours",
    timedelta(days=1): "d day days",
    timedelta(weeks=1): "w week weeks",
    timedelta(days=30.4375): "M month months",
    timedelta(days=365.25): "y year years",
}
_SIZES = {word: size for size, words in _UNITS.items() for word in words.split()}
_TOO_LONG = timedelta(days=36_525)


class NotSaid(JobrunnerError):
    """What cannot be said in the words of schedules; the message says why, to stand after the text itself."""


class Element(NamedTuple):
    """One part of a list: a value, the last of a range, a step. None where it is not written."""

    first: int
    last: int | None
    step: int | None


def schedule_of(event: str) -> dict[str, Any]:
    """The keys of a schedule (``cron`` or ``at``, ``timezone``, ``start``, ``end``) for one ``OnCalendar=``.

    Raises:
        NotSaid: it cannot be read, or no schedule fires like it.
    """
    words = event.split()
    zone = _zone(words)
    found = _schedule(words) | ({"timezone": zone} if zone else {})
    try:
        expression = found["cron"] if "cron" in found else f"at {found['at']}"
        parse(ScheduleSpec(expression=expression, timezone=zone), job="job", timezone="UTC")
    except ScheduleError as error:
        raise NotSaid(str(error)) from error
    return found


def span(text: str) -> timedelta | None:
    """A time span such as ``1h 30min``, a bare number being seconds; None for ``infinity``.

    Raises:
        NotSaid: it is none, or longer than a hundred years.
    """
    if text.strip() == "infinity":
        return None
    total, rest = timedelta(0), re.sub(r"\s+", "", text)
    if not re.fullmatch(r"(?:[0-9]+(?:\.[0-9]+)?[A-Za-zµ]*)+", rest):
        raise NotSaid("it is no time span")
    for number, unit in re.findall(r"([0-9]+(?:\.[0-9]+)?)([A-Za-zµ]*)", rest):
        size = _SIZES.get(unit or "s")
        if size is None or len(number) > 15 or float(number) * size.total_seconds() > _TOO_LONG.total_seconds():
            raise NotSaid("it is no time span of a hundred years at most")
        total += float(number) * size
    return total


def _zone(words: list[str]) -> str | None:
    """The time zone at the end, which is taken away."""
    if len(words) > 1 and re.fullmatch(r"[A-Z][A-Za-z0-9_+/-]+", words[-1]) and _weekdays(words[-1]) is None:
        zone = words.pop()
        wrong = zones.complaint(zone)
        if wrong:
            raise NotSaid(wrong)
        return zone
    return None


def _schedule(words: list[str]) -> dict[str, Any]:
    if len(words) == 1 and words[0].lower() in _WORDS:
        return {"cron": _WORDS[words[0].lower()]}
    rest = [part for word in words for part in re.split(r"(?<=\d)T(?=\d)", word)]
    weekdays = _weekdays(rest[0]) if rest else None
    if weekdays is not None:
        rest.pop(0)
    date = rest.pop(0) if rest and ":" not in rest[0] else "*-*-*"
    time = rest.pop(0) if rest else "00:00:00"
    match, times = _DATE.fullmatch(date), time.split(":")
    if rest or match is None or len(times) not in (2, 3) or (weekdays is None and not words):
        raise NotSaid("it cannot be read")
    hour, minute, second = _times([*times, "00"][:3])
    year, month, from_end, day = match[1] or "*", _plain(_list(match[2])), match[3] == "~", _list(match[4])
    if weekdays is None and not from_end and all(map(_single, (year, match[2], match[4], *times))):
        return {"at": f"{_year(year):04d}-{int(match[2]):02d}-{int(match[4]):02d}T{_clock(hour, minute, second)}"}
    days, weekday = _days(day, from_end, weekdays or [])
    fields = [minute, hour, days, month, weekday]
    return {"cron": " ".join(fields if second == "0" else [second, *fields]), **_years(year)}


def _weekdays(text: str) -> list[int] | None:
    """The weekdays of ``Mon..Fri,Sun``, Monday being 0; None where it is no such list."""
    found = set[int]()
    for part in text.lower().strip(",").split(","):
        ends = [_weekday(name) for name in re.split(r"\.\.|-", part)]
        if len(ends) > 2 or None in ends or ends[0] > ends[-1]:  # type: ignore[operator]
            return None
        found |= set(range(ends[0], ends[-1] + 1))  # type: ignore[arg-type, operator]
    return sorted(found)


def _weekday(name: str) -> int | None:
    for names in (_WEEKDAYS, _FULL):
        if name in names:
            return names.index(name)
    return None


def _times(texts: Iterable[str]) -> tuple[str, str, str]:
    hour, minute, second = (re.sub(r"(?<=\d)\.0+$", "", text) for text in texts)
    if re.search(r"\d\.\d", second):
        raise NotSaid("it has parts of a second")
    return _plain(_list(hour), 0), _plain(_list(minute), 0), _plain(_list(second), 0)


def _list(text: str) -> list[Element] | None:
    """The elements of a list; None for a star."""
    found = []
    for part in text.split(","):
        if part == "*":
            return None
        match = _ELEMENT.fullmatch(part)
        if match is None:
            raise NotSaid(f"{part!r} cannot be read")
        first, last, step = (int(number) if number else None for number in match.groups())
        if step == 0 or (last is not None and first is not None and last < first):
            raise NotSaid(f"{part!r} cannot be read")
        found.append(Element(first or 0, last, step))
    return found


def _plain(elements: list[Element] | None, lowest: int = 1) -> str:
    """A list as a field of cron; from the lowest value on is a star."""
    if elements is None:
        return "*"
    texts = []
    for first, last, step in elements:
        text = f"{first}-{last}" if last is not None else "*" if step and first == lowest else f"{first}"
        texts.append(f"{text}/{step}" if step else text)
    return ",".join(texts)


def _days(elements: list[Element] | None, from_end: bool, weekdays: list[int]) -> tuple[str, str]:
    """The fields for day and weekday. Both must match in systemd, and in cron only where one begins with a star."""
    if elements is None:
        return "*", _named(weekdays, "")
    days = _values(elements, from_end)
    if from_end and weekdays:
        if days == set(range(1, _WEEK + 1)):
            return "*", _named(weekdays, "L")
        raise NotSaid("a weekday among the last days of a month can only be the last one (~07/1)")
    if from_end:
        return ",".join("L" if day == 1 else f"L-{day - 1}" for day in sorted(days, reverse=True)), "*"
    if not weekdays or len(weekdays) == _WEEK:
        return _plain(elements), "*"
    weeks = [set(range(start, min(start + _WEEK, _LAST_DAY + 1))) for start in range(1, _LAST_DAY + 1, _WEEK)]
    if all(week <= days or not week & days for week in weeks):
        counts = [number for number, week in enumerate(weeks, 1) if week <= days]
        return "*", ",".join(_named(weekdays, f"#{number}") for number in counts)
    step = next((number for number in range(2, _LAST_DAY) if days == set(range(1, _LAST_DAY + 1, number))), None)
    if step is None:
        raise NotSaid("both its weekday and its day must match, which no cron expression says")
    return f"*/{step}", _named(weekdays, "")


def _values(elements: list[Element], from_end: bool) -> set[int]:
    """The days that a list means; those counted from the end run towards it."""
    found = set[int]()
    for first, last, step in elements:
        if from_end and last is None and step:
            found |= set(range(first, 0, -step))
        else:
            end = last if last is not None else _LAST_DAY if step else first
            found |= set(range(first, end + 1, step or 1))
    if not found <= set(range(1, _LAST_DAY + 1)):
        raise NotSaid(f"no month has a day {max(found)}")
    return found


def _named(weekdays: list[int], suffix: str) -> str:
    """Weekdays by name, in ranges where there are at least three in a row and nothing comes behind the name."""
    if not weekdays or (len(weekdays) == _WEEK and not suffix):
        return "*"
    if suffix:
        return ",".join(f"{_WEEKDAYS[day]}{suffix}" for day in weekdays)
    first, last = weekdays[0], weekdays[-1]
    if len(weekdays) > 2 and weekdays == list(range(first, last + 1)) and last < 6:
        return f"{_WEEKDAYS[first]}-{_WEEKDAYS[last]}"
    return ",".join(_WEEKDAYS[day] for day in weekdays)


def _single(text: str) -> bool:
    return text.isdecimal()


def _year(text: str) -> int:
    """Two digits are of this century, as systemd has it, up to 69."""
    year = int(text)
    return year + (2000 if year < 70 else 1900) if year < 100 else year


def _years(text: str) -> dict[str, str]:
    if text == "*":
        return {}
    elements = _list(text) or []
    if len(elements) != 1 or elements[0].step:
        raise NotSaid("its years are no range")
    first, last, _ = elements[0]
    return {"start": f"{_year(str(first)):04d}-01-01", "end": f"{_year(str(last or first)):04d}-12-31"}


def _clock(hour: str, minute: str, second: str) -> str:
    return f"{int(hour):02d}:{int(minute):02d}:{int(second):02d}"
