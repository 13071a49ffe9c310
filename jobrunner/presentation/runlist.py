"""Runs as rows of the dashboard, and how many of a few are of which job. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping

from jobrunner.domain.run import Run
from jobrunner.domain.state import RunState
from jobrunner.presentation import lists
from jobrunner.presentation.json import seconds_between
from jobrunner.presentation.labels import RUN_STATES
from jobrunner.presentation.sanitise import plain
from jobrunner.presentation.screen import Screen
from jobrunner.presentation.table import Cell, Column
from jobrunner.presentation.times import Times, elapsed

COLUMNS = (
    Column(title="ID", right=True),
    Column(title="STATE"),
    Column(title="JOB", minimum=28),
    Column(title="TRIGGER", leaves=5),
    Column(title="WHEN", right=True),
    Column(title="WAIT", right=True, leaves=4),
    Column(title="TOOK", right=True, leaves=8),
    Column(title="TRY", right=True, leaves=7),
    Column(title="EXIT", right=True, leaves=6),
    Column(title="QUEUE", leaves=2),
    Column(title="SERVER", minimum=8, leaves=1),
    Column(title="NOTE", minimum=10, leaves=3),
)

_MOST_JOBS = 3


def cells(run: Run, screen: Screen, times: Times) -> Mapping[str, Cell]:
    """A run by the titles of ``COLUMNS``. WHEN is when it started, else when it is due."""
    label = RUN_STATES[run.state]
    retrying = run.state is RunState.RETRYING
    return {
        "ID": Cell(str(run.id), "dim"),
        "STATE": Cell(label.text(screen) + (" dead" if run.dead else ""), label.style),
        "JOB": Cell(plain(run.job)),
        "TRIGGER": Cell(run.trigger.value, "dim"),
        "WHEN": Cell(times.short(run.run_after if retrying else run.started_at or run.run_after)),
        "WAIT": Cell(waited(run, times), "dim"),
        "TOOK": Cell("-" if retrying or run.started_at is None else lists.took(run.started_at, run.finished_at, times)),
        "TRY": Cell(f"{run.attempt}/{run.max_attempts}"),
        "EXIT": Cell("-" if run.exit_code is None else str(run.exit_code)),
        "QUEUE": Cell(plain(run.queue), "dim"),
        "SERVER": Cell(plain(run.server or "-"), "dim"),
        "NOTE": Cell(plain(lists.note(run)) or "-", "dim"),
    }


def waited(run: Run, times: Times) -> str:
    """How long it waited after it was due, or has been waiting."""
    due = max(run.run_after, run.created_at)
    until = run.started_at or run.finished_at or (times.now if times.relative else None)
    if until is None or until < due:
        return "-"
    return elapsed(seconds_between(due, until))


def by_job(runs: Iterable[Run]) -> str:
    """``12 backup, 3 report, 2 others``: those jobs with the most of them first."""
    counts = Counter(run.job for run in runs).most_common()
    said = [f"{count:,} {plain(job)}" for job, count in counts[:_MOST_JOBS]]
    others = sum(count for _, count in counts[_MOST_JOBS:])
    return ", ".join([*said, *([f"{others:,} others"] if others else [])])
