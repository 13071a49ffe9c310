"""The calls of the program that do the same as an action."""

from __future__ import annotations

import shlex
from collections.abc import Sequence

from jobrunner.tui.actions.action import Command


def command_line(calls: Sequence[Sequence[str]], config: str | None) -> str:
    """The calls as a line for a shell, with ``-c`` where a configuration was named."""
    named = ["-c", config] if config is not None else []
    return " && ".join(shlex.join(["jobrunner", *named, *call]) for call in calls)


def for_all(*words: str) -> Command:
    """One call that names all of them."""
    return lambda selection, _, __: [[*words, *selection.names]]


def for_each(*words: str) -> Command:
    """A call for each of them: the command takes one name."""
    return lambda selection, _, __: [[*words, name] for name in selection.names]
