"""Time zones, instants, days and schedules as jobs.toml writes them."""

from __future__ import annotations

import re
from datetime import date, datetime, time
from functools import lru_cache
from typing import Any

from jobrunner.domain.job import (
    ScheduleSpec,
)
from jobrunner.jobfile import zones
from jobrunner.jobfile.shapes import (
    INVALID,
    SECOND,
    Duration,
    Key,
    Schema,
    Text,
)
from jobrunner.jobfile.source import Path, Source
from jobrunner.jobfile.tables import Table
from jobrunner.jobfile.words import shown


class Zone:
    """The IANA name of a time zone."""

    def read(self, value: Any, at: Path, source: Source) -> Any:
        if not isinstance(value, str):
            source.fault(at, f'must be the name of a time zone like "Europe/Madrid", not {shown(value)}')
            return INVALID
        wrong = zones.complaint(value)
        if wrong:
            source.fault(at, f"is {wrong}")
            return INVALID
        return value

    def schema(self) -> Schema:
        return {"type": "string", "minLength": 1}


class Instant:
    """A date or time, as TOML writes it or as such a text; ``end`` takes a mere date as its last moment.

    Gives a datetime, naive where no offset is written: it is then in the zone of the schedule.
    """

    def __init__(self, *, end: bool = False) -> None:
        self._end = end

    def read(self, value: Any, at: Path, source: Source) -> Any:
        found = _moment(value)
        if found is None:
            source.fault(at, f"must be a date or time like 2026-12-01 or 2026-12-01T06:00:00+01:00, not {shown(value)}")
            return INVALID
        if isinstance(found, datetime):
            return found
        return datetime.combine(found, time.max if self._end else time.min)

    def schema(self) -> Schema:
        return _dated({"type": "string", "pattern": f"^{_MOMENT}$"}, "date", *_TIMES)


class Day:
    """A date, as TOML writes it or as a text."""

    def read(self, value: Any, at: Path, source: Source) -> Any:
        found = _moment(value)
        if found is None or isinstance(found, datetime):
            source.fault(at, f"must be a date like 2026-12-25, not {shown(value)}")
            return INVALID
        return found

    def schema(self) -> Schema:
        return _dated({"type": "string", "pattern": r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$"}, "date")


class Schedule:
    """A cron expression, an interval, one date, a table of either, or a list of them; a tuple of ScheduleSpec.

    Whether an expression can be read is checked with the whole file. Times without an offset are naive in the spec.
    """

    def read(self, value: Any, at: Path, source: Source) -> Any:
        if not isinstance(value, list):
            one = self._one(value, at, source)
            if one is INVALID:
                return INVALID
            return _alone(one) if isinstance(value, str) else (one,)
        found = tuple(self._one(item, (*at, index), source) for index, item in enumerate(value))
        return INVALID if INVALID in found else found

    def _one(self, value: Any, at: Path, source: Source) -> Any:
        if isinstance(value, str) and re.fullmatch(_MOMENT, value.strip()) and _moment(value.strip()) is None:
            source.fault(at, f"is no day or time of the calendar: {shown(value)}")
            return INVALID
        if isinstance(value, str) and value.strip():
            return _lasting(value)
        if isinstance(value, dict):
            return self._table(value, at, source)
        moment = None if isinstance(value, str) else _moment(value)
        if moment is not None:
            return ScheduleSpec(expression=at_expression(moment))
        source.fault(at, f'must be a cron expression, "every 15m", a date, or a table, not {shown(value)}')
        return INVALID

    def _table(self, value: dict[str, Any], at: Path, source: Source) -> Any:
        found = _SCHEDULE_TABLE.read(value, at, source)
        if found is INVALID:
            return INVALID
        given = [name for name in ("cron", "every", "at") if name in found]
        if len(given) != 1:
            have = "none of them" if not given else " and ".join(given)
            source.fault(at, f"needs exactly one of cron, every and at; it has {have}")
            return INVALID
        bounds = {name: found[name] for name in ("timezone", "jitter", "start", "end") if name in found}
        return ScheduleSpec(expression=_written(given[0], value[given[0]], found[given[0]]), **bounds)

    def schema(self) -> Schema:
        texts = _dated({"type": "string", "minLength": 1}, "date", *_TIMES)["anyOf"]
        one = {"anyOf": [*texts, _SCHEDULE_TABLE.schema()]}
        return {"anyOf": [*one["anyOf"], {"type": "array", "items": one}]}


_TIMES = ("date-time", "date-time-local")


def _dated(text: Schema, *formats: str) -> Schema:
    """The schema of a text that may also be a date or time of TOML, which editors know by such formats."""
    return {"anyOf": [text, *({**text, "format": each} for each in formats)]}


def at_expression(moment: date) -> str:
    """The expression of a schedule that fires once."""
    return f"at {moment.isoformat()}" if isinstance(moment, datetime) else f"at {moment.isoformat()}T00:00:00"


def _moment(value: Any) -> date | None:
    if isinstance(value, date):
        return value
    if not isinstance(value, str) or not re.fullmatch(_MOMENT, value):
        return None
    try:
        return date.fromisoformat(value) if len(value) == 10 else datetime.fromisoformat(value.upper())
    except ValueError:
        return None


@lru_cache(maxsize=1024)
def _lasting(text: str) -> ScheduleSpec:
    """One value for all jobs of a file that have the same schedule."""
    return ScheduleSpec(expression=_expression(text))


@lru_cache(maxsize=1024)
def _alone(spec: ScheduleSpec) -> tuple[ScheduleSpec]:
    """One value, too, for all jobs that have nothing but this expression."""
    return (spec,)


def _expression(text: str) -> str:
    text = " ".join(text.split())
    if text[0].isdigit() and "-" in text[:5]:
        moment = _moment(text)
        if moment is not None:
            return at_expression(moment)
    return text


def _written(kind: str, raw: str, value: Any) -> str:
    if kind == "every":
        return f"every {raw.strip()}"
    return at_expression(value) if kind == "at" else " ".join(raw.split())


_TIME = r"[0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:\.[0-9]{1,6})?)?(?:[Zz]|[+-][0-9]{2}:[0-9]{2})?"
_MOMENT = rf"[0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}}(?:[Tt ]{_TIME})?"


_SCHEDULE_TABLE = Table(
    (
        Key(
            name="cron", shape=Text(like="a cron expression"), description="A cron expression.", examples=("0 2 * * *",)
        ),
        Key(
            name="every",
            shape=Duration(SECOND, low_text="1s"),
            description="An interval: fires at its multiples since `start`, else since 1970-01-01T00:00Z.",
            examples=("15m",),
        ),
        Key(
            name="at",
            shape=Instant(),
            description="The one instant at which it fires; without an offset in the zone of the schedule.",
            examples=("2026-12-01T06:00:00+01:00",),
        ),
        Key(
            name="timezone",
            shape=Zone(),
            description="The zone of this schedule; default: the one of [jobrunner].",
            examples=("Europe/Madrid",),
        ),
        Key(
            name="jitter",
            shape=Duration(),
            description="Starts are delayed by a part of it that is stable per job; the fire time stays.",
            examples=("5m",),
        ),
        Key(name="start", shape=Instant(), description="No fire time before it.", examples=("2026-12-01",)),
        Key(
            name="end",
            shape=Instant(end=True),
            description="No fire time after it; a date counts as a whole.",
            examples=("2026-12-31",),
        ),
    ),
    like="a schedule",
    foreign={"tz": "timezone", "expression": "cron", "interval": "every", "date": "at"},
)
