"""Nights in which the clock changes, lived through by a real server at many times the speed, and clocks that are set.

The server's wall clock is libfaketime's, which stands before the C library; its monotonic clock goes on as it is. What
it finds late, because a second is minutes, is caught up whole: each fire must have its run, and only one.
"""

import os
import platform
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from importlib.util import find_spec

import pytest
from project import Project, until

from jobrunner.domain.job import ScheduleSpec
from jobrunner.domain.schedule import parse

FOUND = find_spec("libfaketime")
pytestmark = pytest.mark.skipif(
    FOUND is None or platform.machine() != "x86_64", reason="libfaketime's package is built for x86-64 only"
)

SCHEDULES = {
    "fixed": "30 2 * * *",
    "fixed-hours": "15 1,2,3 * * *",
    "wild": "*/15 * * * *",
    "wild-minute": "*/20 2 * * *",
    "hourly": "45 * * * *",
    "every": "every 10m",
}
MINUTE, QUARTER, HOUR = timedelta(minutes=1), timedelta(minutes=15), timedelta(hours=1)


class Night:
    """A project in a zone. Once its server fires, its clock shows ``start`` (UTC) and goes ``speed`` times as fast."""

    def __init__(self, where: Project, zone: str, start: datetime, speed: int) -> None:
        self.where, self.zone, self.start, self.speed = where, zone, start, speed
        self.shown, self.shown_at = start, 0.0
        jobs = f'[jobrunner]\ntimezone = "{zone}"\nworkers = 2\n[defaults]\ncatchup = "all"\ncatchup_window = "1d"\n'
        for name, expression in SCHEDULES.items():
            jobs += f'[jobs.{name}]\ncommand = "true"\nschedule = "{expression}"\noverlap = "allow"\n'
        where.write(jobs)

    @contextmanager
    def lived(self) -> Iterator[None]:
        """A server on that clock. However long it takes to start, it does so a quarter of an hour before."""
        assert FOUND is not None
        assert FOUND.submodule_search_locations is not None
        folder = FOUND.submodule_search_locations[0]
        self._show(self.start - QUARTER, 1)
        with self.where.server(
            LD_PRELOAD=os.path.join(folder, "vendor/libfaketime/src/libfaketime.so.1"),
            FAKETIME_TIMESTAMP_FILE=str(self.where.folder / "clock"),
            FAKETIME_NO_CACHE="1",
            DONT_FAKE_MONOTONIC="1",
            FAKETIME_DONT_FAKE_MONOTONIC="1",
            NO_FAKE_STAT="1",
        ):
            until(lambda: self._rows("SELECT 1 FROM schedules"), "schedules in force")
            self._show(self.start)
            yield

    def turn(self, shift: timedelta) -> None:
        """Sets the clock to so much beside what it shows."""
        self._show(self.shown + (time.monotonic() - self.shown_at) * self.speed * timedelta(seconds=1) + shift)

    def _show(self, instant: datetime, speed: int | None = None) -> None:
        """Has the clock show an instant and go on from there."""
        fresh = self.where.folder / "clock.new"
        fresh.write_text(f"@{instant:%Y-%m-%d %H:%M:%S} x{speed or self.speed}\n")
        fresh.replace(self.where.folder / "clock")
        self.shown, self.shown_at = instant, time.monotonic()

    def reaches(self, instant: datetime) -> None:
        """Waits for a fire of ``every`` after an instant: by then those up to the instant are decided."""
        until(lambda: self.fires()["every"][-1:] > [instant], f"{instant} on the server's clock")

    def fires(self) -> dict[str, list[datetime]]:
        """The fire times of all runs, by job, in order."""
        rows = self._rows("SELECT job, fire_time FROM runs ORDER BY fire_time")
        return {name: [_instant(at) for job, at in rows if job == name] for name in SCHEDULES}

    def check(self, end: datetime) -> None:
        """Every fire from the start of the schedules up to ``end`` has one run, and nothing else has."""
        ((applied,),) = self._rows("SELECT DISTINCT applied_at FROM schedules")
        found = self.fires()
        for name, expression in SCHEDULES.items():
            rule = parse(ScheduleSpec(expression), job=name, timezone=self.zone)
            assert [at for at in found[name] if at <= end] == list(rule.between(_instant(applied), end)), name
        assert self._rows("SELECT job, decision, detail FROM decisions") == []

    def _rows(self, sql: str) -> list[tuple[object, ...]]:
        with sqlite3.connect(self.where.folder / "jobrunner.db") as db:
            found = db.execute(sql).fetchall()
        db.close()
        return found


def _instant(micros: object) -> datetime:
    assert isinstance(micros, int)
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=micros)


SPRING = datetime(2026, 3, 29, 0, 25, tzinfo=UTC)
AUTUMN = datetime(2026, 10, 24, 23, 55, tzinfo=UTC)


def test_the_night_of_spring(project: Callable[[str], Project]) -> None:
    night = Night(project(""), "Europe/Madrid", SPRING, 1_200)
    with night.lived():
        night.reaches(SPRING + 65 * MINUTE)
    night.check(SPRING + 65 * MINUTE)
    assert night.fires()["fixed"] == [datetime(2026, 3, 29, 1, 0, tzinfo=UTC)]
    assert night.fires()["wild-minute"] == []


def test_the_night_of_autumn_with_a_clock_that_is_set(project: Callable[[str], Project]) -> None:
    """An hour back in the repeated hour, where nothing may come twice, and half an hour forward again."""
    night = Night(project(""), "Europe/Madrid", AUTUMN, 2_400)
    with night.lived():
        night.reaches(AUTUMN + 75 * MINUTE)
        night.turn(-HOUR)
        night.reaches(AUTUMN + 95 * MINUTE)
        night.turn(-HOUR / 2)
        night.reaches(AUTUMN + 155 * MINUTE)
    night.check(AUTUMN + 155 * MINUTE)
    assert night.fires()["fixed"] == [datetime(2026, 10, 25, 0, 30, tzinfo=UTC)]


NIGHTS = {
    "Europe/Madrid spring": ("Europe/Madrid", SPRING),
    "Europe/Madrid autumn": ("Europe/Madrid", AUTUMN),
    "Australia/Lord_Howe": ("Australia/Lord_Howe", datetime(2026, 4, 4, 14, 5, tzinfo=UTC)),
    "Pacific/Chatham": ("Pacific/Chatham", datetime(2026, 9, 26, 13, 5, tzinfo=UTC)),
    "Africa/Casablanca": ("Africa/Casablanca", datetime(2026, 3, 22, 1, 5, tzinfo=UTC)),
    "Asia/Kathmandu on a leap day": ("Asia/Kathmandu", datetime(2028, 2, 28, 17, 15, tzinfo=UTC)),
}


@pytest.mark.faults
@pytest.mark.parametrize("name", NIGHTS)
def test_slow_nights(project: Callable[[str], Project], name: str) -> None:
    zone, start = NIGHTS[name]
    end = _tens(start + 150 * MINUTE)
    night = Night(project(""), zone, start, 180)
    with night.lived():
        night.reaches(_tens(start + 60 * MINUTE))
        night.turn(-MINUTE * 40)
        night.reaches(_tens(start + 80 * MINUTE))
        night.turn(MINUTE * 20)
        night.reaches(end)
    night.check(end)


def _tens(instant: datetime) -> datetime:
    return instant.replace(minute=instant.minute // 10 * 10)
