"""How a filter that is being typed could go on. Called by the dashboard with each key."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from jobrunner.domain.filter import Field
from jobrunner.domain.filter_text import KINDS, RUNS, Subject, words
from jobrunner.domain.state import Trigger

_MOST = 20
_AGES = ("15m", "1h", "2h", "1d", "7d")
_LENGTHS = (">10s", ">1m", ">10m", "<1s")


class Known(NamedTuple):
    """The names that there are."""

    jobs: Sequence[str] = ()
    tags: Sequence[str] = ()
    queues: Sequence[str] = ()
    servers: Sequence[str] = ()


class Suggestion(NamedTuple):
    """A word (a term, or a field that ends with a colon), and the whole filter and place of the cursor with it."""

    word: str
    text: str
    cursor: int


def complete(text: str, cursor: int, known: Known, *, subject: Subject = RUNS) -> list[Suggestion]:
    """What the word at the cursor could become, best first; of fields first, then of their values."""
    start, end = next(
        ((word.start, word.end) for word in words(text) if word.start < cursor <= word.end), (cursor, cursor)
    )
    said = text[start:cursor]
    mark, bare = ("!", said[1:]) if said.startswith("!") else ("", said)
    found = list(dict.fromkeys(_candidates(bare, known, subject)))
    return [_suggestion(text, start, end, mark + word) for word in found if word != bare][:_MOST]


def _candidates(bare: str, known: Known, subject: Subject) -> list[str]:
    name, colon, rest = bare.partition(":")
    if not colon:
        fields = [field if field is Field.DEAD else f"{field}:" for field in subject.fields]
        states = [f"state:{state}" for state in subject.states if len(bare) > 1 and state.startswith(bare.lower())]
        return [field for field in fields if field.startswith(bare.lower())] + states
    if name.lower() not in subject.fields:
        return []
    before, comma, last = rest.rpartition(",")
    values = _values(Field(name.lower()), known, subject)
    return [f"{name}:{before}{comma}{value}" for value in _ranked(values, last)]


def _values(field: Field, known: Known, subject: Subject) -> Sequence[str]:
    return {
        Field.STATE: subject.states,
        Field.TRIGGER: tuple(Trigger),
        Field.KIND: KINDS,
        Field.JOB: known.jobs,
        Field.TAG: known.tags,
        Field.QUEUE: known.queues,
        Field.SERVER: known.servers,
        Field.SINCE: _AGES,
        Field.UNTIL: _AGES,
        Field.DURATION: _LENGTHS,
    }.get(field, ())


def _ranked(values: Sequence[str], said: str) -> list[str]:
    """Those that begin with what was said, then those that hold it."""
    low = said.lower()
    begin = [value for value in values if value.lower().startswith(low)]
    return begin + [value for value in values if low in value.lower() and not value.lower().startswith(low)]


def _suggestion(text: str, start: int, end: int, word: str) -> Suggestion:
    space = "" if word.endswith(":") or text[end : end + 1] == " " else " "
    return Suggestion(word, f"{text[:start]}{word}{space}{text[end:]}", start + len(word) + len(space))
