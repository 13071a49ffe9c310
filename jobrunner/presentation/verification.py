"""What ``verify`` found, as a person reads it: a table of jobs, a sum, and what is wrong, if anything is."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from jobrunner.domain.clock import from_micros
from jobrunner.domain.verification import JobCheck, Listed, Span, Verification
from jobrunner.presentation.answers import folded
from jobrunner.presentation.sanitise import plain
from jobrunner.presentation.screen import Screen
from jobrunner.presentation.table import Cell, Column, Row, render
from jobrunner.presentation.times import Times, absolute

_SHOWN = 20
"""Spans of each kind that are listed; JSON has more."""

_COLUMNS = (
    Column(title="JOB", minimum=8),
    Column(title="DUE", right=True),
    Column(title="RAN", right=True),
    Column(title="SKIPPED", right=True, leaves=2),
    Column(title="EXPIRED", right=True, leaves=1),
    Column(title="DECIDED", minimum=14, leaves=3),
    Column(title="PENDING", right=True, leaves=4),
    Column(title="MISSING", right=True),
    Column(title="DOUBLE", right=True),
    Column(title="UNEXPECTED", right=True, leaves=5),
)
_WRONG = {
    "missing": "neither a run nor a decision",
    "double": "a run and a decision",
    "unexpected": "a run, though nothing was due",
}


def verification(value: Verification, screen: Screen, times: Times) -> Iterator[str]:
    """The whole of it."""
    since, until = absolute(value.since, times.zone), absolute(value.until, times.zone)
    yield screen.paint(f"from {since} to {until}", "bold")
    if value.known_since is None:
        yield from folded("no definition is recorded yet: a server does that when it starts (jobrunner run)", screen)
        return
    if value.known_since > value.since:
        begin = absolute(value.known_since, times.zone)
        yield from folded(f"the first definition was recorded at {begin}: it begins there", screen)
    if value.jobs:
        yield ""
        rows = [_row(job) for job in value.jobs]
        yield from render(_COLUMNS, [*rows, _row(_total(value.jobs))] if len(rows) > 1 else rows, screen)
    yield ""
    yield from _pending(value, screen, times)
    for kind, meaning in _WRONG.items():
        yield from _wrong(kind, meaning, value.jobs, screen, times)
    yield _sum(value, screen)


def _row(job: JobCheck) -> Row:
    wrong = (job.missing, job.double, job.unexpected)
    return (
        job.job,
        str(job.expected),
        str(job.ran),
        str(job.skipped),
        str(job.expired),
        ", ".join(f"{fires} {kind.replace('_', ' ')}" for kind, fires in sorted(job.decided.items()) if fires),
        str(job.pending.fires),
        *(Cell(str(each.fires), "bold red" if each.fires else "") for each in wrong),
    )


def _total(jobs: Sequence[JobCheck]) -> JobCheck:
    total = JobCheck("all")
    for job in jobs:
        total.expected += job.expected
        total.ran += job.ran
        total.skipped += job.skipped
        total.expired += job.expired
        total.decided = Counter(total.decided) + job.decided
        for name in ("pending", "missing", "double", "unexpected"):
            getattr(total, name).fires += getattr(job, name).fires
    return total


def _pending(value: Verification, screen: Screen, times: Times) -> Iterator[str]:
    fires = sum(job.pending.fires for job in value.jobs)
    if not fires:
        return
    if value.unserved_since is not None:
        since = absolute(value.unserved_since, times.zone)
        text = f"pending: {_fires(fires)}; no server has looked since {since}, the next one decides"
    else:
        text = f"pending: {_fires(fires)}, which a server is about to look at, or will when one starts"
    yield from folded(text, screen)


def _wrong(kind: str, meaning: str, jobs: Sequence[JobCheck], screen: Screen, times: Times) -> Iterator[str]:
    found: list[tuple[str, Span]] = []
    total = 0
    for job in jobs:
        listed: Listed = getattr(job, kind)
        total += listed.fires
        found += [(job.job, span) for span in listed.spans]
    if not total:
        return
    yield screen.paint(f"{kind}: {_fires(total)} with {meaning}", "bold red")
    for job_name, span in found[:_SHOWN]:
        yield f"  {plain(job_name)}  {_span(span, times)}"
    rest = total - sum(span.fires for _, span in found[:_SHOWN])
    if rest:
        yield f"  and {_fires(rest)} more; --json lists them"


def _span(span: Span, times: Times) -> str:
    first = absolute(from_micros(span.first), times.zone)
    if span.first == span.last:
        return first
    return f"{first} to {absolute(from_micros(span.last), times.zone)}, {_fires(span.fires)}"


def _sum(value: Verification, screen: Screen) -> str:
    due = sum(job.expected for job in value.jobs)
    if not value.sound:
        return screen.paint("not every fire time has exactly one answer", "bold red")
    if not due:
        return "nothing was due"
    return screen.paint(f"{_fires(due)} due: none missing, none twice", "green")


def _fires(count: int) -> str:
    return f"{count} fire time" + ("" if count == 1 else "s")
