"""What became of a fire time, in words: its run, the decision that it has none, or that nobody has looked yet. Pure.

Called by admin for ``why JOB``.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import NamedTuple

from jobrunner.domain.answer import Because, because
from jobrunner.domain.clock import to_micros
from jobrunner.domain.decision import Decision, Why
from jobrunner.domain.holds import past_pause_words
from jobrunner.domain.queue import Pause
from jobrunner.domain.run import Run
from jobrunner.domain.schedule import CronRule, Schedule
from jobrunner.domain.state import RunState
from jobrunner.domain.traps import clock_remark
from jobrunner.domain.verification import Unanswered
from jobrunner.domain.version import Version

_NIGHT = 4 * 3_600
_PUNCTUAL = timedelta(seconds=1)


class FireFacts(NamedTuple):
    """What is known of one fire time ``at`` of a job.

    Of ``run``, ``decision`` and ``unanswered`` one is set, and none for a fire to come. ``pause`` is the one that held
    the job then; ``outage`` from when to when no server scheduled around it, None at an end that is open. ``version``
    was in force then, ``current`` is now. ``schedule`` is due then; None where a run has a fire time that none gives.
    """

    job: str
    at: datetime
    now: datetime
    schedule: Schedule | None = None
    run: Run | None = None
    decision: Decision | None = None
    unanswered: Unanswered | None = None
    pause: Pause | None = None
    outage: tuple[datetime | None, datetime | None] | None = None
    version: Version | None = None
    current: Version | None = None


def verdict(facts: FireFacts) -> str:
    """One word for what became of it."""
    if facts.run is not None:
        return facts.run.state.value
    if facts.decision is not None:
        return facts.decision.why.value.replace(" ", "_")
    if facts.unanswered is None:
        return "coming"
    return "unanswered" if facts.unanswered is Unanswered.MISSING else facts.unanswered.value


def headline(facts: FireFacts) -> Because:
    """What became of it, in a sentence."""
    code, job, at = verdict(facts), facts.job, facts.at
    if facts.run is not None:
        words = "{job} was due at {at}: run {run} " + STATES[facts.run.state]
        return because(code, words, job=job, at=at, run=facts.run.id)
    if facts.decision is not None:
        return because(code, "{job} was due at {at} and has no run: " + _DECISIONS[facts.decision.why], job=job, at=at)
    if facts.unanswered is None:
        return because(code, "{job} is due at {at}", job=job, at=at)
    return because(code, "{job} was due at {at} and has no run: " + _UNANSWERED[facts.unanswered], job=job, at=at)


STATES = {
    RunState.SCHEDULED: "is scheduled",
    RunState.WAITING: "waits",
    RunState.QUEUED: "is queued",
    RunState.RUNNING: "is running",
    RunState.RETRYING: "is going to be tried again",
    RunState.SUCCEEDED: "succeeded",
    RunState.FAILED: "failed",
    RunState.CANCELLED: "was cancelled",
    RunState.SKIPPED: "was skipped",
    RunState.EXPIRED: "expired",
}
_DECISIONS = {
    Why.PAUSED: "it was paused",
    Why.DISABLED: "it was disabled",
    Why.BLACKOUT: "it was a day of a blackout",
    Why.MISSED: "the fire was missed",
    Why.NOT_UNIQUE: "another run with the same parameters was there",
    Why.SHADOW: "it is a shadow, which is not executed",
}
_UNANSWERED = {
    Unanswered.PENDING: "no server has looked yet",
    Unanswered.NO_SERVER: "no server ran until its definition was changed",
    Unanswered.CHANGED: "its definition was changed at that moment",
    Unanswered.DISABLED: "it was disabled",
    Unanswered.REMOVED: "its run, if it had one, is kept no longer",
    Unanswered.MISSING: "nothing says what became of it",
}


def reasons(facts: FireFacts) -> Iterator[Because]:
    """The reasons beyond what its run says of itself."""
    if facts.run is not None:
        yield from _delay(facts.run, facts.at)
    elif facts.decision is not None:
        yield from _decided(facts, facts.decision)
    elif facts.unanswered is not None:
        yield from _left(facts, facts.unanswered)


def notes(facts: FireFacts) -> Iterator[Because]:
    """Remarks on the fire itself: the definition of then, the change of the clock."""
    yield from _definition(facts)
    if facts.schedule is not None:
        yield from _clock_change(facts.schedule, facts.at)


def _delay(run: Run, at: datetime) -> Iterator[Because]:
    first = run.attempts[0].started_at if run.attempts else run.started_at
    if first is None or not run.attempt:
        return
    late = first - at
    if late < _PUNCTUAL:
        yield because("punctual", "It started on time.", started=first, delay=late)
        return
    yield because("delay", "It started at {started}, {delay} after its time.", started=first, delay=late)
    planned = run.run_after - at
    if run.attempt == 1 and timedelta(0) < planned <= late:
        yield because(
            "jitter", "Of that, {planned} was intended (jitter, or a blackout that puts it off).", planned=planned
        )


def _decided(facts: FireFacts, decision: Decision) -> Iterator[Because]:
    match decision.why:
        case Why.PAUSED if facts.pause is not None:
            yield past_pause_words(facts.pause)
        case Why.MISSED if facts.outage is not None:
            yield from _outage(facts)
            policy = decision.detail.partition("; ")[2]
            yield _detail(decision, policy or decision.detail)
        case _:
            yield _detail(decision, decision.detail)
    if decision.fires > 1:
        words = "The same holds for all {fires} fires from {first} to {last}."
        yield because("span", words, fires=decision.fires, first=decision.first_fire, last=decision.last_fire)
    if decision.why is Why.MISSED:
        yield because("make_up", "To run it after all: jobrunner trigger {job}.", job=facts.job)


def _detail(decision: Decision, text: str) -> Because:
    said = (
        text.rstrip(".") if " = " in text else text[:1].upper() + text[1:].rstrip(".")
    )  # a key stays as it is written
    return because("detail", "{detail}.", detail=said, kind=decision.why.value)


def _outage(facts: FireFacts) -> Iterator[Because]:
    if facts.outage is None:
        return
    start, end = facts.outage
    words = "No server fired schedules"
    words += " from {start}" if start else ""
    words += " until {end}." if end else "."
    yield because("no_server", words, start=start, end=end)


def _left(facts: FireFacts, kind: Unanswered) -> Iterator[Because]:
    match kind:
        case Unanswered.PENDING if facts.outage is not None:
            start, _ = facts.outage
            words = "No server has fired schedules" + (" since {start}." if start else " yet.")
            yield because("no_server", words, start=start)
            yield because("catchup", "The next one that starts decides it, by catchup and catchup_window.")
        case Unanswered.PENDING:
            yield because("pending", "A server is about to look at it.")
        case Unanswered.NO_SERVER:
            yield from _outage(facts)
        case Unanswered.MISSING:
            yield because("missing", "That is a fault; jobrunner verify looks for more of its kind.")


def _definition(facts: FireFacts) -> Iterator[Because]:
    then, today = facts.version, facts.current
    if then is None or today is None or then.version == today.version:
        return
    words = "Version {version} of its definition was in force then, since {since}; "
    words += "now it is version {now}." if today.definition is not None else "now it is in no file."
    yield because("version", words, version=then.version, since=then.applied_at, now=today.version)


def _clock_change(schedule: Schedule, at: datetime) -> Iterator[Because]:
    rule = schedule.rule
    if not isinstance(rule, CronRule):
        return
    second = to_micros(at) // 1_000_000
    for change in rule.timeline.changes(second - _NIGHT, second + _NIGHT):
        remark = clock_remark(rule, change)
        if remark is not None:
            yield because("clock_change", "{remark}.", remark=remark[:1].upper() + remark[1:])
