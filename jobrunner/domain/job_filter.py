"""Which jobs a filter asks for. The dashboard asks it of 10,000 with each key; so does who filters runs by tags."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from fnmatch import translate

from jobrunner.domain.filter import Field, Term, is_glob
from jobrunner.domain.job import Job

States = Callable[[str], frozenset[str]]
Test = Callable[[str], bool]


class Searched:
    """The jobs of a file, by name, as they are searched: what has been worked out is kept for the next key."""

    def __init__(self, jobs: Mapping[str, Job]) -> None:
        self._jobs = jobs
        self._words = _Words(jobs)

    def fitting(self, names: Iterable[str], terms: Sequence[Term], states: States = lambda _: frozenset()) -> list[str]:
        """Those of the names, in their order, that all terms are true of. Of one that is not in the file nothing is
        known but the name.

        ``states`` gives those of a job's last run, and ``paused``, ``disabled`` … that apply.
        """
        found = list(names)
        for term in terms:
            test = self._test(term, states)
            found = [name for name in found if test(name) is not term.negated]
        return found

    def _test(self, term: Term, states: States) -> Test:
        values, words = [str(value) for value in term.values], self._words
        match term.field:
            case Field.TEXT:
                text = values[0].lower()
                return lambda name: text in words[name]
            case Field.PATTERN:
                pattern = re.compile(values[0], re.IGNORECASE)
                return lambda name: pattern.search(words.of(name)) is not None
            case Field.STATE:
                return lambda name: not states(name).isdisjoint(values)
            case Field.JOB:
                return _named(values)
            case Field.KIND:
                return self._known(lambda job: job.kind_name in values)
            case Field.QUEUE:
                in_queue = _named(values)
                return self._known(lambda job: in_queue(job.queue))
            case Field.TAG:
                tagged = _named(values)
                return self._known(lambda job: any(map(tagged, job.tags)))
            case _:
                raise AssertionError(term.field)

    def _known(self, test: Callable[[Job], bool]) -> Test:
        jobs = self._jobs
        return lambda name: (job := jobs.get(name)) is not None and test(job)


class _Words(dict[str, str]):
    """In which words of a job a text is looked for, in small letters."""

    def __init__(self, jobs: Mapping[str, Job]) -> None:
        super().__init__()
        self._jobs = jobs

    def __missing__(self, name: str) -> str:
        found = self[name] = self.of(name).lower()
        return found

    def of(self, name: str) -> str:
        """The same as they are written."""
        job = self._jobs.get(name)
        return name if job is None else "\n".join((name, job.description, *job.tags))


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
