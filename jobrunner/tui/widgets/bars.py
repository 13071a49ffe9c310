"""Numbers as a line of block characters: how much when, how far, and how the last runs ended. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import groupby, pairwise

from jobrunner.presentation.labels import Label
from jobrunner.presentation.screen import Screen
from jobrunner.presentation.table import Cell

_STEPS, _ASCII_STEPS = "▁▂▃▄▅▆▇█", "_.-=+*%#"
_FULL, _EMPTY = ("━", "#"), ("─", " ")


def spark(
    values: Sequence[float | None], screen: Screen, *, style: str = "", top: float | None = None
) -> tuple[Cell, ...]:
    """A column for each value, as high as it is against ``top`` (the greatest); None leaves its place empty.

    Nothing is a dim line, so that the least that is something can be told from it.
    """
    greatest = max([value for value in values if value is not None], default=0.0) if top is None else top
    drawn = [_step(value, greatest, screen, style) for value in values]
    return merged(drawn)


def spread(values: Sequence[float], width: int) -> list[float]:
    """The values as ``width`` columns: neighbours are added up where there are more, as numbers of events are."""
    if len(values) <= width:
        return list(values)
    edges = [place * len(values) // width for place in range(width + 1)]
    return [sum(values[start:end]) for start, end in pairwise(edges)]


def outcomes(
    succeeded: Sequence[float], failed: Sequence[float], width: int, screen: Screen
) -> tuple[tuple[Cell, ...], tuple[Cell, ...]]:
    """Two lines of one time: what succeeded, and below it what failed; each against its own greatest value."""
    room = max(width - 5, 1)
    return (
        (Cell("ok   ", "dim"), *spark(spread(succeeded, room), screen, style="green")),
        (Cell("fail ", "dim"), *spark(spread(failed, room), screen, style="bold red")),
    )


def progress(
    done: float, total: float | None, width: int, screen: Screen, *, style: str = "cyan", words: bool = True
) -> tuple[Cell, ...]:
    """A bar of ``width`` cells, its share in words included; without a total only how much is done."""
    if not total or total < 0:
        return (Cell(f"{done:g} done" if words else "", style),)
    share = min(max(done / total, 0.0), 1.0)
    said = f" {int(share * 100):3d}%" if words else ""
    edge = 0 if screen.unicode else 2
    room = max(width - len(said) - edge, 1)
    filled = int(share * room)
    full, empty = (_FULL[0], _EMPTY[0]) if screen.unicode else (_FULL[1], _EMPTY[1])
    bar = [Cell(full * filled, style), Cell(empty * (room - filled), "dim")]
    if not screen.unicode:
        bar = [Cell("["), *bar, Cell("]")]
    return merged([*bar, Cell(said)])


def dots(labels: Sequence[Label], count: int, screen: Screen) -> tuple[Cell, ...]:
    """How the last runs ended, the newest at the right; always ``count`` cells."""
    shown = labels[-count:] if count else ()
    marks = [Cell(label.glyph if screen.unicode else label.ascii, label.style) for label in shown]
    return merged([Cell(" " * (count - len(marks))), *marks])


def merged(cells: Iterable[Cell]) -> tuple[Cell, ...]:
    """Neighbours of one style as one."""
    return tuple(
        Cell(text, style)
        for style, group in groupby(cells, key=lambda cell: cell.style)
        if (text := "".join(cell.text for cell in group))
    )


def _step(value: float | None, top: float, screen: Screen, style: str) -> Cell:
    steps = _STEPS if screen.unicode else _ASCII_STEPS
    if value is None:
        return Cell(" ")
    if value <= 0 or top <= 0:
        return Cell(steps[0], "dim")
    return Cell(steps[min(max(round(value / top * 7), 1), 7)], style)
