"""One job's line of the schedule: marks where it fires and what became of the fires that are past. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import NamedTuple

from jobrunner.presentation.labels import Label
from jobrunner.presentation.schedule import fires
from jobrunner.presentation.screen import Screen
from jobrunner.presentation.table import Cell
from jobrunner.tui.widgets.bars import merged, spark
from jobrunner.tui.widgets.scale import Scale

_SERIOUS = ("bold red", "bold yellow", "yellow", "magenta", "cyan", "blue", "dim", "green", "")
"""Where several past fires share a column, the first of these styles is the one that is shown."""

_NO_WORDS = Cell("-")
_NONE, _NOW = ("·", "."), ("┊", ":")


class Lane(NamedTuple):
    """A job's line. ``fires`` are to come; ``past`` ones have what became of them; ``right`` stands at the end of the
    line, such as when it is next; ``style``: of its marks.

    Who knows the columns already gives ``cells`` in the place of instants, one for each; an empty text: nothing there.
    """

    name: str
    fires: tuple[datetime, ...] = ()
    past: tuple[tuple[datetime, Label], ...] = ()
    right: Cell = _NO_WORDS
    style: str = "cyan"
    cells: tuple[Cell, ...] = ()


def track(lane: Lane, scale: Scale, now: datetime, screen: Screen) -> tuple[Cell, ...]:
    """A cell for each column: a digit where it fires more than once in it."""
    kind = 0 if screen.unicode else 1
    cells = [Cell(_NONE[kind], "dim")] * scale.columns
    if (here := scale.column(now)) is not None:
        cells[here] = Cell(_NOW[kind], "bold")
    for column in range(scale.columns if lane.cells else 0):
        # While an answer for another width is still shown, its columns are stretched.
        given = lane.cells[column * len(lane.cells) // scale.columns]
        cells[column] = given if given.text else cells[column]
    counted = Counter(place for at in lane.fires if (place := scale.column(at)) is not None)
    for place, count in counted.items():
        cells[place] = Cell(fires(count, screen), lane.style)
    for place, label in _worst(lane.past, scale).items():
        cells[place] = Cell(label.ascii if kind else label.glyph, label.style)
    return merged(cells)


def load_line(load: Sequence[tuple[datetime, float]], scale: Scale, screen: Screen) -> tuple[Cell, ...]:
    """The greatest load of each column; where nothing is said it goes on as it was."""
    highest: list[float | None] = [None] * scale.columns
    before = 0.0
    for at, value in load:
        place = scale.column(at)
        if place is not None:
            highest[place] = max(highest[place] or 0.0, value)
        elif at < scale.begin:
            before = value
    heights = list[float]()
    for highest_here in highest:
        before = before if highest_here is None else highest_here
        heights.append(before)
    return spark(heights, screen, style="cyan")


def marks_line(scale: Scale, now: datetime, screen: Screen) -> tuple[Cell, ...]:
    """Below the times: where now is, and where the clocks are changed."""
    cells = [Cell(" ")] * scale.columns
    for place, change in scale.clock_changes():
        hours = change.total_seconds() / 3600
        _put(cells, place, f"{'◆' if screen.unicode else '*'}{hours:+g}h", "bold yellow")
    if (here := scale.column(now)) is not None:
        _put(cells, here, f"{'▼' if screen.unicode else 'v'}now", "bold")
    return merged(cells)


def _worst(past: Iterable[tuple[datetime, Label]], scale: Scale) -> dict[int, Label]:
    worst = dict[int, Label]()
    for at, label in past:
        place = scale.column(at)
        if place is not None and (place not in worst or _rank(label) < _rank(worst[place])):
            worst[place] = label
    return worst


def _rank(label: Label) -> int:
    return _SERIOUS.index(label.style) if label.style in _SERIOUS else len(_SERIOUS)


def _put(cells: list[Cell], place: int, text: str, style: str) -> None:
    for offset, character in enumerate(text[: len(cells) - place]):
        cells[place + offset] = Cell(character, style)
