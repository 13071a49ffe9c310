"""An oracle for schedules: the parser and the main loop of Debian's cron 3.0pl1, written down again in Python.

Source: ``entry.c`` (get_range, DOM_STAR, DOW_STAR, MIN_STAR, HR_STAR) and ``cron.c`` (main, find_jobs).
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

_RANGES = ((0, 59), (0, 23), (1, 31), (1, 12), (0, 7))
_MONTHS, _WEEKDAYS = "jan feb mar apr may jun jul aug sep oct nov dec", "sun mon tue wed thu fri sat"
_NAMES = {name: place for place, name in enumerate(_MONTHS.split(), 1)}
_NAMES |= {name: place for place, name in enumerate(_WEEKDAYS.split())}
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MINUTE_COUNT = 60


class Entry:
    """One line of a crontab."""

    def __init__(self, expression: str) -> None:
        texts = expression.split()
        self.minutes, self.hours, self.days, self.months, weekdays = (
            {value for element in text.split(",") for value in _range(element, low, high)}
            for text, (low, high) in zip(texts, _RANGES, strict=True)
        )
        self.weekdays = {value % 7 for value in weekdays}
        self.wild = texts[0][0] == "*" or texts[1][0] == "*"
        self.both = texts[2][0] == "*" or texts[4][0] == "*"
        self._days: dict[int, bool] = {}

    def matches(self, local_minute: int) -> bool:
        day, minute = divmod(local_minute, 1440)
        if minute % 60 not in self.minutes or minute // 60 not in self.hours:
            return False
        if day not in self._days:
            self._days[day] = self._matches_day(day)
        return self._days[day]

    def _matches_day(self, day: int) -> bool:
        date = _EPOCH + timedelta(days=day)
        if date.month not in self.months:
            return False
        by_day, by_weekday = date.day in self.days, date.isoweekday() % 7 in self.weekdays
        return (by_day and by_weekday) if self.both else (by_day or by_weekday)


def _range(element: str, low: int, high: int) -> range:
    span, _, step = element.partition("/")
    if span == "*":
        return range(low, high + 1, int(step or 1))
    first, _, last = (span if "-" in span else f"{span}-{span}").partition("-")
    return range(_number(first), _number(last) + 1, int(step or 1))


def _number(text: str) -> int:
    return _NAMES[text.lower()] if text.isalpha() else int(text)


class Night:
    """What the main loop asks for, minute by minute, in a zone from one instant to another (both on full minutes)."""

    def __init__(self, zone: ZoneInfo, start: datetime, end: datetime) -> None:
        self.start, self.end = start, end
        self._wild: list[tuple[int, int]] = []
        self._fixed: list[tuple[int, int]] = []
        now, last = _minute(start), _minute(end)
        virtual = self._clock(zone, now)
        while now < last:
            now += 1
            virtual = self._wake(now, self._clock(zone, now), virtual)

    def fires(self, entry: Entry) -> list[datetime]:
        """The instants after ``start``, up to and with ``end``, at which an entry runs at least once."""
        calls = self._wild if entry.wild else self._fixed
        found = {now for now, local in calls if entry.matches(local)}
        return [_EPOCH + timedelta(minutes=now) for now in sorted(found)]

    @staticmethod
    def _clock(zone: ZoneInfo, now: int) -> int:
        moment = _EPOCH + timedelta(minutes=now)
        offset = moment.astimezone(zone).utcoffset()
        assert offset is not None
        return now + offset // timedelta(minutes=1)

    def _wake(self, now: int, running: int, virtual: int) -> int:
        """The body of the loop after the sleep; gives the new virtual time."""
        difference = running - virtual
        if difference > 3 * _MINUTE_COUNT or difference <= -3 * _MINUTE_COUNT:
            self._find_jobs(now, running, wild=True, fixed=True)
            return running
        if difference <= 0:
            self._find_jobs(now, running, wild=True)
            return virtual
        if difference > 5:
            self._find_jobs(now, running, wild=True)
        for missed in range(virtual + 1, running + 1):
            self._find_jobs(now, missed, wild=difference <= 5, fixed=True)
        return running

    def _find_jobs(self, now: int, local: int, *, wild: bool, fixed: bool = False) -> None:
        if wild:
            self._wild.append((now, local))
        if fixed:
            self._fixed.append((now, local))


def _minute(moment: datetime) -> int:
    return (moment - _EPOCH) // timedelta(minutes=1)
