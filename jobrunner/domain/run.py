"""Runs and attempts as values, as they are shown and as a server takes them. States are in ``state``."""

from __future__ import annotations

from datetime import datetime
from typing import Any, NamedTuple

from jobrunner.domain.state import Outcome, RunState, Trigger, WaitingReason


class Progress(NamedTuple):
    """How far an attempt says it is: ``done`` of ``total`` (None: unknown), with a message."""

    done: float
    total: float | None = None
    message: str = ""


class Attempt(NamedTuple):
    """One execution of a run, on one server. ``outcome`` is None while it is under way.

    ``peak_memory`` in bytes and ``cpu_time`` in seconds are of all its processes; None where nobody measured them.
    """

    number: int
    server: str | None
    started_at: datetime
    finished_at: datetime | None = None
    outcome: Outcome | None = None
    exit_code: int | None = None
    signal: int | None = None
    error: str | None = None
    peak_memory: int | None = None
    cpu_time: float | None = None


class Run(NamedTuple):
    """One request to execute a job once. ``started_at`` to ``error`` and ``server`` are of the last attempt.

    ``params`` is fit to be shown: a ``secret`` parameter is ``"***"`` in it; its value is kept apart in the store and
    reaches only the attempt. ``definition`` is the text of ``Job.definition`` that the run was created with, None where
    a list did not read it. ``dead`` says that it is a dead letter; ``cancelling`` that somebody has asked to stop its
    running attempt.
    """

    id: int
    job: str
    state: RunState
    attempt: int
    max_attempts: int
    queue: str
    priority: int
    trigger: Trigger
    params: dict[str, Any]
    created_at: datetime
    run_after: datetime
    started_at: datetime | None = None
    finished_at: datetime | None = None
    exit_code: int | None = None
    error: str | None = None
    result: Any = None
    progress: Progress | None = None
    server: str | None = None
    batch_id: int | None = None
    workflow_id: int | None = None
    parent_ids: tuple[int, ...] = ()
    fire_time: datetime | None = None
    waiting_reason: WaitingReason | None = None
    waiting_detail: str | None = None
    dead: bool = False
    cancelling: bool = False
    definition: str | None = None
    attempts: tuple[Attempt, ...] = ()


class Claimed(NamedTuple):
    """A run that this server has just taken, with what its attempt needs.

    ``attempt`` is the number of the attempt that now begins; ``failures`` the failed ones since it was created or last
    retried by a person. ``params`` and ``secret_params`` are JSON objects as texts.
    """

    id: int
    job: str
    definition_id: int
    attempt: int
    max_attempts: int
    failures: int
    losses: int
    queue: str
    trigger: str
    params: str
    secret_params: str | None
    batch_id: int | None
    fire_time: datetime | None
    parent_results: dict[str, Any] | None
    started_at: datetime
