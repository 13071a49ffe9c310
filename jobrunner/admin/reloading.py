"""``reload``: every server reads its file again, and says what it made of it; ``history``: what they had in force."""

from __future__ import annotations

from typing import TYPE_CHECKING

from jobrunner.admin.context import Context

if TYPE_CHECKING:
    from jobrunner.domain.change import KeyChange
    from jobrunner.domain.server import Reloaded
    from jobrunner.domain.version import Version

PATIENCE_SECONDS = 15.0
"""How long servers have to answer; one of 100,000 jobs needs eight."""

_LOOK_SECONDS = 0.2


class Reloading:
    """The verb ``reload``."""

    _context: Context

    def reload(self) -> list[Reloaded]:
        """Asks every living server to read its file again and waits until each has, or is gone, or time is up.

        What a server made of it is in its ``error``; one that has not answered is not ``done``.
        """
        return answers(self._context, self._context.act("reload", "servers", lambda _: ask(self._context)))

    def history(self, job: str | None, limit: int) -> list[tuple[Version, tuple[KeyChange, ...]]]:
        """The versions of a job, or the newest of all jobs, newest first, each with what it changed.

        Raises:
            NotFound: no server has ever loaded such a job.
        """
        from jobrunner.domain.change import keys_changed
        from jobrunner.store import versions

        found = versions.newest(self._context.db, limit, job)
        if job is not None and not found:
            self._context.jobs.named(job)  # says that there is none, and what is near
        return [
            (one, keys_changed(before, one.definition) if before and one.definition else ()) for one, before in found
        ]


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
