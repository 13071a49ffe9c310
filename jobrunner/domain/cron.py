"""Cron expressions to canonical fields: every way to write the same times gives the same value.

Called by ``schedule`` and ``words``. Grammar: README's section on schedules; day rule and stars as in Vixie's cron.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache, lru_cache
from typing import TYPE_CHECKING, NamedTuple

from jobrunner.domain.cron_mistakes import (
    alias_hint,
    field_count_hint,
    quote,
    unreadable_hint,
    wrapping_hint,
)
from jobrunner.errors import ScheduleError

if TYPE_CHECKING:
    from hashlib import blake2b

LONGEST = 256
"""Characters that an expression may have."""

ALIASES = {
    "@hourly": "0 * * * *",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@weekly": "0 0 * * 0",
    "@monthly": "0 0 1 * *",
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
}


class Field(NamedTuple):
    """One field of an expression: what it is called, its values, and the names that stand for some of them."""

    name: str
    low: int
    high: int
    names: tuple[str, ...] = ()


SECOND = Field("second", 0, 59)
MINUTE = Field("minute", 0, 59)
HOUR = Field("hour", 0, 23)
DAY = Field("day", 1, 31)
MONTH = Field(
    "month",
    1,
    12,
    tuple("january february march april may june july august september october november december".split()),  # noqa: SIM905
)
WEEKDAY = Field("weekday", 0, 7, tuple("sunday monday tuesday wednesday thursday friday saturday".split()))  # noqa: SIM905
"""Its values go to 7, which is Sunday again, as in Vixie's cron: ``5/2`` is Friday and Sunday."""

FIELDS = (SECOND, MINUTE, HOUR, DAY, MONTH, WEEKDAY)
"""In the order in which they are written."""


class Days(NamedTuple):
    """Which days of a month match. All are bit masks.

    ``days`` has bit d for day d; ``from_end`` bit n for n days before the last; ``near`` bit d for the weekday nearest
    to day d, bit 0 for the last weekday of the month; ``weekdays`` bit w (Sunday is 0); ``last`` bit w for the last
    such day of the month; ``nth`` bit 5 * w + n - 1 for the nth. ``either``: a day matches by day of month or by
    weekday; otherwise it must by both.
    """

    days: int
    from_end: int
    near: int
    weekdays: int
    last: int
    nth: int
    either: bool


class Cron(NamedTuple):
    """Canonical fields. Masks have bit v for value v. ``fixed``: neither second, minute nor hour begins with a star."""

    seconds: int
    minutes: int
    hours: int
    months: int
    days: Days
    fixed: bool


def parse_cron(expression: str, *, job: str) -> Cron:
    """Reads five fields, six with seconds first, or an alias; ``job`` is the name that ``H`` is hashed from.

    Raises:
        ScheduleError: it cannot be read; what is wrong and what to write instead.
    """
    second, minute, hour, day, month, weekday = split_fields(expression)
    return Cron(
        _plain(SECOND, second, job),
        _plain(MINUTE, minute, job),
        _plain(HOUR, hour, job),
        _plain(MONTH, month, job),
        _days(day, weekday, job if uses_hash(day) or uses_hash(weekday) else ""),
        not (second[0] in "*?" or minute[0] in "*?" or hour[0] in "*?"),
    )


@lru_cache(maxsize=4096)
def split_fields(expression: str) -> tuple[str, str, str, str, str, str]:
    """Texts of second, minute, hour, day, month and weekday; an alias is replaced, a left-out second is ``0``.

    Raises:
        ScheduleError: it is too long, an unknown alias, or has another number of fields.
    """
    if len(expression) > LONGEST:
        raise ScheduleError(f"a schedule of {len(expression)} characters", hint=f"write at most {LONGEST}")
    text = expression.strip(" \t")
    if text.startswith("@"):
        if text.lower() not in ALIASES:
            raise ScheduleError(f"there is no {quote(text)}", hint=alias_hint(text, tuple(ALIASES)))
        text = ALIASES[text.lower()]
    texts = text.replace("\t", " ").split(" ")
    if "" in texts:
        texts = [part for part in texts if part]
    match texts:
        case [minute, hour, day, month, weekday]:
            return "0", minute, hour, day, month, weekday
        case [second, minute, hour, day, month, weekday]:
            return second, minute, hour, day, month, weekday
    count = "1 field" if len(texts) == 1 else f"{len(texts)} fields"
    raise ScheduleError(f"{quote(expression)} has {count}", hint=field_count_hint(texts))


@lru_cache(maxsize=4096)
def uses_hash(expression: str) -> bool:
    """Whether an expression depends on the name of its job."""
    return ("H" in expression or "h" in expression) and _HASH_SIGN.search(expression) is not None


def hashed(job: str, purpose: str) -> int:
    """A number of 64 bits, the same for a job's name on every host, and another one for every purpose."""
    text = f"{purpose}\0{job}".encode("utf-8", "surrogatepass")
    return int.from_bytes(_hash_function()(text, digest_size=8).digest(), "big")


@cache
def _hash_function() -> type[blake2b]:
    from hashlib import blake2b

    return blake2b


def bits(mask: int) -> list[int]:
    """The values of a mask, rising."""
    return [value for value in range(mask.bit_length()) if mask >> value & 1]


_HASH_SIGN = re.compile(r"(?<![a-z0-9@])h(?![a-z])", re.ASCII | re.IGNORECASE)
_VALUE = r"\d+|[a-z]+"
_FLAGS = re.ASCII | re.IGNORECASE
_PLAIN = re.compile(
    rf"(?:(?P<star>[*?])|(?P<hash>h)(?:\((?P<from>\d+)-(?P<to>\d+)\))?|(?P<low>{_VALUE})(?:-(?P<high>{_VALUE}))?)"
    r"(?:/(?P<step>\d+))?",
    _FLAGS,
)
_FROM_END = re.compile(r"l(?:-(\d+))?", _FLAGS)
_NEAR = re.compile(r"(\d+|l)w", _FLAGS)
_LAST = re.compile(r"(\d+|[a-z]{2,})l", _FLAGS)
_NTH = re.compile(rf"({_VALUE})#(\d+)", _FLAGS)


def _plain(field: Field, text: str, job: str) -> int:
    if not job or not uses_hash(text):
        return _shared(field, text)
    return _bare_hash(field, job) if len(text) == 1 else _elements(field, text, job)


def _bare_hash(field: Field, job: str) -> int:
    """What ``_element`` gives for ``H``, without its expressions: a file may have 100,000."""
    low, high = _hash_bounds(field)
    return 1 << low + hashed(job, field.name) % (high - low + 1)


def _hash_bounds(field: Field) -> tuple[int, int]:
    """A day of the month from a bare ``H`` is at most 28, so that every month has it."""
    return field.low, 28 if field is DAY else 6 if field is WEEKDAY else field.high


@lru_cache(maxsize=4096)
def _shared(field: Field, text: str) -> int:
    """A file of many jobs has few different texts of fields, those aside that are hashed."""
    return _elements(field, text, "")


def _elements(field: Field, text: str, job: str) -> int:
    mask = 0
    for element in text.split(","):
        mask |= _element(field, element, job)
    return mask


@lru_cache(maxsize=4096)
def _days(day: str, weekday: str, job: str) -> Days:
    """A star at the start of either field means that both must match; without one, either is enough.

    Source: Debian cron 3.0pl1, ``entry.c`` (DOM_STAR, DOW_STAR) and ``cron.c`` (find_jobs).
    """
    days = from_end = near = weekdays = last = nth = 0
    for element in day.split(","):
        if match := _FROM_END.fullmatch(element):
            from_end |= 1 << _bounded(match[1] or "0", 0, 30, element, "L-n")
        elif match := _NEAR.fullmatch(element):
            near |= 1 << (0 if match[1] in "lL" else _value(DAY, match[1], element))
        else:
            days |= _element(DAY, element, job)
    for element in weekday.split(","):
        if match := _NTH.fullmatch(element):
            nth |= 1 << (
                5 * (_value(WEEKDAY, match[1], element) % 7) + _bounded(match[2], 1, 5, element, "n of #n") - 1
            )
        elif match := _LAST.fullmatch(element):
            last |= 1 << _value(WEEKDAY, match[1], element) % 7
        else:
            weekdays |= _element(WEEKDAY, element, job)
    return Days(days, from_end, near, weekdays, last, nth, day[0] not in "*?" and weekday[0] not in "*?")


def _element(field: Field, element: str, job: str) -> int:
    match = _PLAIN.fullmatch(element)
    if match is None:
        raise _unreadable(field, element)
    step = int(match["step"]) if match["step"] else None
    if step == 0:
        raise ScheduleError(f"{field.name} {quote(element)} has a step of 0", hint="a step is at least 1")
    if match["hash"]:
        return _mask(field, _hashed_values(field, match, step, job))
    if match["star"]:
        return _mask(field, range(field.low, field.high + 1, step or 1))
    low = _value(field, match["low"], element)
    if not match["high"]:
        return _mask(field, range(low, field.high + 1, step) if step else (low,))
    high = _value(field, match["high"], element)
    if high < low:
        instead = wrapping_hint(field.low, 6 if field is WEEKDAY else field.high, field.names, match, low, high, step)
        raise ScheduleError(f"{field.name} range {quote(element)} wraps around", hint=instead)
    return _mask(field, range(low, high + 1, step or 1))


def _hashed_values(field: Field, match: re.Match[str], step: int | None, job: str) -> range:
    low, high = _hash_bounds(field)
    if match["from"]:
        low, high = _value(field, match["from"], match[0]), _value(field, match["to"], match[0])
        if high < low:
            raise ScheduleError(f"{field.name} {quote(match[0])} runs backwards", hint=f"write H({high}-{low})")
    number, size = hashed(job, field.name), high - low + 1
    if step is None:
        return range(value := low + number % size, value + 1)
    return range(low + number % min(step, size), high + 1, step)


def _mask(field: Field, values: Iterable[int]) -> int:
    mask = 0
    for value in values:
        mask |= 1 << value
    return (mask | mask >> 7) & 0x7F if field is WEEKDAY else mask


def _value(field: Field, text: str, element: str) -> int:
    if text.isdecimal():
        value = int(text)
        if field.low <= value <= field.high:
            return value
        raise ScheduleError(f"there is no {field.name} {quote(text)}", hint=_values(field))
    for place, name in enumerate(field.names):
        if text.lower() in (name, name[:3]):
            return place + field.low
    raise _unreadable(field, element)


def _unreadable(field: Field, element: str) -> ScheduleError:
    hint = unreadable_hint(field.name, element) or _values(field)
    return ScheduleError(f"{field.name} {quote(element)} cannot be read", hint=hint)


def _bounded(text: str, low: int, high: int, element: str, what: str) -> int:
    if low <= int(text) <= high:
        return int(text)
    raise ScheduleError(f"no month has {quote(element)}", hint=f"{what} goes from {max(low, 1)} to {high}")


def _values(field: Field) -> str:
    if not field.names:
        return f"values go from {field.low} to {field.high}"
    first, last = field.names[0][:3], field.names[-1][:3]
    return f"values go from {field.low} to {field.high}, or {first} to {last}"
