"""Pausing and resuming jobs, queues and everything."""

from __future__ import annotations

from collections.abc import Sequence

from jobrunner.domain.duration import parse_duration
from jobrunner.tui import fields
from jobrunner.tui.actions.action import Tier
from jobrunner.tui.actions.brief import Brief
from jobrunner.tui.actions.hands import Done, Hands, Undo
from jobrunner.tui.fields import Field, Values
from jobrunner.tui.selection import NOTHING, Selection

Scope = tuple[str, str]
"""What is paused: ``job``, ``queue`` or ``all``, and its name."""


def asked(_: Brief) -> tuple[Field, ...]:
    """For how long, and why."""
    return (fields.FOR, fields.REASON)


def faults(_: Brief, values: Values, __: Hands) -> dict[str, str]:
    """What of the values cannot be, by field."""
    return fields.pause_faults(values)


def tier(selection: Selection, _: Brief) -> Tier:
    """Not at all for one job; a queue, and several, are more than they look."""
    return Tier.NONE if selection.kind == "job" and len(selection.ids) == 1 else Tier.DIALOG


def pause_command(selection: Selection, values: Values, _: Brief) -> list[list[str]]:
    more = ["--for", values["for"]] if values.get("for") else []
    more += ["--reason", values["reason"]] if values.get("reason") else []
    return [["pause", *_words(*scope), *more] for scope in _scopes(selection)]


def pause(hands: Hands, selection: Selection, values: Values, _: Brief) -> Done:
    """Pauses what is selected; to be taken back."""
    until = hands.now() + parse_duration(values["for"]) if values.get("for") else None
    scopes = _scopes(selection)
    for scope, name in scopes:
        hands.admin.pause(scope, name, until=until, reason=values.get("reason", ""))
    what, are = _several(scopes), "is" if len(scopes) == 1 else "are"
    return Done(f"{what} {are} paused", undo=Undo(f"pause of {what}", lambda hands: _resumed(hands, scopes)))


def resume_command(selection: Selection, _: Values, __: Brief) -> list[list[str]]:
    return [["resume", *_words(*scope)] for scope in _scopes(selection)]


def resume(hands: Hands, selection: Selection, _: Values, __: Brief) -> Done:
    """Lets go on what is selected."""
    return _resumed(hands, _scopes(selection))


def pause_all_command(_: Selection, values: Values, brief: Brief) -> list[list[str]]:
    return pause_command(NOTHING, values, brief)


def pause_all(hands: Hands, _: Selection, values: Values, brief: Brief) -> Done:
    """Pauses everything, whatever is selected."""
    return pause(hands, NOTHING, values, brief)


def resume_all_command(_: Selection, values: Values, brief: Brief) -> list[list[str]]:
    return resume_command(NOTHING, values, brief)


def resume_all(hands: Hands, _: Selection, values: Values, brief: Brief) -> Done:
    """Lets everything go on, whatever is selected."""
    return resume(hands, NOTHING, values, brief)


def _resumed(hands: Hands, scopes: Sequence[Scope]) -> Done:
    were = [hands.admin.resume(scope, name) for scope, name in scopes]
    return Done(f"{_several(scopes)} {'go' if len(scopes) > 1 else 'goes'} on" if any(were) else "nothing was paused")


def _scopes(selection: Selection) -> list[Scope]:
    if selection.kind in ("job", "queue"):
        return [(str(selection.kind), name) for name in selection.names]
    return [("all", "")]


def _words(scope: str, name: str) -> list[str]:
    return {"job": [name], "queue": ["--queue", name], "all": ["--all"]}[scope]


def _several(scopes: Sequence[Scope]) -> str:
    scope, name = scopes[0]
    if len(scopes) > 1:
        return f"{len(scopes):,} {scope}s"
    return "everything" if scope == "all" else f"{scope} {name}"
