"""What needs a person's attention, gathered. Called by the dashboard; nothing of it is in the audit trail.

What it needs is imported when it is asked for: a trigger pays for none of it.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from jobrunner.admin.context import Context

if TYPE_CHECKING:
    from jobrunner.admin.jobs import AtHand
    from jobrunner.domain.attention import Facts, Needs
    from jobrunner.domain.decision import Decision
    from jobrunner.domain.finding import Finding

_DAY = timedelta(days=1)
_MOST_RUNNING = 1000
_MOST_MISSED = 500


class Attending:
    """The verb of who asks whether anything is wrong."""

    _context: Context

    def attention(self, limit: int = 100) -> Needs:
        """What needs attention, the most urgent first, at most ``limit``; nothing means that all is well."""
        from jobrunner.domain.attention import Needs, attention

        facts, left_out = facts_of(self._context, limit)
        found = attention(facts)
        return Needs(tuple(found[:limit]), len(found) + left_out)


def facts_of(context: Context, limit: int, *, letters: bool = True) -> tuple[Facts, int]:
    """What is known now, and how many jobs with dead letters are not among it, because they are too many.

    Without ``letters`` none of them is.
    """
    from jobrunner.domain.at_work import at_work
    from jobrunner.domain.attention import PATIENCE, Facts
    from jobrunner.store import pauses, servers
    from jobrunner.store.runs import exceptions, under_way

    db, now = context.db, context.clock.now()
    file = context.memory.file()
    slas = {job.name: job.sla for job in file.whole.jobs.values() if job.sla} if file.whole is not None else {}
    promises = {job: sla.start_within for job, sla in slas.items() if sla.start_within is not None}
    with db.snapshot():
        dead, jobs_dead = exceptions.letters(db, limit if letters else 0)
        places = exceptions.heads(db)
        waits = exceptions.waits(db, places, now, promises, limit)
        runs = under_way.running(db, _MOST_RUNNING)
        retrying = exceptions.retrying(db, limit)
        found = servers.find(db, now)
        held, scheduled = pauses.everything(db), servers.have_schedules(db)
        missed = _missed(context, now)
    usual = context.memory.usual.of(db, [run.job for run in runs])
    facts = Facts(
        now=now,
        lost_after=context.settings.lost_after,
        servers=found,
        scheduled=scheduled,
        dead=dead,
        waits=waits,
        heads=exceptions.oldest(places, now - PATIENCE),
        missed=missed,
        running=[at_work(run, usual.get(run.job), now) for run in runs],
        retrying=retrying,
        pauses=held,
        slas=slas,
        file_error=file_error(file),
        store=_store(context),
    )
    return facts, jobs_dead - len(dead)


def _missed(context: Context, now: datetime) -> list[Decision]:
    """Those of the last day, of jobs that have not succeeded since."""
    from jobrunner.domain.decision import Why
    from jobrunner.store import decisions
    from jobrunner.store.runs import exceptions

    db = context.db
    found = decisions.newest(db, _MOST_MISSED, since=now - _DAY, whys=(Why.MISSED,))
    last: dict[str, Decision] = {}
    for decision in found:
        last.setdefault(decision.job, decision)
    well = {job for job, each in last.items() if exceptions.succeeded_since(db, job, each.last_fire)}
    return [decision for decision in found if decision.job not in well]


def file_error(file: AtHand) -> str | None:
    """Why the file as it is now cannot be used, in one line."""
    if file.error is None:
        return None
    problems = file.error.problems
    more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
    return (str(problems[0]) if problems else str(file.error)) + more


def _store(context: Context) -> list[Finding]:
    """What is wrong with the disk of the store."""
    from jobrunner.admin.disk import disk
    from jobrunner.store import file_of

    path = file_of(context.settings.store)
    return list(disk("the store", path.parent)) if path is not None else []
