"""Jobs as who watches sees them: all of them in order, some in detail, one whole.

What it needs is imported when it is asked for: a trigger pays for none of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import islice
from typing import TYPE_CHECKING

from jobrunner.admin.context import Context
from jobrunner.domain.clock import from_micros, to_micros

if TYPE_CHECKING:
    from jobrunner.domain.board import Board, ComingFire, JobFacts, JobLine, JobRow, Order, ScheduleFacts
    from jobrunner.domain.filter import Term
    from jobrunner.domain.filter_completion import Known
    from jobrunner.domain.job import Job
    from jobrunner.domain.queue import Pause
    from jobrunner.domain.run import Run

_RUNS = 30
_DECISIONS = 20


class Boarding:
    """The verbs of who looks at jobs again and again."""

    _context: Context

    def board(self, order: Order | None = None, *, reverse: bool = False, terms: Sequence[Term] = ()) -> Board:
        """All jobs, or those that a filter (``terms``) asks for, and what stands out of them, in an order (None: those
        first that need attention).

        The first time ``last`` reads a little of each job, ``duration`` and ``ok`` more; after that what is new.
        """
        from jobrunner.domain.board import Order

        return self._context.memory.standings.board(order or Order.ATTENTION, reverse=reverse, terms=terms)

    def names_at_hand(self) -> Known:
        """What a filter can be completed with, as far as the file has been read: it never waits for it."""
        from jobrunner.store import servers

        found = servers.find(self._context.db, self._context.clock.now())
        names = tuple(dict.fromkeys(server.name for server in found))
        return self._context.memory.standings.known()._replace(servers=names)

    def board_rows(self, names: Sequence[str]) -> tuple[JobRow, ...]:
        """The details of some jobs, in this order; those that are in no file have little."""
        return self._context.memory.standings.rows(names)

    def job_line(self, name: str) -> JobLine:
        """One job and what stands out about it; nothing does of one that is not there."""
        return self._context.memory.standings.line(name)

    def job_facts(self, name: str) -> JobFacts:
        """One job, whole; one that has left the file by what is left of it in the store.

        Raises:
            NotFound: no such job, and nothing of it in the store.
        """
        from jobrunner.domain.board import JobFacts
        from jobrunner.domain.change import shown
        from jobrunner.domain.filter import RunFilter
        from jobrunner.domain.state import RunState
        from jobrunner.store import decisions, pauses, versions
        from jobrunner.store.runs import read

        context = self._context
        job, in_file = _definition(context, name)
        db, now = context.db, context.clock.now()
        with db.snapshot():
            runs = read.find(db, RunFilter(jobs=(name,), limit=_RUNS))
            count = versions.count(db, name)
            if job is None and not runs and not count:
                context.jobs.named(name)  # says that there is none, and what is near
            held = pauses.everything(db)
            decided = decisions.newest(db, _DECISIONS, job=name)
            usual = context.memory.usual.of(db, [name]).get(name)
        (row,) = self.board_rows([name])
        return JobFacts(
            row=row,
            in_file=in_file,
            definition=tuple(shown(job.definition).items()) if job is not None else (),
            schedules=_schedules(job, now) if job is not None else (),
            fires=_fires(job, held, now) if job is not None else (),
            durations=tuple(_took(run) for run in reversed(runs) if run.state is RunState.SUCCEEDED),
            usual=usual,
            runs=tuple(runs),
            decisions=tuple(decided),
            versions=count,
            parents=job.after.jobs if job is not None and job.after is not None else (),
            children=_children(context, name),
            timeout=job.timeout if job is not None else None,
        )


def _definition(context: Context, name: str) -> tuple[Job | None, bool]:
    """The job of the file, else, or while that is being read, the one in force; and whether it is in the file."""
    file = context.memory.file()
    if file.whole is not None and name in file.whole.jobs:
        return file.whole.jobs[name], True
    from jobrunner import jobfile
    from jobrunner.store import versions

    found = versions.definitions_of(context.db, [name]).get(name)
    if found is not None:
        return jobfile.job_from_definition(name, found), file.whole is None
    return (None, False) if file.whole is not None else (context.jobs.one(name), True)


def _schedules(job: Job, now: datetime) -> tuple[ScheduleFacts, ...]:
    from jobrunner.admin.looking import schedules_of
    from jobrunner.domain.board import ScheduleFacts
    from jobrunner.domain.traps import traps
    from jobrunner.domain.words import describe

    return tuple(
        ScheduleFacts(
            rule.expression,
            describe(rule.expression, job=job.name),
            rule.zone,
            tuple(traps(rule, job=job.name, after=now)),
        )
        for rule in schedules_of(job)
    )


def _fires(job: Job, held: Sequence[Pause], now: datetime, n: int = 5) -> tuple[ComingFire, ...]:
    from jobrunner.admin.looking import next_fire_of, pause_of
    from jobrunner.domain.board import ComingFire
    from jobrunner.domain.due import Due

    first = next_fire_of(job, pause_of(job.name, held), now)
    if first is None:
        return ()
    due, found, before = Due(job), list[ComingFire](), now
    for micros in islice(due.fires(to_micros(first) - 1, 2**62), n):
        rule, at = due.schedule_at(micros), from_micros(micros)
        zone = rule.zone if rule is not None else job.timezone
        found.append(ComingFire(at, zone, _mark(zone, before, at)))
        before = at
    return tuple(found)


def _mark(zone: str, after: datetime, until: datetime) -> str:
    """The change of the clock between two instants, the last one where there are several."""
    from jobrunner.domain.zone import timeline

    line = timeline(zone)
    start, end = to_micros(after) // 1_000_000, to_micros(until) // 1_000_000
    if until - after > timedelta(days=366):
        return ""
    changes = line.changes(start, end)
    if not changes:
        return ""
    shift = changes[-1].offset - line.stretch(changes[-1].start - 1).offset
    way = "forward" if shift > 0 else "back"
    return f"clocks go {way} {abs(shift) // 60} min"


def _took(run: Run) -> timedelta:
    if run.started_at is None or run.finished_at is None:
        return timedelta(0)
    return max(run.finished_at - run.started_at, timedelta(0))


def _children(context: Context, name: str) -> tuple[str, ...]:
    whole = context.memory.file().whole
    if whole is None:
        return ()
    return tuple(sorted(job.name for job in whole.jobs.values() if job.after is not None and name in job.after.jobs))
