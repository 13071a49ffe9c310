"""Where one can go in the dashboard. The modules of ``screens`` are imported when they are first needed."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from jobrunner.tui.selection import Kind

VIEWS: dict[str, tuple[str, str]] = {
    "1": ("Overview", "overview:Overview"),
    "2": ("Jobs", "jobs:Jobs"),
    "3": ("Runs", "runs:Runs"),
    "4": ("Queues", "queues:Queues"),
    "5": ("Schedule", "schedule:Schedule"),
    "6": ("Servers", "servers:Servers"),
    "7": ("Configuration", "configuration:Configuration"),
}
"""The numbered screens: name, and the module of ``screens`` with the class."""

THINGS: dict[Kind, str] = {"job": "job:JobView", "run": "run:RunView", "batch": "batch:BatchView"}
"""The view of one thing, reached from others: the module of ``screens`` with the class, made with its id."""

OPENERS: dict[str, str] = {
    "edit_here": "editor:edit_here",
    "new_job": "editor:new_job",
    "why": "why:open_why",
    "chain": "chain:open_chain",
    "decisions": "decisions:open_decisions",
    "output": "run:open_output",
}
"""What opens a view for a selection (``output``, ``edit_here``): the module of ``screens`` with the function, which is
given the app and the selection."""


def load(place: str) -> Any:
    """What one of these texts names."""
    module, _, name = place.partition(":")
    return getattr(import_module(f"jobrunner.tui.screens.{module}"), name)
