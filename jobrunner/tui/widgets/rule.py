"""The line above a part of a screen, with its title."""

from __future__ import annotations

from jobrunner.presentation.screen import Screen
from jobrunner.presentation.table import Cell
from jobrunner.tui.widgets.ink import Pieces


def rule(title: str, width: int, screen: Screen, *, right: str = "") -> Pieces:
    """``─ RUNNING (3) ─────────── since when``"""
    dash = "─" if screen.unicode else "-"
    line = dash * max(width - len(title) - len(right) - 4, 0)
    return (Cell(dash, "dim"), Cell(f" {title} ", "bold"), Cell(line, "dim"), Cell(f" {right}" if right else "", "dim"))
