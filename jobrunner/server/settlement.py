"""What an attempt came to: its outcome and the job's policy make the next state of the run. Nothing is written here."""

from __future__ import annotations

import json
import random
from datetime import datetime
from typing import TypedDict, assert_never

from jobrunner.domain.clock import Clock
from jobrunner.domain.duration import format_duration
from jobrunner.domain.job import Job
from jobrunner.domain.retry import decide, gives_up
from jobrunner.domain.run import Claimed
from jobrunner.domain.state import Outcome as Ended
from jobrunner.domain.state import RunState
from jobrunner.execution.attempt import StopReason
from jobrunner.execution.outcome import Failed, NotStarted, Outcome, Stopped, Succeeded, TimedOut
from jobrunner.store.runs.finish import Ending

_encode = json.JSONEncoder(ensure_ascii=False).encode


class _More(TypedDict, total=False):
    """What an ending may tell besides; see ``Ending``."""

    exit_code: int | None
    signal: int | None
    error: str | None
    result: str | None
    run_after: datetime | None
    dead: bool
    peak_memory: int | None
    cpu_time: float | None


class Settlement:
    """The endings that this server records."""

    def __init__(self, server_id: int, clock: Clock) -> None:
        self._server_id = server_id
        self._clock = clock

    def settle(self, claimed: Claimed, job: Job, outcome: Outcome, *, stopping: bool) -> Ending | None:
        """None when this server has nothing to say any more. ``stopping``: it shuts down, and interrupts its runs."""
        used: _More = {"peak_memory": outcome.peak_memory, "cpu_time": outcome.cpu}
        match outcome:
            case Succeeded():
                used["exit_code"] = outcome.exit_code
                used["result"] = None if outcome.result is None else _encode(outcome.result)
                return self._ending(claimed, Ended.SUCCEEDED, RunState.SUCCEEDED, used)
            case Failed():
                used["signal"] = outcome.signal
                return self.failed(claimed, job, outcome.error, outcome.exit_code, outcome.exceptions, used)
            case NotStarted():
                return self.failed(claimed, job, outcome.error, more=used)
            case TimedOut():
                error = f"timed out after {format_duration(outcome.after)}" + (", killed" if outcome.killed else "")
                return self.failed(claimed, job, error, more=used, outcome=Ended.TIMEOUT)
            case Stopped(reason=StopReason.CANCELLED):
                used["error"] = "cancelled" + (", killed" if outcome.killed else "")
                return self._ending(claimed, Ended.CANCELLED, RunState.CANCELLED, used)
            case Stopped(reason=StopReason.INTERRUPTED) if not stopping:
                return self._lost(claimed, job, used)
            case Stopped(reason=StopReason.INTERRUPTED):
                return self.interrupted(claimed, "interrupted by shutdown", used)
            case Stopped(reason=StopReason.FENCED):
                return None
            case _:
                assert_never(outcome)  # type: ignore[arg-type]

    def failed(
        self,
        claimed: Claimed,
        job: Job | None,
        error: str,
        exit_code: int | None = None,
        exceptions: tuple[str, ...] = (),
        more: _More | None = None,
        outcome: Ended = Ended.FAILED,
    ) -> Ending:
        """It has failed, and is tried again where its job says so; one whose ``job`` is unknown is not."""
        delay = None
        if job is not None:
            delay = decide(
                job.retry,
                failures=claimed.failures + 1,
                attempt=claimed.attempt,
                max_attempts=claimed.max_attempts,
                exit_code=exit_code,
                exceptions=exceptions,
                spread=random.random(),  # noqa: S311
            )
        at = self._clock.now()
        kept: _More = {**more} if more is not None else {}
        kept |= {"error": error, "exit_code": exit_code, "run_after": None if delay is None else at + delay}
        kept["dead"] = delay is None and (job is None or job.dead_letter)
        return self._ending(claimed, outcome, RunState.FAILED if delay is None else RunState.RETRYING, kept, at)

    def interrupted(self, claimed: Claimed, error: str, more: _More | None = None) -> Ending:
        """Through no fault of its own: it is queued again."""
        used: _More = {**more} if more is not None else {}
        used["error"] = error
        return self._ending(claimed, Ended.INTERRUPTED, RunState.QUEUED, used)

    def _lost(self, claimed: Claimed, job: Job, used: _More) -> Ending:
        """Its launcher, a part of this server, was killed: by the job itself, it may be, and then again and again."""
        losses = claimed.losses + 1
        times = f", {losses} times" if losses > 1 else ""
        give_up = gives_up(job, losses)
        used |= {"error": f"its processes were killed with their launcher{times}", "dead": give_up and job.dead_letter}
        return self._ending(claimed, Ended.LOST, RunState.FAILED if give_up else RunState.QUEUED, used)

    def _ending(
        self, claimed: Claimed, outcome: Ended, state: RunState, more: _More, at: datetime | None = None
    ) -> Ending:
        return Ending(
            run_id=claimed.id,
            job=claimed.job,
            attempt=claimed.attempt,
            server_id=self._server_id,
            outcome=outcome,
            state=state,
            at=at or self._clock.now(),
            started_at=claimed.started_at,
            **more,
        )
