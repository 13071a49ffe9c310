"""The past of one job: its runs, the versions of its definition, and that definition as the file writes it. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from jobrunner.domain.change import InForce
from jobrunner.domain.run import Run
from jobrunner.presentation import changes, lists
from jobrunner.presentation.labels import RUN_STATES
from jobrunner.presentation.sanitise import plain
from jobrunner.presentation.screen import Screen
from jobrunner.presentation.table import Cell, Column
from jobrunner.presentation.times import Times

COLUMNS = (
    Column(title="RUN", right=True),
    Column(title="STATE"),
    Column(title="WHEN", right=True),
    Column(title="TOOK", right=True),
    Column(title="TRIGGER", leaves=2),
    Column(title="NOTE", minimum=10, leaves=1),
)


def cells(run: Run, screen: Screen, times: Times) -> tuple[Cell, ...]:
    """A row of ``COLUMNS``. WHEN is when it started, else when it is due."""
    label = RUN_STATES[run.state]
    dead = "  dead" if run.dead else ""
    return (
        Cell(str(run.id), "dim"),
        Cell(label.text(screen) + dead, label.style),
        Cell(times.short(run.started_at or run.run_after)),
        Cell(lists.took(run.started_at, run.finished_at, times) if run.started_at else "-"),
        Cell(run.trigger.value, "dim"),
        Cell(lists.note(run) or "-", "dim"),
    )


def versions(found: Sequence[InForce], screen: Screen, times: Times) -> Iterator[tuple[Cell, ...]]:
    """What servers have had in force, the newest first: when, from whom, and what it changed."""
    for one in found:
        version = one.version
        said = changes.summary(version, one.keys, one.renamed, screen)
        yield (
            Cell(f"{version.version:>3}  {times.short(version.applied_at):<8}  ", "dim"),
            Cell(plain(said)),
            Cell(f"  {plain(version.who)}@{plain(version.host)} {version.origin}", "dim"),
        )
