"""Which decisions a filter asks for. Called by admin for those that were made last."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime

from jobrunner.domain.decision import Decision, Why
from jobrunner.domain.filter import Field, Term
from jobrunner.domain.job_filter import named

Test = Callable[[Decision], bool]


def whys(terms: Iterable[Term]) -> tuple[Why, ...]:
    """The reasons that can be among what a filter asks for."""
    found = set(Why)
    for term in terms:
        if term.field is Field.STATE:
            wanted = {Why(str(value).replace("-", " ")) for value in term.values}
            found = found - wanted if term.negated else found & wanted
    return tuple(why for why in Why if why in found)


def since(terms: Iterable[Term]) -> datetime | None:
    """The instant before which no decision is asked for, None where there is none."""
    found = [value for term in terms if term.field is Field.SINCE and not term.negated for value in term.values]
    return max((value for value in found if isinstance(value, datetime)), default=None)


def one_job(terms: Iterable[Term]) -> str | None:
    """The only job that is asked for, None where there may be several."""
    for term in terms:
        if term.field is Field.JOB and not term.negated and len(term.values) == 1:
            name = str(term.values[0])
            if not re.search(r"[*?]", name):
                return name
    return None


def decision_test(terms: Sequence[Term]) -> Test:
    """A test of decisions: all terms hold."""
    tests = [_test(term) for term in terms]
    return lambda decision: all(test(decision) for test in tests)


def _test(term: Term) -> Test:
    positive = _positive(term)
    return (lambda decision: not positive(decision)) if term.negated else positive


def _positive(term: Term) -> Test:
    values = [str(value) for value in term.values]
    match term.field:
        case Field.TEXT:
            text = values[0].lower()
            return lambda decision: text in _words(decision).lower()
        case Field.PATTERN:
            pattern = re.compile(values[0], re.IGNORECASE)
            return lambda decision: pattern.search(_words(decision)) is not None
        case Field.STATE:
            return lambda decision: decision.why.replace(" ", "-") in values
        case Field.JOB:
            return lambda decision: bool(named((decision.job,), values))
        case Field.SINCE:
            return lambda decision: any(isinstance(at, datetime) and decision.decided_at >= at for at in term.values)
        case Field.UNTIL:
            return lambda decision: any(isinstance(at, datetime) and decision.decided_at < at for at in term.values)
        case _:
            raise AssertionError(term.field)


def _words(decision: Decision) -> str:
    return "\n".join((decision.job, decision.why, decision.detail))
