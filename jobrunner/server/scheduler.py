"""Fires jobs at their due times, once across all servers. The thread that Huey's consumer runs as its scheduler.

Next fires stand in a heap on the wall clock. The thread wakes at least every second, so that a clock that was stepped
or a machine that was suspended is noticed; fires found late by more than a minute are caught up as after downtime. A
clock that goes back makes the schedule start anew from there: what was fired or decided is so for good in the store.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from jobrunner.domain.clock import Clock
from jobrunner.domain.job import Catchup, Job
from jobrunner.domain.jobfile import Jobfile
from jobrunner.domain.params import Checker, split_secrets
from jobrunner.domain.request import new_run
from jobrunner.domain.state import Ready, Trigger
from jobrunner.domain.timetable import LATE, Timed, Timetable
from jobrunner.domain.version import Applied, Origin
from jobrunner.errors import JobrunnerError
from jobrunner.queue.engine import Engine
from jobrunner.store import definitions, files, schedules
from jobrunner.store.database import Database
from jobrunner.store.files import File
from jobrunner.store.schedules import Fire
from jobrunner.store.versions import Content, calendars_text

log = logging.getLogger(__name__)

_LONGEST_SLEEP = 1.0
_APPLYING_SLEEP = 0.05


class ServerOf(NamedTuple):
    """Whose schedules these are: the OS user, the host, and the name of the server."""

    who: str
    host: str
    name: str


class FireSchedule:
    """The schedules in force. ``apply`` takes those of a file; ``tick`` fires what is due; thread-safe."""

    def __init__(self, engine: Engine, clock: Clock, *, server_id: int, server: ServerOf) -> None:
        self._engine = engine
        self._clock = clock
        self._server_id = server_id
        self._server = server
        self._lock = threading.Lock()
        self._applying = 0
        self._applied: tuple[dict[str, Timed], dict[str, datetime]] | None = None
        self._timetable = Timetable()
        self._last_tick = clock.now()

    @property
    def last_tick(self) -> datetime:
        """When it last looked whether anything is due."""
        return self._last_tick

    def apply(self, jobfile: Jobfile, origin: Origin) -> None:
        """Puts the schedules of a file in force, from what was attended to of them before; does not wait for that."""
        timed = _timed(jobfile.jobs.values())
        file = File(_contents(jobfile), {name: _number(entry.job) for name, entry in timed.items()})
        found = dict[str, datetime]()

        def note(db: Database) -> Sequence[Ready]:
            in_force = files.apply(db, self._server_id, file, Applied(*self._server, origin), self._clock.now())
            found.update(in_force.attended)
            return ()

        def noted() -> None:
            with self._lock:
                self._applying -= 1
                self._applied = timed, found

        with self._lock:
            self._applying += 1
            self._engine.submit(note, committed=noted)

    def tick(self) -> float:
        """Fires what is due; gives the seconds until the next fire, one at most."""
        with self._lock:
            now = self._clock.now()
            self._start_anew(now)
            for work in self._due(now):
                self._engine.submit(work)
            if self._applying:
                return _APPLYING_SLEEP
            coming = self._timetable.next
            wait = (coming - self._clock.now()).total_seconds() if coming is not None else _LONGEST_SLEEP
            return min(max(wait, 0.0), _LONGEST_SLEEP)

    def _start_anew(self, now: datetime) -> None:
        """After a file was applied, and after the clock went back."""
        stepped_back = now < self._last_tick - LATE
        self._last_tick = now
        if self._applied is not None:
            (timed, attended), self._applied = self._applied, None
            self._timetable = Timetable(timed.values(), attended)
        elif stepped_back:
            # A little before now, since the clock may have gone back a moment ago.
            self._timetable.go_back(now - LATE)

    def _due(self, now: datetime) -> Iterator[_Work]:
        for timed, fires in self._timetable.due(now):
            try:
                yield from self._decide(timed, fires, now)
            except Exception:
                log.exception("fault while firing", extra={"job": timed.job.name})

    def _decide(self, timed: Timed, fires: Sequence[datetime], now: datetime) -> list[_Work]:
        fresh = [at for at in fires if now - at <= LATE]
        missed = [at for at in fires if now - at > LATE]
        caught = _caught_up(timed.job, missed, has_fresh=bool(fresh), now=now)
        lost = [at for at in missed if at not in caught]
        work = list[_Work]()
        if lost:
            work.append(_Work(timed.job, missed=tuple(lost), now=now))
        work += [self._fire(timed, at, Trigger.CATCHUP, now, one_by_one=len(caught) > 1) for at in sorted(caught)]
        work += [self._fire(timed, at, Trigger.SCHEDULE, now) for at in fresh]
        return work

    def _fire(self, timed: Timed, at: datetime, trigger: Trigger, now: datetime, *, one_by_one: bool = False) -> _Work:
        job = timed.job
        public, secret = split_secrets(job.params, Checker(job.params, job=job.name).values({}))
        run = new_run(
            job,
            params=public,
            secret_params=secret,
            trigger=trigger,
            now=now,
            run_after=at + timed.jitter(at),
            fire_time=at,
        )
        return _Work(
            job, fire=Fire(run=run, schedule=_number(job), overlap=job.overlap, one_by_one=one_by_one), now=now
        )


@dataclass(frozen=True, slots=True, kw_only=False)
class _Work:
    """One decision for the store: a fire, or fires that are missed."""

    job: Job
    now: datetime
    fire: Fire | None = None
    missed: tuple[datetime, ...] = ()

    def __call__(self, db: Database) -> list[Ready]:
        if self.fire is not None:
            return schedules.fire(db, self.fire, self.now)
        why = f"no server ran then, and catchup is {self.job.catchup} within its window"
        schedules.miss(db, self.job.name, _number(self.job), self.missed, why, self.now)
        return []


def _caught_up(job: Job, missed: Sequence[datetime], *, has_fresh: bool, now: datetime) -> set[datetime]:
    within = [at for at in missed if now - at <= job.catchup_window]
    match job.catchup:
        case Catchup.NONE:
            return set()
        case Catchup.LATEST:
            return set() if has_fresh else set(within[-1:])
        case Catchup.ALL:
            return set(within)


def _timed(jobs: Iterable[Job]) -> dict[str, Timed]:
    timed = {}
    for job in jobs:
        if not job.schedules or not job.enabled or job.shadow:
            continue
        try:
            timed[job.name] = Timed.of(job)
            Checker(job.params, job=job.name).values({})
        except JobrunnerError as error:
            log.error("does not fire: %s", error, extra={"job": job.name})
            timed.pop(job.name, None)
    return timed


def _number(job: Job) -> int:
    """Another when what falls due may be another, or nothing that fell due before is to be caught up."""
    return definitions.number(job.name, repr((job.timezone, job.schedules, job.enabled, job.shadow)))


def _contents(jobfile: Jobfile) -> dict[str, Content]:
    texts = dict[tuple[str, ...], str | None]()
    for names in {job.blackout for job in jobfile.jobs.values()}:
        texts[names] = calendars_text({name: jobfile.calendars[name].dates for name in names})
    return {name: Content(job.definition, texts[job.blackout]) for name, job in jobfile.jobs.items()}
