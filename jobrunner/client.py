"""The Python API: trigger jobs and get their results, from any program that can read the jobs.toml.

Thread-safe. A trigger is one transaction; ``Client.open`` is cheap, and a client can be kept as long as the process
lives, also where that forks: parent and child go on with connections of their own, unless other threads than the
forking one have connections, too.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from jobrunner import wiring
from jobrunner.admin import Admin
from jobrunner.domain.batch import Batch
from jobrunner.domain.run import Run
from jobrunner.domain.state import RunState, Trigger
from jobrunner.domain.trigger import TriggerOptions, check_run_id
from jobrunner.errors import RunFailed

if TYPE_CHECKING:
    from types import TracebackType


class Client:
    """Triggers jobs of one jobs.toml. Made by ``Client.open``; use it as a context manager, or ``close`` it.

    Raises (every method):
        StoreUnavailable: the store cannot be reached.
        ConfigError: the file cannot be used.
    """

    def __init__(self, admin: Admin) -> None:
        self._admin = admin

    @classmethod
    def open(cls, config: str | os.PathLike[str] | None = None) -> Client:
        """A client on a jobs.toml; None: the one that the command line would find.

        Raises:
            ConfigError: there is none, or its ``[jobrunner]`` is invalid.
        """
        return cls(wiring.make_admin(config, source=Trigger.API, warn=False))

    def trigger(
        self,
        job: str,
        /,
        *,
        at: datetime | None = None,
        delay: timedelta | float | None = None,
        after: RunHandle | int | Iterable[RunHandle | int] | None = None,
        queue: str | None = None,
        priority: int | None = None,
        retries: int | None = None,
        params: Mapping[str, Any] | None = None,
        **more: Any,
    ) -> RunHandle:
        """Creates a run; it is durably stored when this returns. Parameters are keyword arguments.

        A parameter that has the name of an option goes in ``params``. ``at`` must be aware; ``delay`` is a timedelta
        or seconds. ``after`` makes the run a continuation: it starts when those runs have succeeded.

        Raises:
            NotFound: no such job, or run to follow.
            ParameterError: a parameter is wrong, unknown or missing.
            UsageError: no such queue, or both ``at`` and ``delay``.
        """
        options = TriggerOptions(
            at=_aware(at),
            delay=_delay(delay),
            queue=queue,
            priority=priority,
            retries=retries,
            after=_ids(after),
        )
        created = self._admin.trigger(job, {**(params or {}), **more}, options=options)
        return RunHandle(self._admin, created.id, job, existing=created.existing)

    def batch(
        self,
        job: str,
        items: Iterable[Mapping[str, Any]],
        *,
        name: str | None = None,
        then: str | None = None,
        then_on_failure: str | None = None,
        queue: str | None = None,
        priority: int | None = None,
        retries: int | None = None,
    ) -> BatchHandle:
        """Creates a run for each mapping of parameters, all or nothing.

        ``then`` runs once when every member has succeeded, also after retries; ``then_on_failure`` once when all have
        ended and some have not succeeded. Members of a batch are never merged by ``unique``.

        Raises:
            ParameterError: an item is wrong; nothing was created.
            NotFound: no such job.
        """
        options = TriggerOptions(queue=queue, priority=priority, retries=retries)
        created = self._admin.trigger_batch(
            job, items, name=name, then=then, then_on_failure=then_on_failure, options=options
        )
        return BatchHandle(self._admin, created.id, created.total)

    def run(self, run_id: int) -> RunHandle:
        """The handle of a run that exists. Raises NotFound."""
        check_run_id(run_id)
        return RunHandle(self._admin, run_id, self._admin.run(run_id).job, existing=True)

    def close(self) -> None:
        """Closes this thread's connection to the store."""
        self._admin.close()

    def __enter__(self) -> Client:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()


class RunHandle:
    """A run: its ``id``, its ``job``, and whether ``unique`` gave back one that was there (``existing``)."""

    def __init__(self, admin: Admin, run_id: int, job: str, *, existing: bool) -> None:
        self._admin = admin
        self.id = run_id
        self.job = job
        self.existing = existing

    def __repr__(self) -> str:
        return f"<run {self.id} of {self.job}>"

    def status(self) -> Run:
        """The run as it stands now."""
        return self._admin.run(self.id)

    def result(self, timeout: float | timedelta | None = None) -> Any:
        """Waits until the run has ended and gives its result; None where it has none. ``timeout`` in seconds.

        Raises:
            RunFailed: it ended without success.
            ResultTimeout: it has not ended in time; it goes on.
        """
        return _result(self._admin.wait(self.id, _span(timeout)))

    async def result_async(self, timeout: float | timedelta | None = None) -> Any:
        """The same without blocking the event loop: the wait is in a thread."""
        return await asyncio.to_thread(self._in_thread, timeout)

    def cancel(self, *, now: bool = False) -> Run:
        """Withdraws the run or has it stopped (``now``: without grace). Raises Refused when it has ended otherwise."""
        return self._admin.cancel(self.id, now)

    def retry(self) -> Run:
        """Gives a failed or cancelled run further attempts. Raises Refused in any other state."""
        return self._admin.retry(self.id)

    def _in_thread(self, timeout: float | timedelta | None) -> Any:
        try:
            return self.result(timeout)
        finally:
            self._admin.close()


class BatchHandle:
    """A batch: its ``id`` (a number; people see it as ``b7``) and how many runs it has."""

    def __init__(self, admin: Admin, batch_id: int, total: int) -> None:
        self._admin = admin
        self.id = batch_id
        self.total = total

    def __repr__(self) -> str:
        return f"<batch b{self.id} of {self.total}>"

    def status(self) -> Batch:
        """The batch with its counts as they stand now."""
        return self._admin.batch(self.id)

    def wait(self, timeout: float | timedelta | None = None) -> Batch:
        """Waits until every member has ended. Raises ResultTimeout."""
        return self._admin.wait_batch(self.id, _span(timeout))

    async def wait_async(self, timeout: float | timedelta | None = None) -> Batch:
        """The same without blocking the event loop: the wait is in a thread."""
        return await asyncio.to_thread(self._in_thread, timeout)

    def cancel(self, *, now: bool = False) -> None:
        """Cancels the members that have not ended."""
        self._admin.cancel_batch(self.id, now)

    def _in_thread(self, timeout: float | timedelta | None) -> Batch:
        try:
            return self.wait(timeout)
        finally:
            self._admin.close()


def _result(run: Run) -> Any:
    if run.state is RunState.SUCCEEDED:
        return run.result
    error = f": {run.error}" if run.error else ""
    raise RunFailed(f"run {run.id} of {run.job} is {run.state}{error}", run_id=run.id, state=run.state)


def _span(timeout: float | timedelta | None) -> timedelta | None:
    return timedelta(seconds=timeout) if isinstance(timeout, int | float) else timeout


def _delay(delay: timedelta | float | None) -> timedelta | None:
    try:
        return timedelta(seconds=delay) if isinstance(delay, int | float) else delay
    except (OverflowError, ValueError):
        from jobrunner.errors import UsageError

        raise UsageError(f"not a delay: {delay!r:.40}", hint="give seconds, or a timedelta") from None


def _aware(at: datetime | None) -> datetime | None:
    if at is not None and at.tzinfo is None:
        from jobrunner.errors import UsageError

        raise UsageError("`at` has no time zone", hint="give an aware datetime, such as datetime.now(UTC) + …")
    return at


def _ids(after: RunHandle | int | Iterable[RunHandle | int] | None) -> tuple[int, ...]:
    if after is None:
        return ()
    several = (after,) if isinstance(after, RunHandle | int) else after
    return tuple(one.id if isinstance(one, RunHandle) else one for one in several)
