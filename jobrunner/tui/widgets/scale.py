"""A stretch of time as columns of a screen: which column an instant is in, where times and changes of the clock stand.

Pure.
"""

from __future__ import annotations

from datetime import datetime, timedelta, tzinfo
from typing import NamedTuple

_STEPS = tuple(
    timedelta(minutes=minutes) for minutes in (1, 5, 10, 15, 30, 60, 120, 180, 360, 720, 1440, 2880, 7 * 1440)
)
LENGTHS = (timedelta(hours=1), timedelta(hours=6), timedelta(days=1), timedelta(days=7))
"""What can be looked at at once."""


class Scale(NamedTuple):
    """``columns`` of equal length from ``begin`` to ``end``; times are written in ``zone``."""

    begin: datetime
    end: datetime
    columns: int
    zone: tzinfo

    @property
    def step(self) -> timedelta:
        """How long a column is."""
        return (self.end - self.begin) / max(self.columns, 1)

    def column(self, at: datetime) -> int | None:
        """The column of an instant, None outside."""
        if not self.begin <= at < self.end:
            return None
        return min(int((at - self.begin) / self.step), self.columns - 1)

    def axis(self) -> str:
        """Round times where they belong, as many as have room."""
        axis = [" "] * self.columns
        free = 0
        for at in self._round_times():
            text = at.astimezone(self.zone).strftime(self._form())
            place = self.column(at)
            if place is not None and place >= free and place + len(text) <= self.columns:
                axis[place : place + len(text)] = text
                free = place + len(text) + 2
        return "".join(axis)

    def clock_changes(self) -> list[tuple[int, timedelta]]:
        """Columns in which the clocks of the zone are changed, and by how much."""
        found = list[tuple[int, timedelta]]()
        before = self._offset(self.begin)
        for column in range(self.columns):
            after = self._offset(self.begin + self.step * (column + 1))
            if after != before:
                found.append((column, after - before))
            before = after
        return found

    def _round_times(self) -> list[datetime]:
        """Instants at round times of the zone's clock, a label's width or more apart."""
        least = self.step * (len(self.begin.strftime(self._form())) + 3)
        step = next((step for step in _STEPS if step >= least), _STEPS[-1])
        local = self.begin.astimezone(self.zone).replace(tzinfo=None)
        midnight = local.replace(hour=0, minute=0, second=0, microsecond=0)
        first = midnight + -((midnight - local) // step) * step
        count = int((self.end - self.begin) / step) + 2
        return [(first + step * number).replace(tzinfo=self.zone) for number in range(count)]

    def _form(self) -> str:
        length = self.end - self.begin
        return "%H:%M" if length <= timedelta(days=1) else "%a %d" if length > timedelta(days=3) else "%a %H:%M"

    def _offset(self, at: datetime) -> timedelta:
        return at.astimezone(self.zone).utcoffset() or timedelta()
