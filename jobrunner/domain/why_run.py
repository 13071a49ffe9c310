"""Why a run stands where it stands: what it waits for, when it starts, how it ended. Pure; called by admin.

Each function gives sentences for somebody who is tired and wants to go back to bed.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

from jobrunner.domain.answer import Because, because
from jobrunner.domain.audit import AuditEntry
from jobrunner.domain.estimate import Estimate
from jobrunner.domain.holds import no_server_for, pause_words
from jobrunner.domain.job import When
from jobrunner.domain.prospect import Line, Start
from jobrunner.domain.run import Run
from jobrunner.domain.run_facts import RunFacts
from jobrunner.domain.state import RunState, Trigger, WaitingReason
from jobrunner.domain.why_ended import ended, past_attempts

_SHOWN = 5


def headline(run: Run) -> Because:
    """Where the run stands, in a sentence."""
    return because(run.state.value, _HEADLINES[run.state], run=run.id, job=run.job)


_HEADLINES = {
    RunState.SCHEDULED: "run {run} of {job} is scheduled: its time has not come",
    RunState.WAITING: "run {run} of {job} waits",
    RunState.QUEUED: "run {run} of {job} is queued: it waits for a worker",
    RunState.RUNNING: "run {run} of {job} is running",
    RunState.RETRYING: "run {run} of {job} is going to be tried again",
    RunState.SUCCEEDED: "run {run} of {job} succeeded",
    RunState.FAILED: "run {run} of {job} failed",
    RunState.CANCELLED: "run {run} of {job} was cancelled",
    RunState.SKIPPED: "run {run} of {job} was skipped: it never started",
    RunState.EXPIRED: "run {run} of {job} expired: it never started",
}


def reasons(facts: RunFacts) -> tuple[Because, ...]:
    """Why it stands there, the most telling sentence first; how it was made is the last."""
    return tuple(_of_state(facts)) + tuple(_origin(facts.run))


def _of_state(facts: RunFacts) -> Iterator[Because]:
    match facts.run.state:
        case RunState.SCHEDULED:
            yield because("due_later", "It is due at {due}.", due=facts.run.run_after)
            yield from _holds(facts)
            yield from _server_reasons(facts)
        case RunState.WAITING:
            yield from _waiting(facts)
        case RunState.QUEUED:
            yield from _queued(facts)
        case RunState.RUNNING:
            yield from _running(facts)
        case RunState.RETRYING:
            yield from _retrying(facts)
        case _:
            yield from ended(facts)


def _waiting(facts: RunFacts) -> Iterator[Because]:
    run = facts.run
    match run.waiting_reason:
        case WaitingReason.AFTER:
            yield from _parents(facts)
        case WaitingReason.OVERLAP:
            yield from _overlap(facts)
        case WaitingReason.PAUSED:
            yield from _holds(facts)
        case WaitingReason.APPROVAL:
            yield because(
                "approval", "It waits for a person: jobrunner approve {run}, or jobrunner reject {run}.", run=run.id
            )
        case reason:
            words = "It is held by {reason}" + (": {detail}." if run.waiting_detail else ".")
            yield because(str(reason), words, reason=str(reason).replace("_", " "), detail=run.waiting_detail)
    if run.waiting_reason is not WaitingReason.PAUSED:
        yield from _holds(facts)


def _parents(facts: RunFacts) -> Iterator[Because]:
    needs = {
        When.SUCCESS: "It starts when all of the runs before it have succeeded.",
        When.FAILURE: "It starts when all of the runs before it have ended, and one has not succeeded.",
        When.DONE: "It starts when all of the runs before it have ended, however they did.",
        When.ANY: "It starts as soon as one of the runs before it has succeeded.",
    }
    if not facts.parents:  # what follows a batch has no parents of its own
        yield because("after", "It starts when {what} has ended.", what=facts.run.waiting_detail)
        return
    yield because("after", needs[facts.when], when=facts.when.value)
    unended = [parent for parent in facts.parents if not parent.state.final]
    for parent in unended[:_SHOWN]:
        yield because(
            "parent", "Run {parent} of {job} is {state}.", parent=parent.id, job=parent.job, state=parent.state.value
        )
    if len(unended) > _SHOWN:
        yield because("parents", "{more} more have not ended.", more=len(unended) - _SHOWN)


def _overlap(facts: RunFacts) -> Iterator[Because]:
    if not facts.in_the_way:
        detail = facts.run.waiting_detail
        yield because("overlap", "One run of its job at a time: it waits for {what}.", what=detail)
        return
    first = facts.in_the_way[0]
    yield because(
        "overlap",
        "One run of its job at a time: run {run} before it is {state}.",
        run=first.id,
        state=first.state.value,
    )
    if len(facts.in_the_way) > 1:
        yield because("overlap_more", "{more} more of the job's runs stand before it.", more=len(facts.in_the_way) - 1)
    if first.state is RunState.RUNNING and first.started_at is not None:
        yield from _usual_end(first, facts.usual, facts.now, whose="That run")


def _queued(facts: RunFacts) -> Iterator[Because]:
    run, line = facts.run, facts.line
    holds = list(_holds(facts))
    yield from holds
    nobody = list(_server_reasons(facts))
    yield from nobody
    if nobody or line is None:
        return
    busy = min(len(line.busy), line.workers)
    yield because(
        "workers",
        "{busy} of {workers} workers that serve queue {queue} are busy.",
        busy=busy,
        workers=line.workers,
        queue=run.queue,
    )
    if not line.before:
        yield because("first", "It is the next one to be taken.")
    else:
        yield because("ahead", _ahead_words(line), ahead=line.before, higher=line.higher, others=line.other_queues)
    if not holds and facts.start is not None:
        yield _start_words(facts.start, facts.now)


def _ahead_words(line: Line) -> str:
    words = "{ahead} run is" if line.before == 1 else "{ahead} runs are"
    details = []
    if line.other_queues:
        details.append("{others} in queues that are served first")
    if line.higher:
        details.append("{higher} of higher priority")
    return f"{words} taken before it" + (f", {' and '.join(details)}." if details else ".")


def _start_words(start: Start, now: datetime) -> Because:
    if start.at is None:
        if start.overlong:
            return because(
                "start_unknown",
                "Nobody can tell when it starts: run {run} lasts longer than usual.",
                run=start.overlong[0],
            )
        jobs = ", ".join(start.unknown[:_SHOWN])
        words = "Nobody can tell when it starts: no run of {jobs} has succeeded yet."
        return because("start_unknown", words, jobs=jobs)
    if start.at <= now:
        return because("starts", "A worker is free: it starts within a second or so.", about=start.at)
    words = "It will start at about {about}, if the runs before it take what they usually take."
    return because("starts", words, about=start.at)


def _running(facts: RunFacts) -> Iterator[Because]:
    run = facts.run
    yield because(
        "attempt",
        "Attempt {attempt} of {attempts} started at {at} on {server}.",
        attempt=run.attempt,
        attempts=run.max_attempts,
        at=run.started_at,
        server=run.server,
    )
    if run.cancelling:
        who = _who(facts.steered, "cancel")
        yield because("cancelling", "{who} has asked to stop it.", who=who or "Somebody")
    yield from _usual_end(run, facts.usual, facts.now, whose="It")
    yield from past_attempts(run.attempts[:-1])


def _usual_end(run: Run, usual: Estimate | None, now: datetime, *, whose: str) -> Iterator[Because]:
    if run.started_at is None:
        return
    since = now - run.started_at
    if usual is None:
        yield because(
            "usual_unknown",
            f"{whose} has lasted {{since}}; no run of {{job}} has succeeded yet.",
            since=since,
            job=run.job,
        )
    elif since > usual.p95:
        words = f"{whose} has lasted {{since}}, longer than 95 of 100 did (usually {{usual}})."
        yield because("overlong", words, since=since, usual=usual.median)
    else:
        end = run.started_at + (usual.median if since <= usual.median else usual.p95)
        words = f"{whose} will end at about {{about}}: it usually takes {{usual}}."
        yield because("ends", words, about=end, usual=usual.median)


def _retrying(facts: RunFacts) -> Iterator[Because]:
    run = facts.run
    yield because(
        "retry",
        "Attempt {attempt} of {attempts} is due at {due}.",
        attempt=run.attempt + 1,
        attempts=run.max_attempts,
        due=run.run_after,
    )
    yield from past_attempts(run.attempts)
    yield from _holds(facts)
    yield from _server_reasons(facts)


def _holds(facts: RunFacts) -> Iterator[Because]:
    """The pauses that hold it: of its job, its queue, everything."""
    run = facts.run
    for pause in facts.pauses:
        if (pause.scope, pause.name) in (("job", run.job), ("queue", run.queue), ("all", "")):
            yield pause_words(pause)


def _server_reasons(facts: RunFacts) -> Iterator[Because]:
    return no_server_for(facts.run.queue, facts.servers)


def _origin(run: Run) -> Iterator[Because]:
    match run.trigger:
        case Trigger.SCHEDULE:
            yield because(
                "origin", "Its schedule fired at {fire_time}.", trigger=run.trigger.value, fire_time=run.fire_time
            )
        case Trigger.CATCHUP:
            words = "It makes up for the fire of {fire_time}, when no server ran (catchup)."
            yield because("origin", words, trigger=run.trigger.value, fire_time=run.fire_time)
        case Trigger.BACKFILL:
            words = "It makes up for the fire of {fire_time}, as somebody asked at {at} (backfill)."
            yield because("origin", words, trigger=run.trigger.value, fire_time=run.fire_time, at=run.created_at)
        case _:
            words = "It was created at {at}; trigger {trigger}."
            yield because("origin", words, trigger=run.trigger.value, at=run.created_at)


def _who(steered: Sequence[AuditEntry], action: str) -> str | None:
    return next((entry.who for entry in steered if entry.action == action), None)
