"""Why: what a run waits for and how it ended, what became of a fire time, what may keep the next one from a run.

What it needs is imported when it is asked for: a trigger pays for none of it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import timedelta
from typing import TYPE_CHECKING

from jobrunner.admin.context import Context
from jobrunner.domain.state import RunState, WaitingReason

if TYPE_CHECKING:
    from collections.abc import Iterable

    from jobrunner.domain.answer import Answer
    from jobrunner.domain.estimate import Estimate
    from jobrunner.domain.run import Run
    from jobrunner.domain.run_facts import RunFacts
    from jobrunner.domain.server import Server


class Explaining:
    """The verb ``why`` about a run."""

    _context: Context

    def why_run(self, run_id: int) -> Answer:
        """Why a run stands where it stands. Raises NotFound."""
        from jobrunner.domain import why_run
        from jobrunner.domain.answer import Answer
        from jobrunner.store.runs import read

        facts = run_facts(self._context, read.get(self._context.db, run_id))
        return Answer(
            job=facts.run.job,
            run=facts.run,
            verdict=facts.run.state.value,
            headline=why_run.headline(facts.run),
            because=why_run.reasons(facts),
            starts=facts.start.at if facts.start is not None else None,
        )


def run_facts(context: Context, run: Run) -> RunFacts:
    """All that is known of a run now."""
    from jobrunner.domain.job import When
    from jobrunner.domain.prospect import start_of
    from jobrunner.domain.run_facts import RunFacts
    from jobrunner.store import audit, line, pauses
    from jobrunner.store.runs import read

    db, now = context.db, context.clock.now()
    when, expires = line.terms(db, run.id)
    servers = living(context)
    before = None
    if run.state is RunState.QUEUED:
        before = line.line(db, line.Place(run.queue, run.priority, run.run_after, run.id), servers)
    usual = usual_of(context, {run.job} | (before.jobs if before is not None else set()))
    targets = [f"run {run.id}"] + ([f"batch b{run.batch_id}"] if run.batch_id is not None else [])
    return RunFacts(
        run=run,
        now=now,
        servers=servers,
        pauses=pauses.everything(db),
        parents=read.some(db, run.parent_ids),
        when=When(when or When.SUCCESS),
        in_the_way=_in_the_way(context, run),
        steered=audit.steered(db, targets),
        line=before,
        start=start_of(before, usual, now) if before is not None and before.workers else None,
        usual=usual.get(run.job),
        expires=timedelta(microseconds=expires) if expires is not None else None,
    )


def _in_the_way(context: Context, run: Run) -> Sequence[Run]:
    """The active runs that it waits for, or the one that it was skipped for."""
    from jobrunner.store.runs import read

    if run.state is RunState.SKIPPED and (named := re.match(r"run (\d+) of this job", run.error or "")):
        return read.some(context.db, [int(named[1])])
    if run.waiting_reason is not WaitingReason.OVERLAP:
        return ()
    return [each for each in read.active(context.db, run.job) if each.id < run.id]


def living(context: Context) -> list[Server]:
    """The servers that count as living, those aside that have been silent for too long."""
    from jobrunner.store import servers

    silence = context.settings.lost_after.total_seconds()
    found = servers.find(context.db, context.clock.now())
    return [server for server in found if server.live and server.heartbeat_age < silence]


def usual_of(context: Context, jobs: Iterable[str]) -> dict[str, Estimate]:
    """How long runs of these jobs take; those without history are left out."""
    from jobrunner.domain.estimate import Basis, Estimate
    from jobrunner.store import durations

    return {
        job: Estimate(median=known.median, p95=known.p95, basis=Basis.HISTORY, runs=known.attempts)
        for job, known in durations.measured(context.db, jobs).items()
    }
