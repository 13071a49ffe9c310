"""Why a run stands where it stands: what it waits for, when it starts, how it ended. Pure; called by admin.

Each function gives sentences for somebody who is tired and wants to go back to bed.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from jobrunner.domain.answer import Because, because
from jobrunner.domain.audit import AuditEntry
from jobrunner.domain.forecast import Estimate
from jobrunner.domain.job import When
from jobrunner.domain.prospect import Line, Start
from jobrunner.domain.queue import Pause
from jobrunner.domain.run import Attempt, Run
from jobrunner.domain.server import Server
from jobrunner.domain.state import Outcome, RunState, Trigger, WaitingReason

_SHOWN = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class RunFacts:
    """What is known of a run now.

    ``servers`` are the living ones, ``pauses`` those in force, ``parents`` the runs that it follows, ``in_the_way`` the
    active runs of its job before it, ``steered`` what people did to it, newest first. ``line`` and ``start`` are of a
    queued run, None elsewhere. ``usual`` is how long runs of its job take, where history tells.
    """

    run: Run
    now: datetime
    servers: Sequence[Server]
    pauses: Sequence[Pause]
    parents: Sequence[Run] = ()
    when: When = When.SUCCESS
    in_the_way: Sequence[Run] = ()
    steered: Sequence[AuditEntry] = ()
    line: Line | None = None
    start: Start | None = None
    usual: Estimate | None = None
    expires: timedelta | None = None


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
        case RunState.SUCCEEDED:
            yield because(
                "succeeded",
                "It succeeded at {at}, after {took}, attempt {attempt}, on {server}.",
                at=facts.run.finished_at,
                took=_took(facts.run),
                attempt=facts.run.attempt,
                server=facts.run.server,
            )
            yield from _past_attempts(facts.run.attempts[:-1])
        case RunState.FAILED:
            yield from _failed(facts.run)
        case RunState.CANCELLED:
            yield from _cancelled(facts)
        case RunState.SKIPPED:
            yield from _skipped(facts)
        case RunState.EXPIRED:
            yield because(
                "expired",
                "It was due at {due} and may wait for {expires}; by {at} it had not started.",
                due=facts.run.run_after,
                expires=facts.expires,
                at=facts.run.finished_at,
            )


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
        return because("start_unknown", "Nobody can tell when it starts: no run of {jobs} has ended yet.", jobs=jobs)
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
    yield from _past_attempts(run.attempts[:-1])


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
    yield from _past_attempts(run.attempts)
    yield from _holds(facts)
    yield from _server_reasons(facts)


def _failed(run: Run) -> Iterator[Because]:
    if not run.attempts:
        yield because("failed", "It never started: {error}.", error=run.error)
    elif run.attempts[-1].outcome is Outcome.LOST:
        lost = sum(attempt.outcome is Outcome.LOST for attempt in run.attempts)
        words = "Its server died under it" + (" {lost} times." if lost > 1 else ", and on_lost is fail.")
        yield because("lost", words, lost=lost)
    elif run.attempt < run.max_attempts:
        yield because("not_retried", "What it failed with is not retried (retry_on, no_retry_on).")
    elif run.max_attempts > 1:
        yield because("no_attempts_left", "None of its {attempts} attempts succeeded.", attempts=run.max_attempts)
    yield from _past_attempts(run.attempts)
    if run.dead:
        words = "It is a dead letter: jobrunner retry {run}, or jobrunner discard {run}."
        yield because("dead", words, run=run.id)


def _cancelled(facts: RunFacts) -> Iterator[Because]:
    run = facts.run
    by = next((entry for entry in facts.steered if entry.action == "cancel"), None)
    if run.error == "replaced by the next fire":
        yield because("replaced", "The next fire of its job took its place (overlap = replace).")
    elif by is not None:
        words = "{who} cancelled it at {at}" + (" with its batch." if by.target.startswith("batch") else ".")
        yield because("cancelled", words, who=by.who, host=by.host, at=by.at)
    else:
        yield because("cancelled", "It was cancelled at {at}.", at=run.finished_at)
    if run.attempt == 0:
        yield because("not_started", "It had not started.")
    yield from _past_attempts(run.attempts)
    yield because("again", "To run it after all: jobrunner retry {run}.", run=run.id)


def _skipped(facts: RunFacts) -> Iterator[Because]:
    yield because(
        "skipped", "{error}.", error=_sentence(facts.run.error or "a policy of its job kept it from starting")
    )
    for parent in [parent for parent in facts.parents if parent.state.final and parent.state is not RunState.SUCCEEDED]:
        yield because(
            "parent", "Run {parent} of {job} {state}.", parent=parent.id, job=parent.job, state=_ended(parent)
        )
    if facts.run.fire_time is not None and facts.usual is not None:
        yield because("usual", "Runs of {job} usually take {usual}.", job=facts.run.job, usual=facts.usual.median)


def _past_attempts(attempts: Sequence[Attempt]) -> Iterator[Because]:
    """What attempts came to: the first ones and the last ones of many."""
    ended = [attempt for attempt in attempts if attempt.outcome is not None]
    shown = ended if len(ended) <= 2 * _SHOWN else [*ended[:_SHOWN], *ended[-_SHOWN:]]
    for place, attempt in enumerate(shown):
        if place == _SHOWN and len(shown) < len(ended):
            yield because("attempts", "{more} more attempts ended.", more=len(ended) - len(shown))
        words = "Attempt {attempt} " + _OUTCOMES[attempt.outcome or Outcome.FAILED] + " at {at}"
        said = attempt.error if attempt.outcome is not Outcome.SUCCEEDED else None
        words += ": {error}." if said else "."
        yield because(
            "attempt_ended", words, attempt=attempt.number, at=attempt.finished_at, error=said, server=attempt.server
        )


_OUTCOMES = {
    Outcome.SUCCEEDED: "succeeded",
    Outcome.FAILED: "failed",
    Outcome.TIMEOUT: "ran out of time",
    Outcome.CANCELLED: "was cancelled",
    Outcome.LOST: "was lost with its server {server}",
    Outcome.INTERRUPTED: "was interrupted by the end of its server {server}",
}


def _holds(facts: RunFacts) -> Iterator[Because]:
    """The pauses that hold it: of its job, its queue, everything."""
    run = facts.run
    for pause in facts.pauses:
        if (pause.scope, pause.name) in (("job", run.job), ("queue", run.queue), ("all", "")):
            yield pause_words(pause)


def pause_words(pause: Pause) -> Because:
    """Who has paused what, since when, until when and why."""
    what = {"job": "Job {name}", "queue": "Queue {name}"}.get(pause.scope, "Everything")
    until = " until {until}" if pause.until else ""
    reason = ": {reason}" if pause.reason else ""
    return because(
        "paused",
        f"{what} has been paused by {{who}} since {{since}}{until}{reason}.",
        scope=pause.scope,
        name=pause.name,
        who=pause.who,
        since=pause.since,
        until=pause.until,
        reason=pause.reason.rstrip("."),
    )


def _server_reasons(facts: RunFacts) -> Iterator[Because]:
    return no_server_for(facts.run.queue, facts.servers)


def no_server_for(queue: str, servers: Sequence[Server]) -> Iterator[Because]:
    """That nobody serves a queue, where so; ``servers`` are the living ones."""
    if not servers:
        yield because("no_server", "No server runs: jobrunner run.")
    elif not any(queue in server.queues for server in servers):
        names = ", ".join(sorted(server.name for server in servers)[:_SHOWN])
        yield because(
            "queue_not_served", "No server serves queue {queue}; there is {servers}.", queue=queue, servers=names
        )
    elif all(server.state.value == "draining" for server in servers if queue in server.queues):
        yield because("draining", "The servers of queue {queue} are about to end.", queue=queue)


def _origin(run: Run) -> Iterator[Because]:
    match run.trigger:
        case Trigger.SCHEDULE:
            yield because(
                "origin", "Its schedule fired at {fire_time}.", trigger=run.trigger.value, fire_time=run.fire_time
            )
        case Trigger.CATCHUP:
            words = "It makes up for the fire of {fire_time}, when no server ran (catchup)."
            yield because("origin", words, trigger=run.trigger.value, fire_time=run.fire_time)
        case _:
            words = "It was created at {at} ({trigger})."
            yield because("origin", words, trigger=run.trigger.value, at=run.created_at)


def _took(run: Run) -> timedelta | None:
    return run.finished_at - run.started_at if run.finished_at and run.started_at else None


def _who(steered: Sequence[AuditEntry], action: str) -> str | None:
    return next((entry.who for entry in steered if entry.action == action), None)


def _ended(run: Run) -> str:
    return {"cancelled": "was cancelled", "skipped": "was skipped"}.get(run.state.value, run.state.value)


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:].rstrip(".")
