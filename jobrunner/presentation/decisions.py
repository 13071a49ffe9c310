"""Decisions as rows: what became of fires that have no run. Used by the dashboard."""

from __future__ import annotations

from collections.abc import Iterator

from jobrunner.domain.decision import Decision
from jobrunner.presentation.details import fields
from jobrunner.presentation.marks import REASONS
from jobrunner.presentation.sanitise import plain
from jobrunner.presentation.schedule import clock
from jobrunner.presentation.screen import Screen
from jobrunner.presentation.table import Cell, Column
from jobrunner.presentation.times import Times

COLUMNS = (
    Column(title="WHY"),
    Column(title="JOB", minimum=10),
    Column(title="FIRE"),
    Column(title="FIRES", right=True, leaves=2),
    Column(title="DETAIL", minimum=10, leaves=1),
    Column(title="DECIDED", right=True, leaves=3),
)


def row(value: Decision, screen: Screen, times: Times) -> tuple[Cell, ...]:
    """A row of ``COLUMNS``."""
    label = REASONS[value.why]
    return (
        Cell(label.text(screen), label.style),
        Cell(value.job),
        Cell(_fires(value, times)),
        Cell(f"{value.fires:,}", "dim" if value.fires == 1 else ""),
        Cell(value.detail, "dim"),
        Cell(times.when(value.decided_at) if times.relative else clock(value.decided_at, times), "dim"),
    )


def decision(value: Decision, screen: Screen, times: Times) -> Iterator[str]:
    """All of a decision."""
    label = REASONS[value.why]
    yield screen.paint(plain(value.job), "bold")
    several = value.fires > 1
    yield from fields(
        [
            ("decision", Cell(label.text(screen), label.style)),
            ("fires", f"{value.fires:,}" if several else None),
            ("from" if several else "fire", times.full(value.first_fire)),
            ("to", times.full(value.last_fire) if several else None),
            ("detail", value.detail or None),
            ("decided", times.full(value.decided_at)),
        ],
        screen,
    )


def _fires(value: Decision, times: Times) -> str:
    first = clock(value.first_fire, times)
    return first if value.first_fire == value.last_fire else f"{first} - {clock(value.last_fire, times)}"
