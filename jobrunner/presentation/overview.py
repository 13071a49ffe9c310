"""The overview's words: what needs attention, what runs, how the day went, what comes. Used by the dashboard."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from rich.cells import cell_len

from jobrunner.domain.at_work import AtWork
from jobrunner.domain.attention import Attention, Concern
from jobrunner.domain.state import RunState
from jobrunner.presentation import glyphs
from jobrunner.presentation.labels import RUN_STATES, Label
from jobrunner.presentation.screen import Screen
from jobrunner.presentation.table import Cell, Column
from jobrunner.presentation.times import Times, elapsed, relative

if TYPE_CHECKING:
    from jobrunner.domain.day import Day
    from jobrunner.domain.upcoming import Upcoming

CONCERNS = {
    Concern.STORE: Label(*glyphs.FAILED, "store", "bold red"),
    Concern.SERVERS: Label(*glyphs.FAILED, "server", "bold red"),
    Concern.FILE: Label(*glyphs.FAILED, "file", "bold red"),
    Concern.FAILED: Label(*glyphs.FAILED, "failed", "bold red"),
    Concern.QUEUE: Label(*glyphs.LATE, "stuck", "bold yellow"),
    Concern.LATE: Label(*glyphs.LATE, "late", "bold yellow"),
    Concern.MISSED: Label(*glyphs.LATE, "missed", "bold yellow"),
    Concern.OVERDUE: Label(*glyphs.LATE, "overdue", "bold yellow"),
    Concern.SLOW: Label(*glyphs.LATE, "slow", "bold yellow"),
    Concern.APPROVAL: Label(*glyphs.LATE, "asks", "bold yellow"),
    Concern.RETRYING: Label(*glyphs.RETRYING, "retrying", "yellow"),
    Concern.DIFFERS: Label("≠", "!", "differs", "bold yellow"),
    Concern.PAUSED: Label(*glyphs.PAUSED, "paused", "magenta"),
}


ATTENTION_COLUMNS = (
    Column(title="WHAT"),
    Column(title="OF", minimum=8),
    Column(title="WHY", minimum=12),
    Column(title="SINCE", right=True),
)
RUNNING_COLUMNS = (
    Column(title="JOB", minimum=28),
    Column(title="RUN", right=True, leaves=2),
    Column(title="PROGRESS"),
    Column(title="ELAPSED", right=True),
    Column(title="ENDS", right=True),
    Column(title="SERVER", minimum=6, leaves=1),
    Column(title="MESSAGE", minimum=10, leaves=3),
)


Pieces = tuple[Cell, ...]


def attention(item: Attention, screen: Screen, times: Times) -> tuple[Cell | Pieces, ...]:
    """A row of ``ATTENTION_COLUMNS``. Where it is of nothing in particular, the command that helps has room beside."""
    label = CONCERNS[item.concern]
    name, of_none = subject(item), not item.subject.id
    return (
        Cell(label.text(screen), label.style),
        Cell("-", "dim") if name == label.word else Cell(name),
        (Cell(item.words), Cell(f": {item.verb}", "dim")) if of_none and item.verb else Cell(item.words),
        Cell(_ago(item.since, times), "dim"),
    )


def subject(item: Attention) -> str:
    """What an exception is of: a job by its name, anything else with its kind."""
    kind, name = item.subject
    if kind in ("job", "server") and name:
        return str(name)
    return "everything" if kind == "all" else f"{kind} {name}" if name else kind


def running(item: AtWork, bar: tuple[Cell, ...], screen: Screen, times: Times) -> tuple[Cell | tuple[Cell, ...], ...]:
    """A row of ``RUNNING_COLUMNS``; ``bar`` is how far it is, as it is drawn."""
    run, label = item.run, RUN_STATES[item.run.state]
    glyph = label.glyph if screen.unicode else label.ascii
    took = (times.now - run.started_at).total_seconds() if run.started_at is not None else None
    ends = "-"
    if item.ends is not None:
        ends = relative(item.ends, times.now) if item.ends > times.now else "soon"
    message = run.progress.message if run.progress is not None else None
    return (
        (Cell(f"{glyph} ", label.style), Cell(run.job)),
        Cell(str(run.id), "dim"),
        bar,
        Cell(elapsed(took), "bold yellow" if item.slow else ""),
        Cell(ends),
        Cell(run.server or "-", "dim"),
        Cell(message or "-", "dim"),
    )


def day(value: Day, width: int, screen: Screen) -> tuple[Cell, ...]:
    """How the runs of a day ended, in one line; where it has no room for the words, glyphs have to do."""
    length = "24h" if value.whole else elapsed((value.until - value.since).total_seconds())
    cells = [Cell(f"RUNS {length} ", "dim"), Cell(f" {value.total:,}", "bold")]
    if value.success is not None:
        cells += [Cell("  success ", "dim"), Cell(_percent(value.success))]
    if value.p95 is not None:
        cells += [Cell("  p95 ", "dim"), Cell(elapsed(value.p95.total_seconds()))]
    counts = {"succeeded": value.succeeded, "failed": value.failed}
    counts |= {state: count for state in ("cancelled", "skipped", "expired") if (count := getattr(value, state))}
    for worded in (True, False):
        line = (*cells, *(_count(counts[state], RUN_STATES[RunState(state)], screen, worded) for state in counts))
        if sum(cell_len(cell.text) for cell in line) <= width:
            break
    return line


def coming(fires: Sequence[Upcoming], width: int, screen: Screen, times: Times) -> tuple[Cell, ...]:
    """The next fires in one line, as many as fit."""
    cells, left = list[Cell](), width
    for text in _instants(fires, times):
        if len(text) > left and cells:
            break
        cells.append(Cell(text))
        left -= len(text)
    return tuple(cells)


def all_well(screen: Screen, servers: int) -> tuple[Cell, ...]:
    """What stands where nothing needs attention."""
    glyph = "●" if screen.unicode else "*"
    return (
        Cell(f" {glyph} ", "green"),
        Cell("nothing needs attention" if servers else "no server runs: jobrunner run"),
    )


def _instants(fires: Sequence[Upcoming], times: Times) -> Iterator[str]:
    for at, jobs, beyond in fires:
        when = at.astimezone(times.zone)
        clock = when.strftime("%H:%M" if not when.second else "%H:%M:%S")
        day = "" if (at - times.now).total_seconds() < 43_200 else when.strftime("%a ")
        shown = jobs[:2]
        left = beyond + len(jobs) - len(shown)
        more = f" +{left}" if left else ""
        yield f" {day}{clock} {', '.join(shown)}{more} "


def _count(count: int, label: Label, screen: Screen, worded: bool) -> Cell:
    glyph = label.glyph if screen.unicode else label.ascii
    return Cell(f"  {glyph} {count:,}{f' {label.word}' if worded else ''}", label.style if count else "dim")


def _percent(part: float) -> str:
    """Two digits behind the point; what is not all is not said to be."""
    return "100%" if part == 1 else f"{min(part * 100, 99.99):.2f}%"


def _ago(since: datetime | None, times: Times) -> str:
    return times.when(since) if since is not None else "-"
