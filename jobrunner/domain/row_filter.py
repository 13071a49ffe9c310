"""Whether a row of a list is one that a filter asks for: a thing that happened, a queue, a batch. Pure.

What a row cannot have, as a queue no batch, it does not have: a filter that asks for it leaves the row out.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import NamedTuple

from jobrunner.domain.batch import Batch, BatchState
from jobrunner.domain.event import Event, Happened
from jobrunner.domain.filter import Field, Term
from jobrunner.domain.filter_text import Subject
from jobrunner.domain.job_filter import named
from jobrunner.domain.queue import QueueStatus

EVENTS = Subject(
    "events",
    (Field.STATE, Field.JOB, Field.QUEUE, Field.SERVER, Field.BATCH, Field.SINCE, Field.UNTIL),
    tuple(Happened),
)
OPEN, PAUSED = "open", "paused"
QUEUES = Subject(
    "queues and batches",
    (Field.STATE, Field.QUEUE, Field.BATCH, Field.SINCE, Field.UNTIL),
    (OPEN, PAUSED, *BatchState),
)


class Facts(NamedTuple):
    """What a filter can ask of a row."""

    words: str
    state: str
    jobs: tuple[str, ...] = ()
    queue: str | None = None
    server: str | None = None
    batch: int | None = None
    at: datetime | None = None


Test = Callable[[Facts], bool]


def of_event(event: Event) -> Facts:
    """What happened; who did it is among the words."""
    kind, id = event.subject
    by_server = event.happened not in (Happened.ACTION, Happened.REFUSED, Happened.MISSED)
    return Facts(
        words=f"{event.words}\n{event.who}",
        state=event.happened,
        jobs=event.jobs,
        queue=str(id) if kind == "queue" else None,
        server=str(id) if kind == "server" else event.who if by_server else None,
        batch=int(id) if kind == "batch" else None,
        at=event.at,
    )


def of_queue(queue: QueueStatus) -> Facts:
    return Facts(words=queue.name, state=PAUSED if queue.paused else OPEN, queue=queue.name)


def of_batch(batch: Batch) -> Facts:
    return Facts(words=f"b{batch.id} {batch.name}", state=batch.state, batch=batch.id, at=batch.created_at)


def row_test(terms: Sequence[Term]) -> Test:
    """A test of rows: all terms hold."""
    tests = [_test(term) for term in terms]
    return lambda facts: all(test(facts) for test in tests)


def _test(term: Term) -> Test:
    positive = _positive(term)
    return (lambda facts: not positive(facts)) if term.negated else positive


def _positive(term: Term) -> Test:
    values = [str(value) for value in term.values]
    match term.field:
        case Field.TEXT:
            text = values[0].casefold()
            return lambda facts: text in facts.words.casefold()
        case Field.PATTERN:
            pattern = re.compile(values[0], re.IGNORECASE)
            return lambda facts: pattern.search(facts.words) is not None
        case Field.STATE:
            return lambda facts: facts.state in values
        case Field.JOB:
            return lambda facts: bool(named(facts.jobs, values))
        case Field.QUEUE:
            return lambda facts: facts.queue is not None and bool(named((facts.queue,), values))
        case Field.SERVER:
            return lambda facts: facts.server is not None and bool(named((facts.server,), values))
        case Field.BATCH:
            return lambda facts: facts.batch in term.values
        case Field.SINCE:
            begin = _instant(term)
            return lambda facts: facts.at is not None and facts.at >= begin
        case Field.UNTIL:
            end = _instant(term)
            return lambda facts: facts.at is not None and facts.at < end
        case _:
            raise AssertionError(term.field)


def _instant(term: Term) -> datetime:
    """Of several, the first: any of them may hold."""
    found = [value for value in term.values if isinstance(value, datetime)]
    return min(found) if term.field is Field.SINCE else max(found)
