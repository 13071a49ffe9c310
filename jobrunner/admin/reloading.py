"""``reload``: every server reads its file again, and says what it made of it; ``history``: what they had in force;
``show``: which of it a run ran."""

from __future__ import annotations

from typing import TYPE_CHECKING

from jobrunner.admin.context import Context

if TYPE_CHECKING:
    from jobrunner.domain.change import InForce, Ran
    from jobrunner.domain.run import Run
    from jobrunner.domain.server import Reloaded

PATIENCE_SECONDS = 15.0
"""How long servers have to answer; one of 100,000 jobs needs eight."""

_LOOK_SECONDS = 0.2


class Reloading:
    """The verbs ``reload`` and ``history``, and what ``show`` tells of a run's definition."""

    _context: Context

    def reload(self) -> list[Reloaded]:
        """Asks every living server to read its file again and waits until each has, or is gone, or time is up.

        What a server made of it is in its ``error``; one that has not answered is not ``done``.
        """
        return answers(self._context, self._context.act("reload", "servers", lambda _: ask(self._context)))

    def history(self, job: str | None, limit: int) -> list[InForce]:
        """The versions of a job, or the newest of all jobs, newest first, each with what it changed.

        Raises:
            NotFound: no server has ever loaded such a job.
        """
        from jobrunner.domain.change import InForce, keys_changed
        from jobrunner.store import versions

        found = versions.newest(self._context.db, limit, job)
        if job is not None and not found:
            self._context.jobs.named(job)  # says that there is none, and what is near
        turns = {one.applied_at for one, before in found if before is None or one.definition is None}
        names = versions.renamed(self._context.db, turns)
        return [
            InForce(
                one,
                keys_changed(before, one.definition) if before and one.definition else (),
                names.get((one.job, one.version)),
            )
            for one, before in found
        ]

    def ran(self, run: Run) -> Ran:
        """Which version of its job a run ran, and what was another when the job last succeeded before it."""
        from jobrunner.domain.change import Ran, keys_changed
        from jobrunner.store.runs import read

        if run.started_at is None:
            return Ran(None, None, None)
        with self._context.db.snapshot():
            version, definition = self._definition_of(run)
            success = read.success_before(self._context.db, run)
            if success is None:
                return Ran(version, None, None)
            _, before = self._definition_of(success)
        return Ran(version, success.id, keys_changed(before, definition))

    def _definition_of(self, run: Run) -> tuple[int | None, str | None]:
        """The version in force when the last attempt of a run started, else None and the definition that it carries."""
        from jobrunner.store import versions

        found = versions.at(self._context.db, run.job, run.started_at) if run.started_at else None
        if found is None or found.definition is None:
            return None, run.definition
        return found.version, found.definition


def ask(context: Context) -> dict[int, int]:
    """Asks every living server to read its file again; gives what ``answers`` waits for."""
    from jobrunner.store import reloads

    return reloads.ask(context.db)


def answers(context: Context, requests: dict[int, int]) -> list[Reloaded]:
    """What the servers made of it, when all have answered that still live, or time is up."""
    from jobrunner.store import reloads
    from jobrunner.store.changes import Changes

    context.tell_changed()
    changes, clock = Changes(context.db), context.clock
    deadline = clock.monotonic() + PATIENCE_SECONDS
    while True:
        found = reloads.progress(context.db, requests)
        left = deadline - clock.monotonic()
        if left <= 0 or all(one.done or not one.live for one in found):
            return found
        changes.wait(min(left, _LOOK_SECONDS))
