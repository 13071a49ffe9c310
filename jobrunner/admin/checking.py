"""Whether all is well: the short answer, for monitoring. The long one is ``doctor``."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

from jobrunner.admin.context import Context
from jobrunner.errors import JobrunnerError, StoreUnavailable

if TYPE_CHECKING:
    from jobrunner.domain.health import Health

Answer = TypeVar("Answer")

PATIENCE = 4.5
"""Seconds after which a store that has not answered counts as away. Who monitors does not want to wait."""


class Checking:
    """The verb ``health``. It makes no store, and is not in the audit trail."""

    _context: Context

    def health(self) -> Health:
        """Whether jobs run as they should. A store that is away is a problem, and no error; ends in time."""
        from jobrunner.domain.health import Health

        try:
            return within(PATIENCE, self._health, what="the store")
        except JobrunnerError as error:
            return Health(problems=(str(error),))

    def _health(self) -> Health:
        from jobrunner.domain import health
        from jobrunner.domain.finding import Severity
        from jobrunner.store import queues, servers
        from jobrunner.store.runs import read

        context = self._context
        context.require_store()
        settings, now = context.settings, context.clock.now()
        with context.db.snapshot():
            found = servers.find(context.db, now)
            statuses = queues.statuses(context.db, settings.queues, settings.queue_limits, now)
            dead, scheduled = read.dead_count(context.db), servers.have_schedules(context.db)
        context.db.close()
        findings = health.of_servers(found, scheduled=scheduled, lost_after=settings.lost_after)
        findings += health.of_queues(statuses, found, settings.lost_after)
        waits = [queue.oldest_wait for queue in statuses if queue.oldest_wait is not None and not queue.paused]
        return health.Health(
            problems=tuple(finding.detail for finding in findings if finding.status is Severity.FAULT),
            servers=len(health.heard(found, settings.lost_after)),
            queued=sum(queue.queued for queue in statuses),
            running=sum(queue.running for queue in statuses),
            dead=dead,
            oldest_wait=max(waits, default=None),
        )


def within(seconds: float, ask: Callable[[], Answer], *, what: str) -> Answer:
    """What ``ask`` answers, if it does so in time; it is asked in a thread, and left alone if not.

    A disk or a host that has stopped answering holds up whoever asks it, for minutes or for good.

    Raises:
        StoreUnavailable: ``what`` has not answered in time. And whatever ``ask`` raises.
    """
    answers = list[Answer]()
    failures = list[BaseException]()

    def run() -> None:
        try:
            answers.append(ask())
        except BaseException as error:
            failures.append(error)

    asking = threading.Thread(target=run, daemon=True)
    asking.start()
    asking.join(seconds)
    if failures:
        raise failures[0]
    if not answers:
        raise StoreUnavailable(f"{what} has not answered within {seconds:g} s", hint="see what holds it up")
    return answers[0]
