"""The same done to many runs: in groups, each done or refused by itself; or one first, and the rest if it succeeds."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING

from jobrunner import jobfile
from jobrunner.admin.reading import Reading
from jobrunner.domain.state import Ready
from jobrunner.errors import ConfigError, JobrunnerError

if TYPE_CHECKING:
    from jobrunner.domain.bulk import Canary, Did
    from jobrunner.domain.job import Job
    from jobrunner.domain.run import Run

_GROUP = 100
"""Runs in one transaction: others that write wait for some milliseconds."""

_FEW = 10
_LOOK_SECONDS = 0.25

Progress = Callable[[int], None]
"""Told how many have been dealt with."""


class Bulk(Reading):
    """The verbs on many runs. Each run has its entry in the audit trail, as if it had been done alone."""

    def retry_each(self, run_ids: Sequence[int], progress: Progress | None = None) -> list[Did]:
        """Retries these runs; what came of each, in their order."""
        from jobrunner.store.runs import steer

        db, now = self._context.db, self._context.clock.now()
        jobs = self._jobs_of_many() if len(run_ids) > _FEW else {}

        def retry(run: Run) -> Sequence[Ready]:
            retries = jobs[run.job].retry.retries if run.job in jobs else self._retries(run)
            return steer.retry(db, run.id, retries=retries, now=now).ready

        return self._each("retry", run_ids, retry, progress, lambda run: run.job)

    def cancel_each(self, run_ids: Sequence[int], *, now: bool = False, progress: Progress | None = None) -> list[Did]:
        """Cancels these runs (``now``: without grace); what came of each, in their order."""
        from jobrunner.store.runs import steer

        db, at = self._context.db, self._context.clock.now()

        def cancel(run: Run) -> Sequence[Ready]:
            return steer.cancel(db, run.id, at_once=now, now=at).ready

        return self._each("cancel", run_ids, cancel, progress, lambda _: "now" if now else "")

    def discard_each(self, run_ids: Sequence[int], progress: Progress | None = None) -> list[Did]:
        """Takes these runs off the dead letters; what came of each, in their order."""
        from jobrunner.store.runs import steer

        def discard(run: Run) -> Sequence[Ready]:
            steer.discard(self._context.db, run.id)
            return ()

        return self._each("discard", run_ids, discard, progress, lambda _: "")

    def retry_canary(
        self,
        run_ids: Sequence[int],
        *,
        progress: Callable[[Canary], None] = lambda _: None,
        stopped: Callable[[], bool] = lambda: False,
    ) -> Canary:
        """Retries the first of these runs that can be, waits for its end, and retries the others if it succeeded.

        ``progress`` is told of each step. ``stopped`` is asked while it waits: the first run goes on, the others are
        left alone.

        Raises:
            StoreUnavailable: it has been away for a minute.
        """
        from jobrunner.domain.bulk import Canary, Did

        left, refused = list(run_ids), list[Did]()
        step = Canary(total=len(left))
        while left and step.first is None:
            did = self.retry_each([left.pop(0)])[0]
            refused += [did] if did.run is None else []
            step = step._replace(first=did.run, refused=tuple(refused), held=tuple(left))
        progress(step)
        step = self._watched(step, progress, stopped)
        if step.succeeded and not step.stopped:
            rest = self.retry_each(step.held, lambda done: progress(step._replace(held=step.held[done:])))
            step = step._replace(rest=tuple(rest), held=())
        step = step._replace(ended=True)
        progress(step)
        return step

    def _watched(self, step: Canary, progress: Callable[[Canary], None], stopped: Callable[[], bool]) -> Canary:
        """The step with its first run at the end, or as it is when somebody has stopped it."""
        from jobrunner.store.changes import Changes
        from jobrunner.store.runs import read

        db = self._context.db
        changes = Changes(db)
        while step.first is not None and not step.first.state.final:
            if stopped():
                return step._replace(stopped=True)
            self._outlasting(partial(changes.wait, _LOOK_SECONDS))
            now = self._outlasting(partial(read.some, db, [step.first.id]))[0]
            if (now.state, now.attempt, now.progress) != (step.first.state, step.first.attempt, step.first.progress):
                step = step._replace(first=now)
                progress(step)
        return step

    def _each(
        self,
        action: str,
        run_ids: Sequence[int],
        act: Callable[[Run], Sequence[Ready]],
        progress: Progress | None,
        detail: Callable[[Run], str],
    ) -> list[Did]:
        from jobrunner.domain.bulk import Did
        from jobrunner.store.runs import read

        found = list[Did]()
        for start in range(0, len(run_ids), _GROUP):
            group = run_ids[start : start + _GROUP]
            runs = {run.id: run for run in read.some(self._context.db, group)}
            errors, ready = self._context.act_on_runs(action, group, runs, act, detail)
            self._context.tell(ready)
            after = {run.id: run for run in read.some(self._context.db, group)}
            found += [
                Did(run_id, None if error else after.get(run_id), error)
                for run_id, error in zip(group, errors, strict=True)
            ]
            if progress is not None:
                progress(len(found))
        if action == "cancel" and found:
            self._context.tell_changed()
        return found

    def _jobs_of_many(self) -> Mapping[str, Job]:
        """Many jobs are read at once; of a file that is not valid they are read one by one."""
        try:
            return self._context.jobs.all().jobs
        except ConfigError:
            return {}

    def _retries(self, run: Run) -> int:
        try:
            return self._context.jobs.one(run.job).retry.retries
        except JobrunnerError:
            pass
        from jobrunner.store.runs import read

        definition = run.definition or read.get(self._context.db, run.id).definition
        return jobfile.job_from_definition(run.job, definition).retry.retries if definition else 0
