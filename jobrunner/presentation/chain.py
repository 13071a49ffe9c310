"""The chain of a run as rows: what it follows above it, what follows it below, each under what it waits for."""

from __future__ import annotations

from datetime import datetime

from jobrunner.domain.batch import Batch
from jobrunner.domain.chain import Kind, Link
from jobrunner.domain.job import When
from jobrunner.domain.state import RunState
from jobrunner.presentation.labels import BATCH_STATES, RUN_STATES, Label
from jobrunner.presentation.lists import took
from jobrunner.presentation.screen import Screen
from jobrunner.presentation.table import Cell, Column
from jobrunner.presentation.times import Times

COLUMNS = (
    Column(title="RUN OR BATCH", minimum=20),
    Column(title="STATE"),
    Column(title="STARTS ON", leaves=2),
    Column(title="TOOK", right=True, leaves=1),
    Column(title="WHEN", right=True),
)
_MOST_INDENT = 8
WHEN = {
    When.SUCCESS: "success",
    When.FAILURE: "failure",
    When.DONE: "any end",
    When.ANY: "one success",
}


def link(value: Link, screen: Screen, times: Times) -> tuple[Cell, ...]:
    """A row of ``COLUMNS``."""
    step, of = value.step, value.of
    when = WHEN[step.when] if step.when is not None else "-"
    name = f"{step.id} " if step.kind is Kind.RUN else f"batch b{step.id} "
    style = "bold" if value.depth == 0 else ""
    if of is None:
        return (Cell(f"{_lead(value.depth, screen)}{name}is no longer kept", "dim"), *map(Cell, ("-", when, "-", "-")))
    label: Label = BATCH_STATES[of.state] if isinstance(of, Batch) else RUN_STATES[of.state]
    due: datetime | None = None
    if isinstance(of, Batch):
        name += f"{of.name} ({of.succeeded + of.failed + of.other:,} of {of.total:,})"
        began: datetime | None = of.created_at
    else:
        name += of.job
        began = of.started_at
        due = of.run_after if of.state is not RunState.WAITING else None
    return (
        Cell(_lead(value.depth, screen) + name, style),
        Cell(label.text(screen), label.style),
        Cell(when),
        Cell(took(began, of.finished_at, times)),
        Cell(times.when(of.finished_at or began or due)),
    )


def _lead(depth: int, screen: Screen) -> str:
    """What stands before a name: how far it is from the run that was asked about."""
    if depth == 0:
        return "▶ " if screen.unicode else "> "
    if depth < 0:
        return "  "
    return "  " + "  " * min(depth - 1, _MOST_INDENT) + ("└ " if screen.unicode else "- ")
