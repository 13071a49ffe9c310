"""Blackouts: the days of calendars on which a job does not fire. One rule for servers and for ``simulate``."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime
from typing import NamedTuple

from jobrunner.domain.clock import to_micros
from jobrunner.domain.timepoint import local_to_instant
from jobrunner.domain.zone import Timeline

_DAY = 86_400
_EPOCH_DAY = date(1970, 1, 1).toordinal()


class DayOff(NamedTuple):
    """A day on which a job does not fire, and the calendar that says so. ``end`` is when its blackout is over: the
    midnight after the last of consecutive days, in microseconds since the epoch."""

    calendar: str
    day: date
    end: int


class DaysOff:
    """The days of calendars, by name, on the wall clock of a zone; a day of several counts as the first one's."""

    __slots__ = ("_calendars", "_line")

    def __init__(self, calendars: Mapping[str, Iterable[date]], line: Timeline) -> None:
        self._calendars = dict[int, str]()
        for name, days in calendars.items():
            for day in days:
                self._calendars.setdefault(day.toordinal() - _EPOCH_DAY, name)
        self._line = line

    def at(self, micros: int) -> DayOff | None:
        """The day off that contains an instant, None where there is none."""
        second = micros // 1_000_000
        number = (second + self._line.stretch(second).offset) // _DAY
        calendar = self._calendars.get(number)
        if calendar is None:
            return None
        following = number
        while following in self._calendars:
            following += 1
        midnight = datetime.fromtimestamp(following * _DAY, UTC).replace(tzinfo=None)
        end = to_micros(local_to_instant(midnight, self._line.zone))
        return DayOff(calendar, date.fromordinal(number + _EPOCH_DAY), end)
