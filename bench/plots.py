"""Plots of the results that are kept: ``python -m bench --plots [NAME …]`` writes docs/pictures/bench/NAME-N.svg.

Bars of medians, with what was least and most as a line across; ours in a colour of its own. What was measured for
several sizes becomes lines. Needs matplotlib (the extra ``bench``).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from bench import report
from bench.result import Result, Table
from bench.table import median, number

FOLDER = Path(__file__).parent.parent / "docs" / "pictures" / "bench"
OURS, THEIRS, INK, FAINT = "#2f6f9f", "#b4b9bf", "#30343a", "#dfe3e8"
_SPAN = 30.0
"""From this ratio of the largest to the smallest on, the axis is logarithmic."""


class Bar(NamedTuple):
    """A row of a plot: its median, and what was least and most."""

    name: str
    middle: float
    least: float
    most: float
    ours: bool


class Line(NamedTuple):
    """One thing at several sizes, smallest first."""

    name: str
    at: tuple[float, ...]
    middle: tuple[float, ...]


def bars(table: Table) -> list[Bar]:
    """The rows that were measured, in their order."""
    return [
        Bar(row.name, median(row.values), min(row.values), max(row.values), "jobrunner" in row.name)
        for row in table.rows
        if row.values
    ]


def lines(table: Table) -> list[Line]:
    """The things that were measured for several sizes."""
    found: dict[str, list[tuple[float, float]]] = {}
    for row in table.rows:
        if row.at is not None and row.values:
            found.setdefault(row.name, []).append((row.at, median(row.values)))
    return [Line(name, *zip(*sorted(points), strict=True)) for name, points in found.items()]


def logarithmic(values: Sequence[float]) -> bool:
    """Whether the values are so far from each other that the small ones would not be seen."""
    seen = [value for value in values if value > 0]
    return len(seen) == len(values) > 1 and max(seen) / min(seen) >= _SPAN


def main(names: Sequence[str]) -> int:
    results = [one for one in report.kept() if not names or one.name in names]
    for result in results:
        for path in draw(result, FOLDER):
            print(path)
    return 0 if results else 1


def draw(result: Result, folder: Path) -> list[Path]:
    """Writes a picture for each table; gives their paths."""
    folder.mkdir(parents=True, exist_ok=True)
    drawn = []
    for place, table in enumerate(result.tables, 1):
        path = folder / (f"{result.name}.svg" if len(result.tables) == 1 else f"{result.name}-{place}.svg")
        if any(row.at is not None for row in table.rows):
            _draw_lines(table, result, path)
        else:
            _draw_bars(table, result, path)
        drawn.append(path)
    return drawn


def _draw_bars(table: Table, result: Result, path: Path) -> None:
    rows = bars(table)[::-1]
    figure, axes = _figure(table, result, height=1.1 + 0.32 * len(rows))
    middles = [row.middle for row in rows]
    axes.barh([row.name for row in rows], middles, color=[OURS if row.ours else THEIRS for row in rows], height=0.7)
    axes.hlines(range(len(rows)), [row.least for row in rows], [row.most for row in rows], color=INK, linewidth=1)
    if logarithmic(middles):
        axes.set_xscale("log")
        axes.set_xlim(left=10 ** math.floor(math.log10(min(row.least for row in rows if row.least > 0))))
    for place, row in enumerate(rows):
        axes.annotate(
            number(row.middle), (max(row.most, row.middle), place), (4, 0), textcoords="offset points", va="center"
        )
    axes.margins(x=0.12, y=0.02)
    axes.grid(axis="x", color=FAINT)
    axes.set_xlabel(f"{table.unit}, {table.better} is better")
    _save(figure, path)


def _draw_lines(table: Table, result: Result, path: Path) -> None:
    drawn = lines(table)
    figure, axes = _figure(table, result, height=4.0)
    for line in drawn:
        axes.plot(line.at, line.middle, marker="o", markersize=4, linewidth=1.5, label=line.name)
    axes.set_xscale("log")
    if logarithmic([value for line in drawn for value in line.middle]):
        axes.set_yscale("log")
    else:
        axes.set_ylim(bottom=0)
    axes.grid(color=FAINT)
    axes.set_xlabel(table.axis)
    axes.set_ylabel(f"{table.unit}, {table.better} is better")
    axes.legend(frameon=False, fontsize=8, loc="center left", bbox_to_anchor=(1, 0.5))
    _save(figure, path)


def _figure(table: Table, result: Result, *, height: float) -> tuple[Any, Any]:
    import matplotlib as mpl

    mpl.use("svg")
    import matplotlib.pyplot as plt

    mpl.rcParams |= {"svg.hashsalt": "bench", "font.size": 9, "axes.axisbelow": True, "text.color": INK}
    figure, axes = plt.subplots(figsize=(8, height), layout="constrained")
    axes.set_title(f"{table.title}\n", loc="left", fontsize=11)
    axes.text(0, 1.01, f"{result.taken}; medians, least to most", transform=axes.transAxes, fontsize=7, va="bottom")
    axes.spines[["top", "right"]].set_visible(False)
    return figure, axes


def _save(figure: Any, path: Path) -> None:
    import matplotlib.pyplot as plt

    figure.savefig(path, format="svg", metadata={"Date": None})
    plt.close(figure)
