"""Plots in plain characters: a column for each value, with a light one behind it. Used by ``forecast``."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from jobrunner.presentation.screen import Screen

_EIGHTHS, _ASCII_EIGHTHS = "▁▂▃▄▅▆▇█", "....####"
_LIGHT, _ASCII_LIGHT = "░", ":"
_FRAME, _ASCII_FRAME = ("│", "└", "─"), ("|", "+", "-")


def columns(
    values: Sequence[tuple[float, float] | None], screen: Screen, *, height: int = 8, labels: str = ""
) -> Iterator[str]:
    """The lines of a plot with a scale on its left; ``labels`` stand below the columns.

    A value is how high the solid column goes, and how high the light one behind it; None leaves its place empty.
    """
    top = max((high for pair in values if pair for high in pair), default=0.0)
    scale = f"{top:.3g}"
    edge, corner, floor = _FRAME if screen.unicode else _ASCII_FRAME
    for row in range(height, 0, -1):
        cells = "".join(_cell(pair, row, top / height, screen) for pair in values).rstrip()
        yield f"{scale if row == height else '':>{len(scale)}} {edge}{screen.paint(cells, 'cyan')}"
    yield f"{'0':>{len(scale)}} {corner}{floor * len(values)}"
    if labels:
        yield " " * (len(scale) + 2) + labels


def light(screen: Screen) -> str:
    """What the light columns are made of."""
    return _LIGHT if screen.unicode else _ASCII_LIGHT


def _cell(pair: tuple[float, float] | None, row: int, step: float, screen: Screen) -> str:
    if pair is None or not step:
        return " "
    solid, high = (value / step - (row - 1) for value in pair)
    if solid > 0:
        eighths = _EIGHTHS if screen.unicode else _ASCII_EIGHTHS
        return eighths[min(max(round(solid * 8), 1), 8) - 1]
    return light(screen) if high > 0 else " "
