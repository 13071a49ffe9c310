"""What people do to runs, jobs and queues: retry, discard, cancel, pause, resume."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from jobrunner.admin.bulk import Bulk
from jobrunner.domain.state import Ready
from jobrunner.errors import NotFound, Refused, UsageError

if TYPE_CHECKING:
    from jobrunner.domain.queue import Pause
    from jobrunner.domain.run import Run

_UNENDED = ("scheduled", "waiting", "queued", "running", "retrying")


class Steering(Bulk):
    """The verbs that change what is there. Every one is in the audit trail."""

    def retry(self, run_id: int) -> Run:
        """Gives a failed or cancelled run 1 + ``retries`` further attempts, at once.

        Raises:
            NotFound: no such run.
            Refused: any other state, or another run holds its uniqueness.
        """
        from jobrunner.store.runs import read, steer

        run = read.get(self._context.db, run_id)
        db, now, retries = self._context.db, self._context.clock.now(), self._retries(run)
        steered = self._context.act(
            "retry", f"run {run_id}", lambda _: steer.retry(db, run_id, retries=retries, now=now), run.job
        )
        self._context.tell(steered.ready)
        return read.get(self._context.db, run_id)

    def retry_batch(self, batch_id: int) -> list[Run]:
        """Retries the members that failed; what cannot be retried is a remark. Raises NotFound."""
        return self._retry_each(self.failed_members(batch_id))

    def retry_dead(self, jobs: Sequence[str] = ()) -> list[Run]:
        """Retries the dead letters, of these jobs or of all; what cannot be retried is a remark."""
        return self._retry_each(self.dead_ids(jobs))

    def _retry_each(self, run_ids: Sequence[int]) -> list[Run]:
        done = self.retry_each(run_ids)
        self._context.warnings += [str(each.error) for each in done if each.error is not None]
        return [each.run for each in done if each.run is not None]

    def dead_ids(self, jobs: Sequence[str] = ()) -> list[int]:
        """The dead letters, oldest first, of these jobs or of all."""
        from jobrunner.store.runs import read

        return read.dead_ids(self._context.db, jobs)

    def failed_members(self, batch_id: int) -> list[int]:
        """The members of a batch that failed. Raises NotFound."""
        from jobrunner.store import batches

        return batches.member_ids(self._context.db, batch_id, ("failed",))

    def discard(self, run_id: int) -> Run:
        """Takes a dead letter off the list. Raises NotFound, Refused."""
        from jobrunner.store.runs import read, steer

        self._context.act("discard", f"run {run_id}", lambda _: steer.discard(self._context.db, run_id))
        return read.get(self._context.db, run_id)

    def cancel(self, run_id: int, now: bool = False) -> Run:
        """Withdraws a run, or has its server stop it (``now``: without grace). A cancelled one is no error.

        Raises:
            NotFound: no such run.
            Refused: it has ended otherwise.
        """
        from jobrunner.store.runs import read, steer

        db, at = self._context.db, self._context.clock.now()
        steered = self._context.act(
            "cancel", f"run {run_id}", lambda _: steer.cancel(db, run_id, at_once=now, now=at), "now" if now else ""
        )
        self._context.tell(steered.ready)
        self._context.tell_changed()
        return read.get(self._context.db, run_id)

    def cancel_batch(self, batch_id: int, now: bool = False) -> list[Run]:
        """Cancels the members that have not ended. Raises NotFound."""
        from jobrunner.store import batches
        from jobrunner.store.runs import read, steer

        members = batches.member_ids(self._context.db, batch_id, _UNENDED)

        def cancel_each(_: list[str]) -> list[Ready]:
            ready = list[Ready]()
            for run_id in members:
                try:
                    ready += steer.cancel(self._context.db, run_id, at_once=now, now=self._context.clock.now()).ready
                except Refused:
                    continue  # it ended by itself in between
            return ready

        self._context.tell(self._context.act("cancel", f"batch b{batch_id}", cancel_each, f"{len(members)} runs"))
        self._context.tell_changed()
        return [read.get(self._context.db, run_id) for run_id in members]

    def pause(self, scope: str, name: str, *, until: datetime | None = None, reason: str = "") -> Pause:
        """Holds a job (firing and starting), a queue (starting) or everything (``scope`` all, no name).

        Raises:
            NotFound: no such job or queue.
            UsageError: a time that is over.
        """
        from jobrunner.domain.queue import Pause
        from jobrunner.store import pauses

        self._known(scope, name)
        now = self._context.clock.now()
        if until is not None and until <= now:
            raise UsageError("the end of a pause must be in the future")
        pause = Pause(scope=scope, name=name, who=self._context.actor.who, since=now, until=until, reason=reason)
        self._context.act("pause", _target(scope, name), lambda _: pauses.pause(self._context.db, pause), reason)
        self._context.tell_changed()
        return pause

    def resume(self, scope: str, name: str) -> bool:
        """Ends a pause; False when there was none. Raises NotFound."""
        from jobrunner.store import pauses

        self._known(scope, name)
        db, now = self._context.db, self._context.clock.now()
        was_paused, ready = self._context.act(
            "resume", _target(scope, name), lambda _: pauses.resume(db, scope, name, now)
        )
        self._context.tell(ready)
        self._context.tell_changed()
        return was_paused

    def _known(self, scope: str, name: str) -> None:
        from jobrunner.store import pauses

        paused = {(pause.scope, pause.name) for pause in pauses.everything(self._context.db)}
        if (scope, name) in paused:
            return  # what is paused can be resumed, also when the file has lost it
        if scope == "job":
            self._context.jobs.one(name)
        elif scope == "queue" and name not in self._context.settings.queues:
            raise NotFound(f"no queue {name!r}", hint=f"there are {', '.join(self._context.settings.queues)}")


def _target(scope: str, name: str) -> str:
    return f"{scope} {name}" if name else "everything"
