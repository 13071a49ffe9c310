"""One batch as the dashboard shows it: how far it is, how its members stand, what they have in common. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from jobrunner.domain.at_work import BatchFacts
from jobrunner.domain.batch import Batch
from jobrunner.domain.chain import Kind, Link
from jobrunner.domain.run import Run
from jobrunner.domain.state import RunState
from jobrunner.presentation import lists
from jobrunner.presentation.chain import WHEN
from jobrunner.presentation.details import compact
from jobrunner.presentation.json import batch_name
from jobrunner.presentation.labels import BATCH_STATES, RUN_STATES, Label
from jobrunner.presentation.sanitise import plain
from jobrunner.presentation.screen import Screen
from jobrunner.presentation.table import Cell, Column
from jobrunner.presentation.times import Times

Pieces = tuple[Cell, ...]

COLUMNS = (
    Column(title="RUN", right=True),
    Column(title="STATE"),
    Column(title="WHEN", right=True, leaves=2),
    Column(title="TOOK", right=True, leaves=1),
    Column(title="PARAMETERS", minimum=16),
    Column(title="NOTE", minimum=10, leaves=3),
)

_ORDER = (
    RunState.FAILED,
    RunState.EXPIRED,
    RunState.RETRYING,
    RunState.RUNNING,
    RunState.QUEUED,
    RunState.WAITING,
    RunState.SCHEDULED,
    RunState.SUCCEEDED,
    RunState.CANCELLED,
    RunState.SKIPPED,
)
"""What needs a person first, then what is under way, then what has ended."""


def cells(run: Run, common: Mapping[str, Any], screen: Screen, times: Times) -> Pieces:
    """A row of ``COLUMNS``; the parameters are those that others have otherwise."""
    label = RUN_STATES[run.state]
    own = {name: value for name, value in run.params.items() if name not in common}
    return (
        Cell(str(run.id), "dim"),
        Cell(label.text(screen) + (" dead" if run.dead else ""), label.style),
        Cell(times.short(run.started_at or run.run_after)),
        Cell(lists.took(run.started_at, run.finished_at, times) if run.started_at else "-"),
        Cell(params(own) or "-"),
        Cell(lists.note(run) or "-", "dim"),
    )


def head(facts: BatchFacts, bar: Pieces, screen: Screen) -> Pieces:
    """How it stands and how far it is; ``bar`` as it is drawn."""
    label = BATCH_STATES[facts.batch.state]
    done = Cell(f"  {facts.done:,} of {facts.batch.total:,}")
    return (Cell(label.text(screen), label.style), Cell("  "), *bar, done)


def counts(facts: BatchFacts, screen: Screen) -> Pieces:
    """How many members stand how."""
    found, pieces = dict(facts.counts), list[Cell]()
    for state in _ORDER:
        if found.get(state):
            label = RUN_STATES[state]
            glyph = label.glyph if screen.unicode else label.ascii
            pieces += [Cell(f"{glyph} {found[state]:,} {label.word}", label.style), Cell("   ")]
    return tuple(pieces[:-1])


def pace(facts: BatchFacts, times: Times) -> Pieces:
    """When it was created, how fast its members end, and about when all will have."""
    it = facts.batch
    said = [f"created {times.short(it.created_at)}"]
    if it.finished_at is not None:
        said += [f"ended {times.short(it.finished_at)}", f"took {lists.took(it.created_at, it.finished_at, times)}"]
    if facts.pace is not None:
        said.append(f"pace {_rate(facts.pace)}")
    if facts.ends is not None:
        said.append(f"ends about {times.short(facts.ends)}" if facts.ends > times.now else "ends soon")
    elif it.finished_at is None:
        said.append("when it ends cannot be told yet")
    return (Cell("   ".join(said)),)


def following(links: Sequence[Link], screen: Screen) -> Iterator[Pieces]:
    """What starts when all members have ended, and on which end."""
    for link in links:
        step, of = link.step, link.of
        name = str(step.id) if step.kind is Kind.RUN else str(batch_name(step.id))
        when = f"on {WHEN[step.when]}" if step.when is not None else ""
        pieces = [Cell("then  ", "dim"), Cell(f"{step.kind} {name}")]
        if of is not None:
            label: Label = BATCH_STATES[of.state] if isinstance(of, Batch) else RUN_STATES[of.state]
            called = of.name if isinstance(of, Batch) else of.job
            pieces += [Cell(f" {plain(called)}  "), Cell(label.text(screen), label.style)]
        yield (*pieces, Cell(f"  {when}", "dim"))


def in_common(members: Sequence[Run]) -> dict[str, Any]:
    """The parameters that all of these have with the same value; of a single one, none: there is nobody to share."""
    if len(members) < 2:
        return {}
    first, *others = [run.params for run in members]
    return {
        name: value
        for name, value in first.items()
        if all(name in other and other[name] == value and type(other[name]) is type(value) for other in others)
    }


def params(values: Mapping[str, Any]) -> str:
    """``month=2026-10 full=true``"""
    return " ".join(f"{plain(name)}={plain(compact(value))}" for name, value in values.items())


def _rate(a_minute: float) -> str:
    if a_minute >= 10:
        return f"{a_minute:,.0f} a minute"
    return f"{a_minute:.1f} a minute" if a_minute >= 1 else f"{a_minute * 60:.0f} an hour"
