"""What may surprise in a schedule, in remarks of one line. Called by ``words`` for ``explain``, and ``simulation``."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from jobrunner.domain.clock import to_micros
from jobrunner.domain.cron import DAY, FIELDS, MONTH, WEEKDAY, Cron, Field, bits, split_fields, uses_hash
from jobrunner.domain.duration import format_duration
from jobrunner.domain.schedule import CronRule, IntervalRule, Schedule
from jobrunner.domain.walker import next_local
from jobrunner.domain.zone import Stretch

_YEAR = 366 * 86_400
_DAY_MICROS = 86_400_000_000
_ROUND = {"second": "minute", "minute": "hour", "hour": "day", "day": "month", "month": "year", "weekday": "week"}
_UNIT = {"second": "s", "minute": "m", "hour": "h"}
_STEP = re.compile(r"[*?]/(\d+)", re.ASCII)
_NUMBER = re.compile(r"(?:^|[,-])([1-7])", re.ASCII)
_LENGTHS = {31: (2, 4, 6, 9, 11), 30: (2,)}


def traps(schedule: Schedule, *, job: str = "", after: datetime) -> tuple[str, ...]:
    """Remarks on uneven steps, missing days, either-or days, hashes, and changes of the clock in the coming year."""
    match schedule.rule:
        case CronRule(cron, _):
            texts = split_fields(schedule.expression)
            return (
                *_hash_remarks(schedule.expression, job),
                *_step_remarks(texts),
                *_star_remarks(texts),
                *_day_remarks(texts[3], texts[5], cron),
                *_number_remarks(texts[3], texts[5]),
                *_clock_remarks(schedule.rule, after),
            )
        case IntervalRule(step, origin):
            return tuple(_interval_remarks(step, origin, schedule.zone))
    return ()


def clock_remark(rule: CronRule, change: Stretch) -> str | None:
    """What a change of the clock, the stretch that begins with it, does to fires; None where nobody would notice."""
    return _gap_remark(rule, change) or _overlap_remark(rule, change)


def _hash_remarks(expression: str, job: str) -> Iterator[str]:
    if uses_hash(expression) and not job:
        yield "H stands for a value that is hashed from the job's name: each job has its own times, these are of none"


def _step_remarks(texts: tuple[str, ...]) -> Iterator[str]:
    for field, text in zip(FIELDS, texts, strict=True):
        for element in text.split(","):
            if match := _STEP.fullmatch(element):
                yield from _uneven(field, element, int(match[1]))


def _uneven(field: Field, element: str, step: int) -> Iterator[str]:
    size = 7 if field is WEEKDAY else field.high - field.low + 1
    around = _ROUND[field.name]
    even = f"; 'every {step}{_UNIT[field.name]}' is even" if field.name in _UNIT else ""
    if step >= size:
        yield f"{field.name} {element} is only {field.name} {field.low}: a step does not leave its {around}{even}"
    elif size % step or field is DAY:
        last = field.low + (size - 1) // step * step
        yield f"{field.name} {element} begins anew each {around}: after {last} comes {field.low}{even}"


def _star_remarks(texts: tuple[str, ...]) -> Iterator[str]:
    for (finer, coarser), (fine, coarse) in zip(
        (("second", "minute"), ("minute", "hour")), ((texts[0], texts[1]), (texts[1], texts[2])), strict=True
    ):
        if fine in ("*", "?") and coarse not in ("*", "?", "*/1"):
            yield f"{finer} * is every {finer} of {coarser} {coarse}; for once in each, write 0 for the {finer}"


def _day_remarks(day: str, weekday: str, cron: Cron) -> Iterator[str]:
    if cron.days.either:
        yield "day and weekday are both given: a day that matches either is enough"
    elif day not in ("*", "?") and weekday not in ("*", "?"):
        star = f"day {day}" if day[0] in "*?" else f"weekday {weekday}"
        yield f"{star} begins with a star: a day must match both day and weekday"
    listed = 0 if day[0] in "*?" else cron.days.days | cron.days.near
    for number in (29, 30, 31):
        if listed >> number & 1 and not listed >> 28 & 1:
            yield from _missing_day(number, cron)
    if weekday != "*" and any(map(_reaches_sunday, weekday.split(","))):
        yield f"weekday {weekday} goes on to 7, which is Sunday again"
    fifth = [WEEKDAY.names[bit // 5].capitalize() for bit in bits(cron.days.nth) if bit % 5 == 4]
    if fifth:
        yield f"months without a fifth {' or '.join(fifth)} are left out"


def _reaches_sunday(element: str) -> bool:
    start, _, step = element.partition("/")
    if not step or start[0] in "*?hH" or "-" in start:
        return False
    first = int(start) if start.isdecimal() else [name[:3] for name in WEEKDAY.names].index(start[:3].lower())
    return first < 7 and (7 - first) % int(step) == 0


def _missing_day(number: int, cron: Cron) -> Iterator[str]:
    lacking = [MONTH.names[month - 1].capitalize() for month in _LENGTHS.get(number, ()) if cron.months >> month & 1]
    if lacking:
        yield f"day {number} is left out in {', '.join(lacking)}; L is the last day of every month"
    elif number == 29 and cron.months >> 2 & 1:
        yield "day 29 is left out in February, except in leap years"


def _clock_remarks(rule: CronRule, after: datetime) -> Iterator[str]:
    start = to_micros(after) // 1_000_000
    for change in rule.timeline.changes(start, start + _YEAR):
        remark = clock_remark(rule, change)
        if remark:
            yield remark


def _gap_remark(rule: CronRule, change: Stretch) -> str | None:
    """A job of every hour misses nothing that anybody would look for."""
    begin, end = change.done + 1, change.start + change.offset
    local = next_local(rule.cron, begin - 1)
    if local is None or local >= end:
        return None
    skipped = f"{_date(begin)}: the clock of {rule.timeline.name} goes from {_time(begin)} to {_time(end)}"
    if rule.cron.fixed:
        return f"{skipped}; what is due in between runs once, at {_time(end)}"
    return f"{skipped}; nothing runs in between" if _some_hours(rule.cron) else None


def _overlap_remark(rule: CronRule, change: Stretch) -> str | None:
    begin, end = change.start + change.offset, change.done + 1
    local = next_local(rule.cron, begin - 1)
    if local is None or local >= end or not (rule.cron.fixed or _some_hours(rule.cron)):
        return None
    times = "the first time only" if rule.cron.fixed else "both times"
    return (
        f"{_date(begin)}: the clock of {rule.timeline.name} goes back from {_time(end)} to {_time(begin)}; "
        f"what is due in between runs {times}"
    )


def _some_hours(cron: Cron) -> bool:
    return cron.hours != (1 << 24) - 1


def _number_remarks(day: str, weekday: str) -> Iterator[str]:
    """A question mark is how Quartz writes one of the days; its weekdays have other numbers."""
    if "?" in (day, weekday) and (match := _NUMBER.search(weekday)):
        here, there = (WEEKDAY.names[(int(match[1]) - shift) % 7].capitalize() for shift in (0, 1))
        yield f"weekday {match[1]} is {here}, as in cron; in Quartz, which also writes ?, it is {there}: write the name"


def _interval_remarks(step: int, origin: int, zone: str) -> Iterator[str]:
    interval = format_duration(timedelta(microseconds=step))
    if _DAY_MICROS % step and step % _DAY_MICROS:
        yield f"{interval} does not divide a day: the times of day differ from day to day"
    elif step >= _DAY_MICROS // 2 and zone != "UTC" and origin == 0:
        yield f"every {interval} counts from 1970-01-01T00:00Z, not from midnight in {zone}"


def _moment(local: int) -> datetime:
    return datetime.fromtimestamp(local, UTC)


def _date(local: int) -> str:
    return f"{_moment(local):%Y-%m-%d}"


def _time(local: int) -> str:
    return f"{_moment(local):%H:%M}"
