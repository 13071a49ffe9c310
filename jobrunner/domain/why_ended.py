"""Why a run ended as it did, in words. Pure; called by ``why_run``."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import timedelta

from jobrunner.domain.answer import Because, because
from jobrunner.domain.run import Attempt, Run
from jobrunner.domain.run_facts import RunFacts
from jobrunner.domain.state import Outcome, RunState

_SHOWN = 5
"""Attempts at the beginning and at the end of many that are told."""


def ended(facts: RunFacts) -> Iterator[Because]:
    """The reasons of a final state."""
    match facts.run.state:
        case RunState.SUCCEEDED:
            yield from _succeeded(facts.run)
        case RunState.FAILED:
            yield from _failed(facts.run)
        case RunState.CANCELLED:
            yield from _cancelled(facts)
        case RunState.SKIPPED:
            yield from _skipped(facts)
        case RunState.EXPIRED:
            yield from _expired(facts)


def past_attempts(attempts: Sequence[Attempt]) -> Iterator[Because]:
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


def _succeeded(run: Run) -> Iterator[Because]:
    yield because(
        "succeeded",
        "It succeeded at {at}, after {took}, attempt {attempt}, on {server}.",
        at=run.finished_at,
        took=_took(run),
        attempt=run.attempt,
        server=run.server,
    )
    yield from past_attempts(run.attempts[:-1])


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
    yield from past_attempts(run.attempts)
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
    yield from past_attempts(run.attempts)
    yield because("again", "To run it after all: jobrunner retry {run}.", run=run.id)


def _skipped(facts: RunFacts) -> Iterator[Because]:
    yield because(
        "skipped", "{error}.", error=_sentence(facts.run.error or "a policy of its job kept it from starting")
    )
    for parent in [parent for parent in facts.parents if parent.state.final and parent.state is not RunState.SUCCEEDED]:
        yield because(
            "parent", "Run {parent} of {job} {state}.", parent=parent.id, job=parent.job, state=_ended(parent)
        )
    for other in facts.in_the_way:
        yield from _lasted(other, facts)


def _lasted(other: Run, facts: RunFacts) -> Iterator[Because]:
    """How long the run lasted that was in the way, or has lasted."""
    if other.started_at is None:
        return
    ended = other.finished_at if other.state.final else None
    words = "Run {other} started at {started} and " + ("took {took}" if ended else "has lasted {took}")
    words += "; they usually take {usual}." if facts.usual else "."
    usual = facts.usual.median if facts.usual else None
    took = (ended or facts.now) - other.started_at
    yield because("in_the_way", words, other=other.id, started=other.started_at, took=took, usual=usual)


def _expired(facts: RunFacts) -> Iterator[Because]:
    yield because(
        "expired",
        "It was due at {due} and may wait for {expires}; by {at} it had not started.",
        due=facts.run.run_after,
        expires=facts.expires,
        at=facts.run.finished_at,
    )


def _took(run: Run) -> timedelta | None:
    return run.finished_at - run.started_at if run.finished_at and run.started_at else None


def _ended(run: Run) -> str:
    return {"cancelled": "was cancelled", "skipped": "was skipped"}.get(run.state.value, run.state.value)


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:].rstrip(".")
