"""Whether a job is one that a filter asks for. Called by the dashboard for each of 10,000 jobs with each key."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Sequence
from fnmatch import translate

from jobrunner.domain.filter import Field, Term, is_glob
from jobrunner.domain.job import Job

Test = Callable[[Job, Collection[str], str], bool]


def job_test(terms: Sequence[Term]) -> Test:
    """A test of (job, states, note): ``states`` are those of its last run and ``paused``, ``disabled`` … that apply;
    ``note`` what is said of it, such as its last error."""
    tests = [_test(term) for term in terms]

    def test(job: Job, states: Collection[str], note: str = "") -> bool:
        return all(each(job, states, note) for each in tests)

    return test


def _test(term: Term) -> Test:
    positive = _positive(term)
    if not term.negated:
        return positive
    return lambda job, states, note: not positive(job, states, note)


def _positive(term: Term) -> Test:
    values = [str(value) for value in term.values]
    match term.field:
        case Field.TEXT:
            text = values[0].lower()
            return lambda job, _, note: text in _words(job, note).lower()
        case Field.PATTERN:
            pattern = re.compile(values[0], re.IGNORECASE)
            return lambda job, _, note: pattern.search(_words(job, note)) is not None
        case Field.STATE:
            return lambda _job, states, _note: any(value in states for value in values)
        case Field.KIND:
            return lambda job, *_: job.kind_name in values
        case Field.JOB:
            named = _named(values)
            return lambda job, *_: named(job.name)
        case Field.QUEUE:
            named = _named(values)
            return lambda job, *_: named(job.queue)
        case Field.TAG:
            named = _named(values)
            return lambda job, *_: any(map(named, job.tags))
        case _:
            raise AssertionError(term.field)


def named(names: Sequence[str], wanted: Sequence[str]) -> list[str]:
    """Those of the names that any of the wanted ones stands for."""
    return list(filter(_named(wanted), names))


def _named(wanted: Sequence[str]) -> Callable[[str], bool]:
    exact = frozenset(wanted)
    globs = [each.replace("[", "[[]") for each in wanted if is_glob(each)]
    if not globs:
        return exact.__contains__
    pattern = re.compile("|".join(map(translate, globs)))
    return lambda name: name in exact or pattern.match(name) is not None


def _words(job: Job, note: str) -> str:
    return "\n".join((job.name, job.description, *job.tags, note))
