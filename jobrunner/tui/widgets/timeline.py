"""A run over time: how long it waited, each attempt, the pauses between them, to one scale. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta, tzinfo
from typing import NamedTuple

from jobrunner.domain.run import Run
from jobrunner.domain.state import RunState
from jobrunner.presentation.labels import OUTCOMES, RUN_STATES, Label
from jobrunner.presentation.screen import Screen
from jobrunner.presentation.table import Cell
from jobrunner.presentation.times import elapsed
from jobrunner.tui.widgets.ink import clipped

_NAME, _TOOK = 11, 8
_RUNS, _WAITS = ("█", "#"), ("░", ".")


class Stage(NamedTuple):
    """A stretch of a run's life. ``label``: how an attempt stands or ended; None: the run waited."""

    name: str
    begin: datetime
    end: datetime
    label: Label | None = None
    words: str = ""


def stages(run: Run, now: datetime) -> tuple[Stage, ...]:
    """The stretches of a run until it ended, or until now. Those of no length are left out."""
    return tuple(stage for stage in _stages(run, now) if stage.label or stage.end > stage.begin)


def timeline(shown: Sequence[Stage], width: int, screen: Screen, zone: tzinfo) -> list[tuple[Cell, ...]]:
    """A line for each stretch, below a line with the times; ``zone`` is what those are in."""
    if not shown:
        return []
    begin, end = min(stage.begin for stage in shown), max(stage.end for stage in shown)
    words = min(max(len(stage.words) for stage in shown) + 2, width // 4)
    room = max(width - _NAME - _TOOK - words - 2, 8)
    axis = (Cell(" " * _NAME), Cell(_axis(begin, end, room, zone), "dim"))
    return [axis, *(_line(stage, begin, end, room, words, screen) for stage in shown)]


def _stages(run: Run, now: datetime) -> Iterator[Stage]:
    end = run.finished_at or now
    since, name = run.created_at, "waited"
    for attempt in run.attempts:
        yield Stage(name, since, attempt.started_at)
        label = OUTCOMES[attempt.outcome] if attempt.outcome else RUN_STATES[RunState.RUNNING]
        words = f"exit {attempt.exit_code}" if attempt.exit_code else ""
        until = attempt.finished_at or now
        yield Stage(f"attempt {attempt.number}", attempt.started_at, until, label, f"{label.word} {words}".rstrip())
        since, name = until, "pause"
    if not run.state.final and run.state is not RunState.RUNNING:
        yield Stage(name if run.attempts else run.state.value, since, max(run.run_after, now))
    elif not run.attempts:
        yield Stage(name, since, end)


def _line(stage: Stage, begin: datetime, end: datetime, room: int, words: int, screen: Screen) -> tuple[Cell, ...]:
    whole = max((end - begin).total_seconds(), 0.001)
    first = min(int((stage.begin - begin).total_seconds() / whole * room), room - 1)
    last = min(max(round((stage.end - begin).total_seconds() / whole * room), first + 1), room)
    character = (_RUNS if stage.label else _WAITS)[0 if screen.unicode else 1]
    style = stage.label.style if stage.label else "blue"
    took = elapsed((stage.end - stage.begin).total_seconds())
    glyph = "" if stage.label is None else (stage.label.glyph if screen.unicode else stage.label.ascii) + " "
    return (
        Cell(f"{stage.name:<{_NAME}}", "" if stage.label else "dim"),
        Cell(" " * first),
        Cell(character * (last - first), style),
        Cell(" " * (room - last)),
        Cell(f"{took:>{_TOOK}}  "),
        Cell(clipped(glyph + stage.words, words, screen), style),
    )


def _axis(begin: datetime, end: datetime, room: int, zone: tzinfo) -> str:
    """Times where they belong: at both ends, and between them as far as there is room."""
    form = "%H:%M:%S" if end - begin < timedelta(hours=20) else "%d %b %H:%M"
    sample = len(begin.astimezone(zone).strftime(form))
    count = max(min(room // (sample + 4), 5), 1)
    axis = [" "] * room
    for place in range(count):
        share = place / max(count - 1, 1)
        text = (begin + (end - begin) * share).astimezone(zone).strftime(form)
        start = min(round(share * room - len(text) * share), room - len(text))
        axis[max(start, 0) : max(start, 0) + len(text)] = text
    return "".join(axis)[:room]
