"""The life of one attempt, one step a line: prepare, watch, settle, record. Called by Huey's workers, and for short
attempts by the engine's thread, which has no time to watch."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import NamedTuple

from jobrunner.domain.ahead import AHEAD_SECONDS, Paces
from jobrunner.domain.clock import Clock
from jobrunner.domain.job import Job, OnLost, PythonCall
from jobrunner.domain.run import Claimed
from jobrunner.domain.state import Ready, RunState
from jobrunner.execution import Execution
from jobrunner.execution.attempt import Control, StopReason
from jobrunner.execution.callable import CallAttempt
from jobrunner.execution.execution import Begun
from jobrunner.execution.outcome import PENDING, Outcome, Pending
from jobrunner.execution.pool import shares_child
from jobrunner.queue.engine import Engine
from jobrunner.queue.operations import End
from jobrunner.server.definitions import Definitions
from jobrunner.server.preparation import Preparation, Prepared
from jobrunner.server.recorder import Recorder, Recorders
from jobrunner.server.settlement import Settlement
from jobrunner.store.database import Database
from jobrunner.store.runs.finish import Ending

log = logging.getLogger("jobrunner.run")


class Call(NamedTuple):
    """An attempt that has begun and may be short, and since when (monotonic); those that its child begins after it, and
    whether it is such a one itself."""

    prepared: Prepared
    control: Control
    attempt: Begun
    since: float
    behind: tuple[Prepared, ...] = ()
    follows: bool = False


class Executor:
    """Executes claimed runs. ``stop`` and ``stop_all`` reach what is under way from any thread."""

    def __init__(
        self,
        *,
        engine: Engine,
        execution: Execution,
        recorders: Recorders,
        definitions: Definitions,
        server_id: int,
        server_name: str,
        clock: Clock,
        environ: Mapping[str, str],
    ) -> None:
        self._engine = engine
        self._execution = execution
        self._definitions = definitions
        self._clock = clock
        self._settlement = settlement = Settlement(server_id, clock)
        self._preparation = Preparation(
            definitions=definitions,
            recorders=recorders,
            settlement=settlement,
            server_name=server_name,
            environ=environ,
        )
        self._controls = dict[tuple[int, int], Control]()
        self._left = dict[int, Call]()
        self._paces = Paces()
        self._stopping: tuple[StopReason, bool] | None = None

    def execute(self, run: int, attempt: int, queue: str) -> None:
        """Executes the attempt that a message names and records how it ended. Never raises: it is Huey's task."""
        call = self._left.pop(run, None)
        claimed = call.prepared.claimed if call is not None else self._engine.crew.claimed(run)
        if claimed is None:
            log.debug("not started: it is not claimed here any more", extra={"run": run, "queue": queue})
            return
        recorder = call.prepared.recorder if call is not None else None
        try:
            if call is not None:
                ending = self._settle(claimed, call.prepared.job, self._see_through(call))
            elif isinstance(prepared := self._preparation.prepare(claimed), Prepared):
                recorder = prepared.recorder
                ending = self._settle(claimed, prepared.job, self._watch(prepared))
            else:
                ending = prepared
        except BaseException as fault:
            ending = self._fault(claimed, fault)
        self._record(claimed, ending, recorder)

    def begin(self, runs: Sequence[Claimed]) -> Call | None:
        """Begins the first of these, if that takes no waiting; None, and nothing done, where ``execute`` has to.

        Some of the others, from the next one on, may have been given to its child, to be begun after it.
        """
        claimed = runs[0]
        try:
            prepared = self._preparation.prepare_at_once(claimed)
            return self._begin(prepared, self._alike(prepared, runs[1:])) if prepared is not None else None
        except BaseException:
            log.debug("not begun at once", exc_info=True, extra={"run": claimed.id, "job": claimed.job})
            return None

    def end(self, call: Call) -> Call | None:
        """Records how an attempt that has told something has ended, and those behind it that have ended with it. Gives
        the one that goes on, None where none does or a worker sees it through."""
        left = self._end(call)
        while left is not None and left is not call:
            call, left = left, self._end(left)
        return left

    def _end(self, call: Call) -> Call | None:
        prepared = call.prepared
        try:
            outcome = call.attempt.answered()
        except BaseException as fault:
            self._break_off(call, fault)
            return None
        if isinstance(outcome, Pending):
            return self._go_on(call, outcome)
        if outcome is None:
            self.leave(call)
            return None
        try:
            claimed = prepared.claimed
            if call.follows and outcome.took is not None:
                claimed = claimed._replace(started_at=self._clock.now() - timedelta(seconds=outcome.took))
            ending = self._settle(claimed, prepared.job, outcome)
        except BaseException as fault:
            ending = self._fault(prepared.claimed, fault)
        self._forget(prepared)
        self._record(prepared.claimed, ending, prepared.recorder)
        return self._follow(call) if call.behind else None

    def _break_off(self, call: Call, fault: BaseException) -> None:
        """Its child has been ended in the middle of it, or of one behind it: nobody knows which have begun."""
        for prepared in (call.prepared, *call.behind):
            self._engine.crew.turn(prepared.claimed.id)
            self._forget(prepared)
            self._record(prepared.claimed, self._fault(prepared.claimed, fault), prepared.recorder)

    def _go_on(self, call: Call, pending: Pending) -> Call | None:
        if pending is PENDING:
            return call
        self._give_back((call.prepared, *call.behind))
        return None

    def seconds(self, job: str) -> float | None:
        """What a run of a job usually takes, None where it is not to be claimed before somebody is free for it: it
        may not be repeated, or has not been seen to be short."""
        defined = self._definitions.jobfile.jobs.get(job)
        if defined is None or defined.on_lost is not OnLost.RETRY:
            return None
        return self._paces.seconds(job)

    def usual(self, job: str) -> float | None:
        """What a run of a job usually takes, None where none is to be begun behind another in a child: it has none that
        could be shared, or has not been seen to be short."""
        defined = self._definitions.jobfile.jobs.get(job)
        if defined is None or not isinstance(defined.kind, PythonCall):
            return None
        return self._paces.seconds(job)

    def leave(self, call: Call, *, fenced: bool = False) -> None:
        """Has a worker see a call through. Those behind it are others' then: their time has to be over.

        ``fenced``: this server was declared lost. Then nothing is said of those any more, for they may have begun.
        """
        if call.behind:
            assert isinstance(call.attempt, CallAttempt)
            call.attempt.leave_behind()
            if not fenced:
                self._give_back(call.behind)
        if call.follows:
            call = self._dated(call)
        self._left[call.prepared.claimed.id] = call
        self._engine.crew.delegate(call.prepared.claimed)

    def _dated(self, call: Call) -> Call:
        """With the time at which it began, not at which it was claimed."""
        began = self._clock.now() - timedelta(seconds=self._clock.monotonic() - call.since)
        claimed = call.prepared.claimed._replace(started_at=began)
        return call._replace(prepared=call.prepared._replace(claimed=claimed))

    def stop(self, run: int, attempt: int, at_once: bool) -> None:
        """Tells an attempt that it is cancelled; nothing happens when it is not under way here."""
        control = self._controls.get((run, attempt))
        if control is not None:
            control.stop(StopReason.CANCELLED, at_once)

    def stop_all(self, reason: StopReason, *, at_once: bool) -> None:
        """Tells everything under way to end, and whatever still begins."""
        self._stopping = (reason, at_once)
        for control in list(self._controls.values()):
            control.stop(reason, at_once)

    def _alike(self, first: Prepared, runs: Sequence[Claimed]) -> tuple[Prepared, ...]:
        """The next runs, as far as the same child can be given them with the first."""
        alike = list[Prepared]()
        if not isinstance(first.job.kind, PythonCall):  # who has no child shares none: others are not prepared in vain
            return ()
        for claimed in runs:
            prepared = self._preparation.prepare_at_once(claimed)
            if prepared is None or not shares_child(first.job, prepared.job):
                break
            alike.append(prepared)
        return tuple(alike)

    def _watch(self, prepared: Prepared) -> Outcome:
        key = (prepared.claimed.id, prepared.claimed.attempt)
        control = self._controls[key] = Control()
        if self._stopping is not None:
            control.stop(*self._stopping)
        try:
            return self._execution.execute(prepared.spec, control, prepared.recorder)
        finally:
            self._forget(prepared)

    def _begin(self, prepared: Prepared, behind: tuple[Prepared, ...]) -> Call | None:
        every = (prepared, *behind)
        for each in every:
            self._controls[each.claimed.id, each.claimed.attempt] = Control()
        control = self._control(prepared)
        until = self._clock.monotonic() + AHEAD_SECONDS
        attempt = None
        try:
            # Looked at when the controls are there: who is told to end all meanwhile reaches this one by them.
            if self._stopping is None:
                specs = [each.spec for each in behind]
                attempt = self._execution.begin(prepared.spec, control, prepared.recorder, specs, until)
        finally:
            if attempt is None:
                for each in every:
                    self._forget(each)
        if attempt is None:
            return None
        given = attempt.behind if isinstance(attempt, CallAttempt) else 0
        for each in behind[given:]:
            self._forget(each)
        return Call(prepared, control, attempt, self._clock.monotonic(), behind[:given])

    def _follow(self, call: Call) -> Call | None:
        """The call behind one that has ended; those that have no such luck are others'."""
        prepared, *behind = call.behind
        if not isinstance(call.attempt, CallAttempt) or not call.attempt.goes_on:
            self._give_back(call.behind)
            return None
        self._engine.crew.turn(prepared.claimed.id)
        control = self._control(prepared)
        attempt = self._execution.follow(call.attempt, prepared.spec, control, prepared.recorder)
        return Call(prepared, control, attempt, self._clock.monotonic(), tuple(behind), follows=True)

    def _give_back(self, unbegun: Sequence[Prepared]) -> None:
        for prepared in unbegun:
            self._forget(prepared)
        self._engine.crew.give_back([prepared.claimed for prepared in unbegun])
        self._engine.wake()

    def _control(self, prepared: Prepared) -> Control:
        return self._controls[prepared.claimed.id, prepared.claimed.attempt]

    def _see_through(self, call: Call) -> Outcome:
        try:
            return self._execution.finish(call.attempt, call.control)
        finally:
            self._forget(call.prepared)

    def _forget(self, prepared: Prepared) -> None:
        del self._controls[prepared.claimed.id, prepared.claimed.attempt]

    def _fault(self, claimed: Claimed, fault: BaseException) -> Ending:
        extra = {"run": claimed.id, "job": claimed.job, "attempt": claimed.attempt}
        log.error("fault while executing", exc_info=fault, extra=extra)
        error = f"fault of jobrunner ({type(fault).__name__}); the server's log says more"
        return self._settlement.failed(claimed, self._definitions.jobfile.jobs.get(claimed.job), error)

    def _settle(self, claimed: Claimed, job: Job, outcome: Outcome) -> Ending | None:
        if outcome.took is not None:
            self._paces.note(job.name, outcome.took)
        return self._settlement.settle(claimed, job, outcome, stopping=self._stopping is not None)

    def _record(self, claimed: Claimed, ending: Ending | None, recorder: Recorder | None) -> None:
        if ending is None:
            self._engine.submit(lambda _: (), ends=(claimed.id, claimed.attempt))
            return
        _log_end(ending)

        def instead(db: Database) -> Sequence[Ready]:
            error = "jobrunner could not record how it ended; the server's log says more"
            return End(self._settlement.failed(claimed, None, error))(db)

        if recorder is not None:
            recorder.close(ending, instead=instead, batch=claimed.batch_id)
        else:
            ends = claimed.id, claimed.attempt
            self._engine.submit(End(ending), ends=ends, instead=instead, batch=claimed.batch_id)


def _log_end(ending: Ending) -> None:
    level = logging.INFO if ending.state in (RunState.SUCCEEDED, RunState.CANCELLED) else logging.WARNING
    if log.isEnabledFor(level):
        extra = {"run": ending.run_id, "job": ending.job, "attempt": ending.attempt}
        words = ending.outcome.value
        if ending.state.value != words:
            words += f", now {ending.state}"
        error = ending.error or words
        log.log(level, "%s", error if error.startswith(words) else f"{words}: {error}", extra=extra)
