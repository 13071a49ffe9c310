"""Medians with their spread, and ratios pair by pair."""

from __future__ import annotations

import statistics
from collections.abc import Sequence


def median(values: Sequence[float]) -> float:
    return statistics.median(values)


def spread(values: Sequence[float], unit: str) -> str:
    """``12.3 ms (11.0-15.2)``."""
    digits = 0 if median(values) >= 1000 else 1 if median(values) >= 10 else 2
    return f"{median(values):,.{digits}f} {unit} ({min(values):,.{digits}f}-{max(values):,.{digits}f})"


def ratios(ours: Sequence[float], theirs: Sequence[float]) -> str:
    """``1.32 x (1.20-1.45)``: the median of the ratios of rounds that were run side by side."""
    pairs = [a / b for a, b in zip(ours, theirs, strict=True)]
    return f"{median(pairs):.2f} x ({min(pairs):.2f}-{max(pairs):.2f})"


def percentile(values: Sequence[float], part: float) -> float:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * part))]


def show(title: str, rows: Sequence[tuple[str, str]]) -> None:
    """Prints a title and aligned rows."""
    width = max(len(name) for name, _ in rows)
    print(f"\n{title}")
    for name, value in rows:
        print(f"  {name:<{width}}  {value}")
