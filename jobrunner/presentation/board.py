"""Jobs as the dashboard lists them, and one of them in detail: words, marks and columns. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import timedelta

from jobrunner.domain.board import Board, ComingFire, Ended, JobFacts, JobLine, JobRow, ScheduleFacts, Stand
from jobrunner.domain.decision import Decision
from jobrunner.domain.queue import Pause
from jobrunner.domain.state import RunState
from jobrunner.presentation.counted import counted
from jobrunner.presentation.labels import NO_RUNS, SHORT_STATES, Label
from jobrunner.presentation.marks import STANDS
from jobrunner.presentation.sanitise import plain
from jobrunner.presentation.screen import Screen
from jobrunner.presentation.table import Cell, Column
from jobrunner.presentation.times import Times, elapsed

Pieces = tuple[Cell, ...]

_STATE = Column(title="ST")
_NAME = Column(title="NAME", minimum=44)
"""Names have the room first: for one of up to so many cells the columns go that leave, in their order."""

_TAGS = Column(title="TAGS", minimum=6, leaves=1)
_SCHEDULE = Column(title="SCHEDULE", minimum=9, leaves=5)
_NEXT = Column(title="NEXT", leaves=6)
_LAST = Column(title="LAST", leaves=7)
_TOOK = Column(title="DUR", leaves=3)
_RUNS = Column(title="RUNS", leaves=4)
_OK = Column(title="OK%", right=True, leaves=2)

COLUMNS = (_STATE, _NAME, _SCHEDULE, _NEXT, _LAST, _TOOK, _RUNS, _OK)
WIDE_COLUMNS = (_STATE, _NAME, _TAGS, _SCHEDULE, _NEXT, _LAST, _TOOK, _RUNS, _OK)


def state(line: JobLine, row: JobRow | None) -> Label:
    """What stands out about a job, else how its newest run stands."""
    if line.stand in STANDS:
        return STANDS[line.stand]
    return SHORT_STATES[row.last.state] if row is not None and row.last is not None else NO_RUNS


def cells(line: JobLine, row: JobRow | None, dots: Pieces, screen: Screen, times: Times) -> dict[str, Cell | Pieces]:
    """What stands in each column, by its title; without a row that is its name alone. ``dots`` are its last runs."""
    label = state(line, row)
    found: dict[str, Cell | Pieces] = {
        _STATE.title: Cell(label.text(screen), label.style),
        _NAME.title: Cell(line.name, "dim" if line.stand is Stand.OFF else ""),
    }
    if row is None:
        return found
    return {
        **found,
        _TAGS.title: Cell(" ".join(row.tags), "dim"),
        _SCHEDULE.title: Cell(row.schedule),
        _NEXT.title: _next(line, row, times),
        _LAST.title: Cell(_ago(row.last, times), "dim" if row.last is None else ""),
        _TOOK.title: Cell(_length(row.last.took if row.last is not None else None)),
        _RUNS.title: dots,
        _OK.title: _share(row.ok),
    }


def outcomes(row: JobRow) -> list[Label]:
    """The marks of its last runs, the newest last."""
    return [SHORT_STATES[each] for each in row.outcomes]


def counts(board: Board, shown: int) -> str:
    """How many jobs are shown of how many."""
    total = sum(board.counts)
    return counted(total, "job") if shown == total else f"{shown:,} of {counted(total, 'job')}"


def head(line: JobLine, facts: JobFacts, screen: Screen) -> Pieces:
    """The job, and what stands out about it."""
    return (Cell(plain(facts.row.name), "bold"), Cell("  "), standing(line, facts, screen))


def standing(line: JobLine, facts: JobFacts, screen: Screen) -> Cell:
    """What stands out about a job."""
    label = state(line, facts.row)
    return Cell(label.text(screen), label.style)


def reason(line: JobLine) -> str:
    """Why a job stands out, where its last run does not say it; else empty."""
    match line.stand:
        case Stand.FAILED:
            return f"run {line.run_id} is a dead letter: jobrunner retry {line.run_id}"
        case Stand.LATE:
            return f"jobrunner why {line.name} says why it is late, or was missed"
        case Stand.SLOW:
            return f"run {line.run_id} takes longer than usual"
        case _:
            return ""


def about(facts: JobFacts, screen: Screen, times: Times) -> Iterator[str | Pieces]:
    """What it is, when it fires, and what it depends on."""
    row = facts.row
    if row.description:
        yield plain(row.description)
    yield from _last(facts, screen, times)
    if row.pause is not None:
        yield _field("paused", _pause(row.pause, times), "magenta")
    if not facts.in_file:
        yield (Cell("it is not in the file any more", "bold yellow"),)
    elif not row.enabled:
        yield _field("off", "enabled = false in the file")
    for one in facts.schedules:
        yield from _schedule(one)
    if not facts.schedules and facts.in_file:
        yield _field("schedule", "none: it runs when it is told to")
    yield from _fires(facts.fires, times)
    for label, names in (("after", facts.parents), ("before", facts.children), ("tags", row.tags)):
        if names:
            yield _field(label, ", ".join(names))


def in_short(facts: JobFacts, times: Times) -> Pieces:
    """When it fires, in one line."""
    if facts.row.pause is not None:
        return (Cell(f"paused {plain(_pause(facts.row.pause, times))}", "magenta"),)
    words = plain("; ".join(one.words for one in facts.schedules)) or "no schedule"
    if not facts.fires:
        return (Cell(words),)
    first = facts.fires[0]
    mark = (Cell(f"  {first.mark}", "bold yellow"),) if first.mark else ()
    return (Cell(words), Cell("   next ", "dim"), Cell(times.when(first.at)), *mark)


def lengths(facts: JobFacts) -> str:
    """How long its runs take, in a line; empty where nothing is known."""
    usual = facts.usual
    if usual is None:
        return ""
    said = f"p50 {_length(usual.median)}  p95 {_length(usual.p95)}"
    return said + (f"  timeout {_length(facts.timeout)}" if facts.timeout is not None else "")


def decisions(found: Sequence[Decision], times: Times) -> Iterator[Pieces]:
    """Why fires had no run, the newest first."""
    for one in found:
        fires = f"{one.fires:,} fires" if one.fires > 1 else "1 fire"
        detail = f": {plain(one.detail)}" if one.detail else ""
        yield (Cell(f"{times.short(one.last_fire)}  ", "dim"), Cell(f"{fires} {one.why}{detail}"))


def _schedule(one: ScheduleFacts) -> Iterator[Pieces]:
    yield _field("schedule", f"{one.expression}  {one.zone}")
    yield _field("", one.words)
    for remark in one.notes:
        yield _field("", f"note: {remark}", "yellow")


def _fires(found: Sequence[ComingFire], times: Times) -> Iterator[Pieces]:
    exact = any(one.at.second for one in found)
    form = "%d %b %H:%M:%S %z" if exact else "%a %d %b %H:%M %z"
    for place, one in enumerate(found):
        at = one.at.astimezone(times.zone)
        far = f"  {times.short(one.at)}" if times.relative else ""
        mark = (Cell(f"  {one.mark}", "bold yellow"),) if one.mark else ()
        label = "next" if place == 0 else ""
        yield (*_field(label, at.strftime(form)), Cell(far, "dim"), *mark)


def _last(facts: JobFacts, screen: Screen, times: Times) -> Iterator[Pieces]:
    if not facts.runs:
        yield _field("last run", "it has never run")
        return
    run = facts.runs[0]
    label = SHORT_STATES[run.state]
    began = run.started_at or run.created_at
    yield (
        Cell(f"{'last run':<{_LABEL}}", "dim"),
        Cell(label.text(screen), label.style),
        Cell(f"  run {run.id}  {times.when(began)}"),
    )
    if run.error and run.state in (RunState.FAILED, RunState.RETRYING):
        yield _field("", run.error, "red")


_LABEL = 10


def _field(label: str, text: str, style: str = "") -> Pieces:
    return (Cell(f"{label:<{_LABEL}}", "dim"), Cell(plain(text), style))


def _pause(pause: Pause, times: Times) -> str:
    until = f" until {times.when(pause.until)}" if pause.until else ""
    reason = f": {pause.reason}" if pause.reason else ""
    return f"by {pause.who} {times.when(pause.since)}{until}{reason}"


def _next(line: JobLine, row: JobRow, times: Times) -> Cell:
    if row.next_fire is None:
        return Cell("-", "dim")
    late = line.stand is Stand.LATE
    return Cell(times.short(row.next_fire), "bold yellow" if late else "")


def _ago(last: Ended | None, times: Times) -> str:
    if last is None:
        return "-"
    return "now" if last.state is RunState.RUNNING else times.short(last.at)


def _length(value: timedelta | None) -> str:
    return elapsed(value.total_seconds()) if value is not None else "-"


def _share(value: float | None) -> Cell:
    """Whole per cents; what is not all is not said to be."""
    if value is None:
        return Cell("-", "dim")
    whole = 100 if value == 1 else min(round(value * 100), 99)
    return Cell(f"{whole}%", "" if whole == 100 else "yellow" if whole >= 90 else "red")
