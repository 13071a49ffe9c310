"""Every fire time that was due, by the definitions that were in force, against what became of it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from jobrunner.admin.context import Context
from jobrunner.admin.record import attention, job_of
from jobrunner.domain.clock import from_micros, to_micros

if TYPE_CHECKING:
    from jobrunner.domain.verification import Attention, JobCheck, Stretch, Verification
    from jobrunner.domain.version import Version

SINCE = timedelta(days=1)
"""How far back is looked unless something else is asked for."""


class Verifying:
    """The verb ``verify``."""

    _context: Context

    def verify(self, since: datetime | None = None) -> Verification:
        """Holds the fires from ``since`` (None: a day ago) until now against runs and decisions, job by job.

        Raises:
            UsageError: ``since`` is to come.
        """
        from jobrunner.domain.verification import Verification
        from jobrunner.errors import UsageError
        from jobrunner.store import fires

        now = self._context.clock.now()
        start = since or now - SINCE
        if start > now:
            raise UsageError("--since: that is still to come", hint="name a time in the past, or a duration such as 7d")
        db = self._context.db
        attended = fires.attended(db)
        looked = attention(self._context)._replace(now=to_micros(now))
        versions = self._versions(start, now)
        names = sorted({*versions, *fires.jobs(db)})
        return Verification(
            since=start,
            until=now,
            jobs=tuple(
                found
                for name in names
                if (found := self._check(name, versions.get(name, ()), start, attended.get(name), looked)) is not None
            ),
            known_since=fires.known_since(db),
            unserved_since=_unserved_since(looked),
        )

    def _check(
        self, job: str, versions: Sequence[Version], since: datetime, attended: int | None, looked: Attention
    ) -> JobCheck | None:
        """None of a job that had nothing due and nothing fired."""
        from jobrunner.domain.verification import check
        from jobrunner.store import fires, retention

        db, start, until = self._context.db, to_micros(since), looked.now
        stretches = list(_stretches(versions, start, until))
        # What ran before the first definition was recorded cannot be judged.
        begin = max(start, to_micros(versions[0].applied_at)) if versions else start
        runs = fires.runs(db, job, begin, until)
        decisions = fires.decided(db, job, begin, until)
        found = check(
            job, stretches, runs, decisions, looked._replace(until=attended, removed=retention.removed_until(db, job))
        )
        return found if found.expected or found.unexpected.fires else None

    def _versions(self, since: datetime, until: datetime) -> dict[str, list[Version]]:
        from jobrunner.store import versions

        found: dict[str, list[Version]] = {}
        for version in versions.in_force(self._context.db, since, until):
            found.setdefault(version.job, []).append(version)
        return found


def _stretches(versions: Sequence[Version], since: int, until: int) -> list[Stretch]:
    """The stretches of the versions; where one is due as the one before it was, they are one stretch."""
    from jobrunner.domain.verification import Stretch

    found: list[Stretch] = []
    for version in versions:
        known = job_of(version)
        if known is None:
            continue
        job, due = known
        replaced = to_micros(version.replaced_at) if version.replaced_at is not None else None
        start, end = max(to_micros(version.applied_at), since), min(until if replaced is None else replaced, until)
        before = found[-1] if found else None
        if before and before.until == start and (before.due.key, before.enabled) == (due.key, job.enabled):
            found[-1] = before._replace(until=end, last=replaced is None)
        else:
            found.append(Stretch(start, end, due, enabled=job.enabled, last=replaced is None))
    return found


def _unserved_since(looked: Attention) -> datetime | None:
    if looked.since is not None or not looked.served:
        return None
    return from_micros(looked.served[-1][1])
