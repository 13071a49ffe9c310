"""Fires jobs at their due times, once across all servers. The thread that Huey's consumer runs as its scheduler.

Next fires stand in a heap on the wall clock. The thread wakes at least every second, so that a clock that was stepped
or a machine that was suspended is noticed; fires found late by more than a minute are caught up as after downtime. A
clock that goes back makes the schedule start anew from there: what was fired or decided is so for good in the store.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from typing import NamedTuple

from jobrunner.domain.clock import Clock, from_micros, to_micros
from jobrunner.domain.decision import LATE
from jobrunner.domain.job import Command, Job
from jobrunner.domain.jobfile import Jobfile
from jobrunner.domain.params import Checker
from jobrunner.domain.state import Ready, Trigger
from jobrunner.domain.timetable import Timed, Timetable
from jobrunner.domain.version import Applied, Origin
from jobrunner.errors import JobrunnerError
from jobrunner.execution.moves import AHEAD_SECONDS
from jobrunner.jobfile import job_from_definition
from jobrunner.queue.engine import Engine
from jobrunner.server.firing import fire_at, is_late, lost, missed
from jobrunner.server.memory import give_back
from jobrunner.store import definitions, due_fires, files, gaps, reloads, schedules
from jobrunner.store.database import Database
from jobrunner.store.files import File, InForce
from jobrunner.store.schedules import Fire
from jobrunner.store.versions import Content, calendars_text

log = logging.getLogger(__name__)

_LONGEST_SLEEP = 1.0
_APPLYING_SLEEP = 0.05
_RECENT = timedelta(minutes=5)
_AT_ONCE = 20_000
"""Fires of a gap that are walked in one tick, so that other jobs need not wait for it."""


class ServerOf(NamedTuple):
    """Whose schedules these are: the OS user, the host, and the name of the server."""

    who: str
    host: str
    name: str


@dataclass(frozen=True, slots=True)
class _Due:
    """The operation that decides a fire which is due now."""

    fire: Fire
    now: datetime

    def __call__(self, db: Database) -> Sequence[Ready]:
        return schedules.fire(db, self.fire, self.now)

    @staticmethod
    def write_together(db: Database, due: Sequence[_Due]) -> Sequence[Ready]:
        """Those of one moment, as each by itself."""
        return due_fires.fire_all(db, [each.fire for each in due], due[-1].now)


@dataclass(slots=True)
class _Behind:
    """A job whose fires after an instant have still to be decided: until now, or ``until`` its schedule ended."""

    timed: Timed
    after: datetime
    slept: tuple[datetime, datetime] | None
    until: datetime | None = None
    ended: str | None = None


class FireSchedule:
    """The schedules in force. ``apply`` takes those of a file; ``tick`` fires what is due; thread-safe.

    ``expect`` is called ``AHEAD_SECONDS`` before a command fires.
    """

    def __init__(
        self, engine: Engine, clock: Clock, *, server_id: int, server: ServerOf, expect: Callable[[], None]
    ) -> None:
        self._engine = engine
        self._clock = clock
        self._expect = expect
        self._expected: datetime | None = None
        self._server_id = server_id
        self._server = server
        self._lock = threading.Lock()
        self._applying = 0
        self._applied: tuple[dict[str, Timed], InForce, datetime] | None = None
        self._timetable = Timetable()
        self._just_applied = False
        self._behind = dict[tuple[str, int], _Behind]()
        self._last_tick = clock.now()
        self._slept: tuple[datetime, datetime] | None = None

    @property
    def last_tick(self) -> datetime:
        """When it last looked whether anything is due."""
        return self._last_tick

    def apply(self, jobfile: Jobfile, origin: Origin) -> None:
        """Puts the schedules of a file in force, from what was attended to of them before; does not wait for that."""
        timed = _timed(jobfile)
        file = File(_contents(jobfile), {name: entry.number for name, entry in timed.items()})
        found = list[tuple[dict[str, Timed], InForce, datetime]]()

        def note(db: Database) -> Sequence[Ready]:
            now = self._clock.now()
            edit = reloads.edited(db, jobfile.config_hash, now - _RECENT) if origin is Origin.RELOAD else None
            by = (
                Applied(edit.who, edit.host, self._server.name, edit.origin) if edit else Applied(*self._server, origin)
            )
            in_force = files.apply(db, self._server_id, file, by, now)
            found[:] = [(timed, in_force, now)]
            return ()

        def noted() -> None:
            with self._lock:
                self._applying -= 1
                self._applied = found[0]

        with self._lock:
            self._applying += 1
            self._engine.submit(note, committed=noted)

    def tick(self) -> float:
        """Fires what is due; gives the seconds until the next fire, one at most."""
        with self._lock:
            now = self._clock.now()
            self._start_anew(now)
            self._fire_due(now)
            self._catch_up(now)
            if self._behind:
                return 0.0
            if self._applying:
                return _APPLYING_SLEEP
            coming = self._timetable.next
            wait = self._wait_for(coming) if coming is not None else _LONGEST_SLEEP
            return min(max(wait, 0.0), _LONGEST_SLEEP)

    def _wait_for(self, coming: datetime) -> float:
        """Seconds until the next fire, or until it is to be said that a command will be among what it begins."""
        wait = (coming - self._clock.now()).total_seconds()
        if coming == self._expected or wait > _LONGEST_SLEEP + AHEAD_SECONDS:
            return wait
        if any(isinstance(timed.job.kind, Command) for timed in self._timetable.coming()):
            if wait > AHEAD_SECONDS:
                return wait - AHEAD_SECONDS
            self._expect()
        self._expected = coming
        return wait

    def _start_anew(self, now: datetime) -> None:
        """After a file was applied, and after the clock went back."""
        before, self._last_tick = self._last_tick, now
        self._slept = (before, now) if now - before > LATE else None
        if self._applied is not None:
            (timed, in_force, at), self._applied = self._applied, None
            self._timetable = Timetable(timed.values(), in_force.attended)
            self._behind = {(entry.timed.job.name, entry.timed.number): entry for entry in _ended(in_force, at)}
            self._just_applied = True
            return
        if self._just_applied:
            # Not at once: SQLite forgets what the thread that writes has read when another one has written.
            self._just_applied = False
            give_back()
        if now < before - LATE:
            # A little before now, since the clock may have gone back a moment ago.
            self._timetable.go_back(now - LATE)
            self._behind = {key: entry for key, entry in self._behind.items() if entry.after < now - LATE}

    def _fire_due(self, now: datetime) -> None:
        due = list[_Due]()
        try:
            for timed, after, fires in self._timetable.due(now):
                key = (timed.job.name, timed.number)
                if key in self._behind:
                    continue
                if is_late(fires[0], now):
                    self._behind[key] = _Behind(timed, after, self._slept)
                    continue
                for at in fires:
                    with self._fault_of(timed.job):
                        due.append(_due(timed, at, now))
        finally:  # what the timetable has given out it does not give out again
            # At once: an engine that wakes for the first of a thousand is in the way of who comes with the others.
            self._engine.submit_all(due)

    def _catch_up(self, now: datetime) -> None:
        for key, behind in list(self._behind.items()):
            done = True
            with self._fault_of(behind.timed.job):
                done = self._decide_some(behind, now)
            if done:
                del self._behind[key]

    def _decide_some(self, behind: _Behind, now: datetime) -> bool:
        """Decides the oldest fires of a gap, and the newest when these are done; says whether nothing is left."""
        timed = behind.timed
        until = behind.until or now
        start = max(behind.after, until - timed.job.catchup_window)
        newest = [] if behind.ended else timed.between(start, until)
        edge = newest[0] - timedelta(microseconds=1) if newest else until
        older = timed.oldest(behind.after, edge, _AT_ONCE)
        if older:
            gap = lost(timed, older, now, ended=behind.ended, slept=behind.slept, server_id=self._server_id)
            self._engine.submit(lambda db: gaps.decide(db, gap, now))
            behind.after = from_micros(older[-1])
            if len(older) == _AT_ONCE:
                return False
        self._decide_newest(behind, newest, now)
        return True

    def _decide_newest(self, behind: _Behind, fires: Sequence[datetime], now: datetime) -> None:
        late = [to_micros(at) for at in fires if is_late(at, now)]
        fresh = fires[len(late) :]
        if late:
            gap = missed(behind.timed, late, now, fresh=bool(fresh), slept=behind.slept, server_id=self._server_id)
            self._engine.submit(lambda db: gaps.decide(db, gap, now))
        self._engine.submit_all([_due(behind.timed, at, now) for at in fresh])

    @contextmanager
    def _fault_of(self, job: Job) -> Iterator[None]:
        """What one job does wrong must not keep others from firing."""
        try:
            yield
        except Exception:
            log.exception("fault while firing", extra={"job": job.name})


def _due(timed: Timed, at: datetime, now: datetime) -> _Due:
    return _Due(fire_at(timed, at, Trigger.SCHEDULE, now), now)


def _timed(jobfile: Jobfile) -> dict[str, Timed]:
    timed = {}
    for job in jobfile.jobs.values():
        if not job.schedules:
            continue
        try:
            calendars = {name: jobfile.calendars[name].dates for name in job.blackout}
            if job.params:
                Checker(job.params, job=job.name).values({})
            timed[job.name] = Timed.of(job, _number(job), calendars)
        except JobrunnerError as error:
            log.error("does not fire: %s", error, extra={"job": job.name})
    return timed


def _ended(in_force: InForce, now: datetime) -> Iterator[_Behind]:
    """Schedules that are in force no more, with fires that nobody has decided: no server ran when they were due."""
    for left in in_force.left:
        version = in_force.before.get(left.job)
        if version is None or version.definition is None:
            continue
        try:
            job = job_from_definition(left.job, version.definition)
            timed = Timed.of(job, left.schedule, version.calendars)
        except JobrunnerError:
            continue  # an older version of jobrunner could read it
        if _number(job) == left.schedule and timed.oldest(left.seen_until, now, 1):
            ended = "its schedule has been changed" if left.job in in_force.attended else "the job has been taken out"
            yield _Behind(timed, left.seen_until, None, until=now, ended=ended)


def _number(job: Job) -> int:
    """Another when what falls due may be another, or nothing that fell due before is to be caught up."""
    due = (job.timezone, job.schedules, job.enabled, job.shadow)
    # Equal instants may be written in several ways.
    bounded = any(spec.start or spec.end for spec in job.schedules)
    return definitions.number(job.name, repr(due) if bounded else _text(*due))


@lru_cache(maxsize=4096)
def _text(*due: object) -> str:
    """Those of a whole file are equal more often than not."""
    return repr(due)


def _contents(jobfile: Jobfile) -> dict[str, Content]:
    texts = dict[tuple[str, ...], str | None]()
    for names in {job.blackout for job in jobfile.jobs.values()}:
        texts[names] = calendars_text({name: jobfile.calendars[name].dates for name in names})
    return {name: Content(job.definition, texts[job.blackout]) for name, job in jobfile.jobs.items()}
