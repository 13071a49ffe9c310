"""Filters as people write them: ``text !not state:failed,running job:etl* since:2h dur:>60s dead /regex/``.

One grammar for runs, jobs and decisions, on the command line and in the dashboard. All terms hold at once; of several
values of one field, any. A text is looked for, whatever its case, in the name of the job, the error, the note and the
parameters of a run; in the name, the description and the tags of a job; in the job, the reason and the detail of a
decision.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import datetime
from difflib import get_close_matches
from typing import TYPE_CHECKING, NamedTuple

from jobrunner.domain.decision import Why
from jobrunner.domain.duration import format_duration, parse_duration
from jobrunner.domain.filter import Field, Length, RunFilter, Term, Value
from jobrunner.domain.state import RunState, Trigger
from jobrunner.domain.timepoint import parse_since
from jobrunner.errors import UsageError

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo


class Subject(NamedTuple):
    """What is filtered: its name, the fields that it has, and the states."""

    name: str
    fields: tuple[Field, ...]
    states: tuple[str, ...]


RUNS = Subject(
    "runs",
    (
        Field.STATE,
        Field.JOB,
        Field.TAG,
        Field.QUEUE,
        Field.TRIGGER,
        Field.SERVER,
        Field.SINCE,
        Field.UNTIL,
        Field.DURATION,
        Field.EXIT,
        Field.BATCH,
        Field.DEAD,
    ),
    tuple(RunState),
)
JOBS = Subject(
    "jobs", (Field.STATE, Field.JOB, Field.TAG, Field.QUEUE, Field.KIND), (*RunState, "paused", "disabled", "late")
)
DECISIONS = Subject(
    "decisions", (Field.STATE, Field.JOB, Field.SINCE, Field.UNTIL), tuple(why.replace(" ", "-") for why in Why)
)
KINDS = ("command", "python", "http")
LONGEST = 500
"""Characters that a filter may have."""

_WORD = re.compile(r'(?P<not>!?)(?:(?P<pattern>/(?:[^/\\]|\\.)*/)(?=\s|$)|(?P<word>(?:"[^"]*"?|[^\s"])+))')
_NESTED = re.compile(r"[+*}]\)[+*{]")
_DURATION = re.compile(r"([<>])=?(.+)")
_NAMED = re.compile(r"([A-Za-z]+):(.*)", re.DOTALL)


class Word(NamedTuple):
    """A piece of a filter as it stands in the text from ``start`` to ``end``."""

    text: str
    start: int
    end: int
    negated: bool
    pattern: bool


def parse(text: str, *, subject: Subject = RUNS, now: datetime, zone: ZoneInfo) -> tuple[Term, ...]:
    """The terms of a filter.

    Raises:
        UsageError: one line that says what is wrong, with what is near.
    """
    if len(text) > LONGEST:
        raise UsageError(f"the filter is too long: {len(text)} characters", hint=f"at most {LONGEST}")
    return tuple(_term(word, subject, now, zone) for word in words(text))


def words(text: str) -> Iterator[Word]:
    """The pieces of a filter, in order."""
    for found in _WORD.finditer(text):
        said = found["pattern"] or found["word"]
        yield Word(said, *found.span(), negated=bool(found["not"]), pattern=found["pattern"] is not None)


def values_of(text: str, field: Field) -> list[str]:
    """The values that a filter asks of a field, as they are written; those that it rules out are not among them."""
    found = [_split(word.text.partition(":")[2]) for word in words(text) if _asks(word, field)]
    return [_unquoted(value) for values in found for value in values if value]


def with_values(text: str, field: Field, values: Sequence[str]) -> str:
    """The filter with these values asked of a field, in the place of any other; none: it asks nothing of it."""
    others = [text[word.start : word.end] for word in words(text) if not _asks(word, field)]
    said = ",".join(quoted(value) for value in values)
    return " ".join([f"{field}:{said}", *others] if values else others)


def asks_for_dead(text: str) -> bool:
    """Whether a filter asks for dead letters."""
    return any(map(_is_dead, words(text)))


def with_dead(text: str, wanted: bool) -> str:
    """The filter with dead letters asked for, or no more."""
    others = [text[word.start : word.end] for word in words(text) if not _is_dead(word)]
    return " ".join(["dead", *others] if wanted else others)


def quoted(value: str) -> str:
    """A value as it can stand after a field: quoted where it would end before its end."""
    bare = _unquoted(value)
    return f'"{bare}"' if re.search(r"[\s,]", bare) else bare


def _is_dead(word: Word) -> bool:
    return not word.negated and not word.pattern and word.text.lower() == Field.DEAD


def _asks(word: Word, field: Field) -> bool:
    return not word.negated and not word.pattern and word.text.lower().startswith(f"{field}:")


def _term(word: Word, subject: Subject, now: datetime, zone: ZoneInfo) -> Term:
    if word.pattern:
        return Term(Field.PATTERN, (_pattern(word.text[1:-1]),), word.negated)
    if word.text.count('"') % 2:
        raise UsageError(f"a quote is not closed: {word.text}")
    named = _NAMED.fullmatch(word.text)
    if named is None:
        if word.text.lower() == Field.DEAD and Field.DEAD in subject.fields:
            return Term(Field.DEAD, (), word.negated)
        return Term(Field.TEXT, (_unquoted(word.text),), word.negated)
    field = _field(named[1].lower(), subject, word.text)
    given = [_unquoted(each) for each in _split(named[2])]
    if not all(given):
        raise UsageError(f"{field}: needs a value", hint=_like(field, subject))
    values = dict.fromkeys(_value(field, each, subject, now, zone) for each in given)
    return Term(field, tuple(values), word.negated)


def _field(name: str, subject: Subject, said: str) -> Field:
    named = [field for field in subject.fields if field is not Field.DEAD]
    if name in named:
        return Field(name)
    if name in set(Field) - {Field.TEXT, Field.PATTERN, Field.DEAD}:
        raise UsageError(f"{name}: does not apply to {subject.name}", hint=f"there are {_listed(named)}")
    near = get_close_matches(name, named, 1)
    hint = f"did you mean {near[0]}:?" if near else f'there are {_listed(named)}; a text is quoted: "{said}"'
    raise UsageError(f"no field {name!r}", hint=hint)


def _value(field: Field, text: str, subject: Subject, now: datetime, zone: ZoneInfo) -> Value:
    match field:
        case Field.STATE:
            return _one_of("state", text, subject.states)
        case Field.TRIGGER:
            return _one_of("trigger", text, tuple(Trigger))
        case Field.KIND:
            return _one_of("kind", text, KINDS)
        case Field.SINCE | Field.UNTIL:
            return parse_since(text, now=now, zone=zone)
        case Field.DURATION:
            return _length(text)
        case Field.EXIT:
            return _number("exit", text)
        case Field.BATCH:
            return _number("batch", text.removeprefix("b"))
        case _:
            return text


def _one_of(what: str, text: str, known: Sequence[str]) -> str:
    low = text.lower()
    if low in known:
        return str(low)
    near = get_close_matches(low, known, 1)
    hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(known)}"
    raise UsageError(f"no {what} {text!r}", hint=hint)


def _length(text: str) -> Length:
    match = _DURATION.fullmatch(text)
    if match is None:
        raise UsageError(f"not a bound of a duration: {text!r}", hint='write it like "dur:>60s" or "dur:<1s"')
    return Length(match[1] == ">", parse_duration(match[2]))


def _number(what: str, text: str) -> int:
    if not re.fullmatch(r"-?[0-9]{1,18}", text):
        raise UsageError(f"{what}: needs a number: {text!r}", hint="exit:3" if what == "exit" else "batch:b7")
    return int(text)


def _pattern(text: str) -> str:
    try:
        re.compile(text)
    except re.error as error:
        raise UsageError(f"not a pattern: /{text}/: {error.msg}") from None
    if _NESTED.search(text):
        raise UsageError(f"/{text}/ repeats what repeats, which can take for ever", hint="repeat it once")
    return text


def _split(text: str) -> list[str]:
    return re.findall(r'(?:"[^"]*"|[^,"])+|(?<=,)(?=,|$)|^$', text) or [text]


def _unquoted(text: str) -> str:
    return text.replace('"', "")


def _listed(fields: Sequence[str]) -> str:
    return ", ".join(f"{field}:" for field in fields)


def _like(field: Field, subject: Subject) -> str:
    return f"for example {_EXAMPLES[field]}" if field in _EXAMPLES else f"there are {_listed(subject.fields)}"


_EXAMPLES = {
    Field.STATE: "state:failed,running",
    Field.JOB: "job:etl*",
    Field.TAG: "tag:nightly",
    Field.QUEUE: "queue:low",
    Field.TRIGGER: "trigger:manual",
    Field.KIND: "kind:python",
    Field.SERVER: "server:web1",
    Field.SINCE: "since:2h",
    Field.UNTIL: 'until:"2026-12-01 06:00"',
    Field.DURATION: "dur:>60s",
    Field.EXIT: "exit:3",
    Field.BATCH: "batch:b7",
}


# --- back to text -----------------------------------------------------------------------------------------------------


def to_text(terms: Sequence[Term]) -> str:
    """The filter that ``parse`` reads back to the same terms."""
    return " ".join(map(term_text, terms))


def term_text(term: Term) -> str:
    """One term as it is written."""
    mark = "!" if term.negated else ""
    if term.field is Field.DEAD:
        return f"{mark}dead"
    if term.field is Field.PATTERN:
        return f"{mark}/{term.values[0]}/"
    if term.field is Field.TEXT:
        text = str(term.values[0])
        plain = re.fullmatch(r'[^\s!:/",][^\s:",]*', text) and text.lower() != Field.DEAD
        return mark + (text if plain else f'"{text}"')
    return f"{mark}{term.field}:{','.join(_value_text(term.field, value) for value in term.values)}"


def command(wanted: RunFilter) -> str:
    """The shell command that lists the same runs."""
    import shlex

    limit = "" if wanted.limit == RunFilter().limit else f" --limit {wanted.limit}"
    return " ".join(["jobrunner runs", *(shlex.quote(term_text(term)) for term in wanted.conditions)]) + limit


def _value_text(field: Field, value: Value) -> str:
    match value:
        case Length(longer, than):
            return f"{'>' if longer else '<'}{format_duration(than)}"
        case datetime():
            return value.isoformat().replace("+00:00", "Z")
        case int():
            return f"b{value}" if field is Field.BATCH else str(value)
        case str():
            return value if re.fullmatch(r'[^\s,"]+', value) else f'"{value}"'
