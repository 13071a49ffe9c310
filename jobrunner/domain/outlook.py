"""What is ahead of one job: its schedules in words, its next fires, and how many other jobs start with it. Pure.

Shown while a job is edited, of the definition as it is typed.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime, timedelta
from itertools import islice
from typing import NamedTuple
from zoneinfo import ZoneInfo

from jobrunner.domain.clock import from_micros, to_micros
from jobrunner.domain.cron import uses_hash
from jobrunner.domain.due import Due
from jobrunner.domain.job import Job
from jobrunner.domain.schedule import parse
from jobrunner.domain.timetable import Timed
from jobrunner.domain.traps import traps
from jobrunner.domain.words import describe
from jobrunner.domain.zone import load_zone

MOST_FIRES = 5
_MINUTE = timedelta(minutes=1)
_MOST_NAMES = 3

DaysOfCalendars = Mapping[str, Iterable[date]]


class Planned(NamedTuple):
    """One schedule of a job: as it is written, in words, on which zone's clock, with what may surprise in it."""

    expression: str
    words: str
    zone: str
    remarks: tuple[str, ...]


class Ahead(NamedTuple):
    """One coming fire, in the zone of its schedule.

    ``moved`` is by how much the zone's clock was changed since the fire before it, or since now; ``day_off`` the
    calendar on one of whose days it falls, which skips or defers it. ``others`` counts the other jobs that start
    within the same minute, some of whose ``names`` are told.
    """

    at: datetime
    moved: timedelta
    day_off: str | None
    others: int
    names: tuple[str, ...]


class Outlook(NamedTuple):
    """What is ahead of a job. ``idle`` says why it does not fire although it has a schedule, or is empty."""

    job: str
    planned: tuple[Planned, ...]
    fires: tuple[Ahead, ...]
    idle: str = ""


class Others:
    """The other jobs of a file, asked which of them start within a minute. Those of equal schedules are one."""

    def __init__(self, jobs: Iterable[Job], calendars: DaysOfCalendars) -> None:
        self._groups = list[tuple[Timed, list[str]]]()
        known = dict[Hashable, list[str]]()
        for job in jobs:
            if not (job.schedules and job.enabled and not job.shadow):
                continue
            skips = bool(job.blackout) and job.on_blackout == "skip"
            key = (Due(job).key, tuple(job.blackout) if skips else ())
            if key in known:
                known[key].append(job.name)
                continue
            days = {name: calendars.get(name, ()) for name in job.blackout} if skips else None
            known[key] = [job.name]
            self._groups.append((Timed.of(job, calendars=days), known[key]))

    def within(self, start: datetime, but: str) -> list[str]:
        """The names of those but one that fire within the minute that begins there."""
        before, until = start - timedelta(microseconds=1), start + _MINUTE - timedelta(microseconds=1)
        return [
            name
            for timed, names in self._groups
            if any(timed.off(at) is None for rule, _ in timed.rules for at in islice(rule.between(before, until), 1))
            for name in names
            if name != but
        ]


def outlook(job: Job, calendars: DaysOfCalendars, others: Others, now: datetime, *, but: str | None = None) -> Outlook:
    """What is ahead of a job; ``but`` is the name that it has among the others, where that is another.

    Raises:
        ScheduleError: a schedule cannot be read.
    """
    idle = "it is disabled" if not job.enabled else "it is in shadow: fires are recorded, not executed"
    return Outlook(
        job=job.name,
        planned=tuple(_planned(job, now)),
        fires=tuple(_ahead(job, calendars, others, now, but or job.name)) if job.schedules else (),
        idle=idle if job.schedules and (not job.enabled or job.shadow) else "",
    )


def _planned(job: Job, now: datetime) -> Iterator[Planned]:
    for spec in job.schedules:
        schedule = parse(spec, job=job.name, timezone=job.timezone)
        named = job.name if uses_hash(spec.expression) else ""
        yield Planned(
            expression=spec.expression,
            words=describe(spec.expression, job=named),
            zone=schedule.zone,
            remarks=traps(schedule, job=job.name, after=now),
        )


def _ahead(job: Job, calendars: DaysOfCalendars, others: Others, now: datetime, but: str) -> Iterator[Ahead]:
    days = {name: calendars.get(name, ()) for name in job.blackout}
    timed, due = Timed.of(job, calendars=days or None), Due(job)
    before = now
    for micros in _first(due, now):
        at, zone = from_micros(micros), _zone(due, micros)
        off = timed.off(at)
        names = others.within(at.replace(second=0, microsecond=0), but)
        yield Ahead(
            at=at.astimezone(zone),
            moved=_offset(at, zone) - _offset(before, zone),
            day_off=off.calendar if off is not None else None,
            others=len(names),
            names=tuple(names[:_MOST_NAMES]),
        )
        before = at


def _first(due: Due, now: datetime) -> Sequence[int]:
    """The next fires, walked one by one: the far future of a schedule has no end."""
    found, at = list[int](), due.next_after(to_micros(now))
    while at is not None and len(found) < MOST_FIRES:
        found.append(at)
        at = due.next_after(at)
    return found


def _zone(due: Due, micros: int) -> ZoneInfo:
    schedule = due.schedule_at(micros)
    return load_zone(schedule.zone if schedule is not None else "UTC")


def _offset(at: datetime, zone: ZoneInfo) -> timedelta:
    return at.astimezone(zone).utcoffset() or timedelta(0)
