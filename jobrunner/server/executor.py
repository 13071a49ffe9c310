"""The life of one attempt, one step a line: prepare, watch, settle, record. Called by Huey's workers, and for short
attempts by the engine's thread, which has no time to watch."""

from __future__ import annotations

import json
import logging
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, TypedDict, assert_never

from jobrunner.domain.ahead import AHEAD_SECONDS, Paces
from jobrunner.domain.clock import Clock
from jobrunner.domain.duration import format_duration
from jobrunner.domain.job import HttpRequest, Job, OnLost, PythonCall
from jobrunner.domain.retry import decide, gives_up
from jobrunner.domain.run import Claimed
from jobrunner.domain.state import Outcome as Ended
from jobrunner.domain.state import Ready, RunState
from jobrunner.errors import JobrunnerError, StoreUnavailable
from jobrunner.execution import Execution
from jobrunner.execution.attempt import AttemptSpec, Control, StopReason
from jobrunner.execution.callable import CallAttempt
from jobrunner.execution.execution import Begun
from jobrunner.execution.outcome import PENDING, Failed, NotStarted, Outcome, Pending, Stopped, Succeeded, TimedOut
from jobrunner.execution.pool import shares_child
from jobrunner.jobfile.references import resolve_env, resolve_request
from jobrunner.queue.engine import Engine
from jobrunner.queue.operations import End
from jobrunner.server.definitions import Definitions
from jobrunner.server.recorder import Recorder, Recorders
from jobrunner.store.database import Database
from jobrunner.store.runs.finish import Ending

log = logging.getLogger("jobrunner.run")

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


@dataclass(frozen=True, slots=True)
class _Prepared:
    claimed: Claimed
    job: Job
    spec: AttemptSpec
    recorder: Recorder


@dataclass(frozen=True, slots=True)
class Call:
    """An attempt that has begun and may be short, and since when (monotonic); those that its child begins after it, and
    whether it is such a one itself."""

    prepared: _Prepared
    control: Control
    attempt: Begun
    since: float
    behind: tuple[_Prepared, ...] = ()
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
        self._recorders = recorders
        self._definitions = definitions
        self._server_id = server_id
        self._server_name = server_name
        self._clock = clock
        self._environ = environ
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
            elif isinstance(prepared := self._prepare(claimed), _Prepared):
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
            prepared = self._prepare_at_once(claimed)
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
        return replace(call, prepared=replace(call.prepared, claimed=claimed))

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

    def _prepare_at_once(self, claimed: Claimed) -> _Prepared | None:
        """What is prepared without waiting for anything, None where that cannot be."""
        job = self._definitions.jobfile.jobs.get(claimed.job)
        if job is None or isinstance(job.kind, HttpRequest) or self._stopping is not None or _refers(job):
            return None
        prepared = self._prepare(claimed)
        return prepared if isinstance(prepared, _Prepared) else None

    def _alike(self, first: _Prepared, runs: Sequence[Claimed]) -> tuple[_Prepared, ...]:
        """The next runs, as far as the same child can be given them with the first."""
        alike = list[_Prepared]()
        if not isinstance(first.job.kind, PythonCall):  # who has no child shares none: others are not prepared in vain
            return ()
        for claimed in runs:
            prepared = self._prepare_at_once(claimed)
            if prepared is None or not shares_child(first.job, prepared.job):
                break
            alike.append(prepared)
        return tuple(alike)

    def _prepare(self, claimed: Claimed) -> _Prepared | Ending:
        """The definition in force, parameters, secrets and environment; an ending where one of these cannot be had."""
        job: Job | None = None
        try:
            job = self._definitions.of(claimed)
            spec = self._spec(claimed, job)
        except StoreUnavailable as error:
            return self._ending(claimed, Ended.INTERRUPTED, RunState.QUEUED, {"error": str(error)})
        except JobrunnerError as error:
            return self._failed(claimed, job, str(error))
        recorder = self._recorders.recorder(claimed.id, claimed.attempt, job.max_output)
        return _Prepared(claimed, job, spec, recorder)

    def _spec(self, claimed: Claimed, job: Job) -> AttemptSpec:
        secret_params = json.loads(claimed.secret_params) if claimed.secret_params else {}
        folder, environ = job.folder, self._environ
        env, env_secrets = dict[str, str](), tuple[str, ...]()
        if job.env:
            env, env_secrets = resolve_env(job.env, environ=environ, where=f"jobs.{job.name}.env", folder=folder)
        if isinstance(job.kind, HttpRequest):
            where = f"jobs.{job.name}.http"
            request, http_secrets = resolve_request(job.kind, environ=environ, where=where, folder=folder)
            job, env_secrets = job._replace(kind=request), env_secrets + http_secrets
        return AttemptSpec(
            run_id=claimed.id,
            attempt=claimed.attempt,
            max_attempts=claimed.max_attempts,
            job=job,
            params={**json.loads(claimed.params), **secret_params} if claimed.params != "{}" else {},
            trigger=claimed.trigger,
            fire_time=claimed.fire_time,
            server=self._server_name,
            batch_id=claimed.batch_id,
            parent_results=claimed.parent_results,
            env=env,
            secrets=(*env_secrets, *_texts(secret_params.values())) if secret_params else env_secrets,
        )

    def _watch(self, prepared: _Prepared) -> Outcome:
        key = (prepared.claimed.id, prepared.claimed.attempt)
        control = self._controls[key] = Control()
        if self._stopping is not None:
            control.stop(*self._stopping)
        try:
            return self._execution.execute(prepared.spec, control, prepared.recorder)
        finally:
            self._forget(prepared)

    def _begin(self, prepared: _Prepared, behind: tuple[_Prepared, ...]) -> Call | None:
        every = (prepared, *behind)
        for each in every:
            self._controls[each.claimed.id, each.claimed.attempt] = Control()
        control = self._control(prepared)
        until = self._clock.monotonic() + AHEAD_SECONDS
        attempt = None
        try:
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

    def _give_back(self, unbegun: Sequence[_Prepared]) -> None:
        for prepared in unbegun:
            self._forget(prepared)
        self._engine.crew.give_back([prepared.claimed for prepared in unbegun])
        self._engine.wake()

    def _control(self, prepared: _Prepared) -> Control:
        return self._controls[prepared.claimed.id, prepared.claimed.attempt]

    def _see_through(self, call: Call) -> Outcome:
        try:
            return self._execution.finish(call.attempt, call.control)
        finally:
            self._forget(call.prepared)

    def _forget(self, prepared: _Prepared) -> None:
        del self._controls[prepared.claimed.id, prepared.claimed.attempt]

    def _fault(self, claimed: Claimed, fault: BaseException) -> Ending:
        extra = {"run": claimed.id, "job": claimed.job, "attempt": claimed.attempt}
        log.error("fault while executing", exc_info=fault, extra=extra)
        error = f"fault of jobrunner ({type(fault).__name__}); the server's log says more"
        return self._failed(claimed, self._definitions.jobfile.jobs.get(claimed.job), error)

    def _settle(self, claimed: Claimed, job: Job, outcome: Outcome) -> Ending | None:
        """The outcome and the job's policy make the next state; None when this server has nothing to say any more."""
        if outcome.took is not None:
            self._paces.note(job.name, outcome.took)
        used: _More = {"peak_memory": outcome.peak_memory, "cpu_time": outcome.cpu}
        match outcome:
            case Succeeded():
                used["exit_code"] = outcome.exit_code
                used["result"] = None if outcome.result is None else _encode(outcome.result)
                return self._ending(claimed, Ended.SUCCEEDED, RunState.SUCCEEDED, used)
            case Failed():
                used["signal"] = outcome.signal
                return self._failed(claimed, job, outcome.error, outcome.exit_code, outcome.exceptions, used)
            case NotStarted():
                return self._failed(claimed, job, outcome.error, more=used)
            case TimedOut():
                error = f"timed out after {format_duration(outcome.after)}" + (", killed" if outcome.killed else "")
                return self._failed(claimed, job, error, more=used, outcome=Ended.TIMEOUT)
            case Stopped(reason=StopReason.CANCELLED):
                used["error"] = "cancelled" + (", killed" if outcome.killed else "")
                return self._ending(claimed, Ended.CANCELLED, RunState.CANCELLED, used)
            case Stopped(reason=StopReason.INTERRUPTED) if self._stopping is None:
                return self._lost(claimed, job, used)
            case Stopped(reason=StopReason.INTERRUPTED):
                used["error"] = "interrupted by shutdown"
                return self._ending(claimed, Ended.INTERRUPTED, RunState.QUEUED, used)
            case Stopped(reason=StopReason.FENCED):
                return None
            case _:
                assert_never(outcome)  # type: ignore[arg-type]

    def _failed(
        self,
        claimed: Claimed,
        job: Job | None,
        error: str,
        exit_code: int | None = None,
        exceptions: tuple[str, ...] = (),
        more: _More | None = None,
        outcome: Ended = Ended.FAILED,
    ) -> Ending:
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

    def _record(self, claimed: Claimed, ending: Ending | None, recorder: Recorder | None) -> None:
        if ending is None:
            self._engine.submit(lambda _: (), frees_worker=True)
            return
        _log_end(ending)

        def instead(db: Database) -> Sequence[Ready]:
            error = "jobrunner could not record how it ended; the server's log says more"
            return End(self._failed(claimed, None, error))(db)

        if recorder is not None:
            recorder.close(ending, instead=instead, batch=claimed.batch_id)
        else:
            self._engine.submit(End(ending), frees_worker=True, instead=instead, batch=claimed.batch_id)


def _log_end(ending: Ending) -> None:
    level = logging.INFO if ending.state in (RunState.SUCCEEDED, RunState.CANCELLED) else logging.WARNING
    if log.isEnabledFor(level):
        extra = {"run": ending.run_id, "job": ending.job, "attempt": ending.attempt}
        words = (
            ending.outcome.value
            if ending.state.value == ending.outcome.value
            else (f"{ending.outcome}, now {ending.state}")
        )
        log.log(level, "%s%s", words, f": {ending.error}" if ending.error else "", extra=extra)


def _refers(job: Job) -> bool:
    """Whether its environment has to be read from somewhere, which may take its time."""
    return any("${" in text for text in job.env.values())


def _texts(values: Any) -> tuple[str, ...]:
    return tuple(value if isinstance(value, str) else json.dumps(value) for value in values)
