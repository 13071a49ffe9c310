"""Medians with their spread, and ratios pair by pair."""

from __future__ import annotations

import statistics
from collections.abc import Sequence


def median(values: Sequence[float]) -> float:
    return statistics.median(values)


def number(value: float) -> str:
    """``12,345``, ``12.3`` or ``1.23``: about three digits that say something."""
    size = abs(value)
    digits = 0 if size >= 1000 or value == int(value) else 1 if size >= 10 else 2 if size >= 0.1 else 4
    return f"{value:,.{digits}f}"


def spread(values: Sequence[float], unit: str = "") -> str:
    """``12.3 ms (11.0–15.2)``."""
    middle = f"{number(median(values))} {unit}".strip()
    return middle if len(values) == 1 else f"{middle} ({number(min(values))}–{number(max(values))})"


def ratios(ours: Sequence[float], theirs: Sequence[float]) -> str:
    """``1.32 × (1.20–1.45)``: the median of the ratios of rounds that were run side by side."""
    pairs = [a / b for a, b in zip(ours, theirs, strict=True)]
    middle = f"{median(pairs):.2f} ×"
    return middle if len(pairs) == 1 else f"{middle} ({min(pairs):.2f}–{max(pairs):.2f})"


def percentile(values: Sequence[float], part: float) -> float:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * part))]


def show(title: str, rows: Sequence[tuple[str, str]]) -> None:
    """Prints a title and aligned rows."""
    width = max(len(name) for name, _ in rows)
    print(f"\n{title}")
    for name, value in rows:
        print(f"  {name:<{width}}  {value}")
