"""What the dashboard says of actions: questions, buttons, remarks. Pure."""

from __future__ import annotations

from jobrunner.domain.job import Job
from jobrunner.tui.actions.action import Action
from jobrunner.tui.actions.brief import Brief
from jobrunner.tui.selection import Selection

_PLURALS = {"batch": "batches"}
_NOT_AGAIN = "only what failed or was cancelled is retried, r runs it again"
_ENDED = "it has ended, there is nothing to cancel"
_NOT_DEAD = "it is no dead letter"
_CANNOT = {
    "run": {
        "retry": _NOT_AGAIN,
        "retry_canary": _NOT_AGAIN,
        "cancel": _ENDED,
        "cancel_now": _ENDED,
        "discard": _NOT_DEAD,
    },
    "job": {"resume": "it is not paused", "enable": "it is enabled already", "disable": "it is disabled already"},
    "queue": {"resume": "it is not paused"},
    "batch": {
        "retry": "no run of it has failed",
        "retry_canary": "no run of it has failed",
        "cancel": "all its runs have ended",
        "cancel_now": "all its runs have ended",
    },
}
"""Why what is selected stands so that it cannot be done, by kind and action."""

_NO_RUN = {
    "retry": "no failed run to retry; r runs it now, w says why",
    "discard": "no dead letter to discard",
    "cancel": "no run under way to cancel",
}
"""What a job has not that an action is meant for."""


def what(selection: Selection, known: Brief) -> str:
    """``run 1042 of backup``, ``7 runs``, ``queue low``, ``everything``."""
    if selection.kind is None or not selection.ids:
        return "everything"
    if len(selection.ids) > 1:
        return f"{len(selection.ids):,} {_plural(selection.kind)}"
    if selection.kind == "run" and known.jobs:
        return f"run {selection.names[0]} of {next(iter(known.jobs))}"
    return f"{selection.kind} {selection.names[0]}"


def question(action: Action, selection: Selection, known: Brief) -> str:
    """``Retry 7 runs?``"""
    if None in action.kinds:
        return f"{action.words}?"
    first, colon, _ = action.words.partition(":")
    words = first.partition(",")[0] if colon or "," in first else first
    if words == "Retry one first":
        return f"Retry {what(selection, known)}, one first?"
    place = {"Run now": "Run {} now?", "Run with parameters": "Run {}", "Run later": "Run {} later"}
    if words == "Run now" and selection.kind == "run":
        return f"Run again what {what(selection, known)} was?"
    return place[words].format(what(selection, known)) if words in place else f"{words} {what(selection, known)}?"


def button(action: Action, selection: Selection) -> str:
    """``Retry 7``; the verb alone for one."""
    verb = action.verb
    if len(selection.ids) > 1 and None not in action.kinds:
        return f"{verb.removesuffix(' them')} {len(selection.ids):,}"
    return verb.replace(" them", " it")


def typed(action: Action, selection: Selection) -> str:
    """What is to be typed: the verb and how many, or the name of the only one."""
    verb = action.verb.partition(" ")[0].lower()
    if None in action.kinds:
        return verb
    if len(selection.ids) > 1:
        return f"{verb} {len(selection.ids)}"
    return selection.names[0]


def notes(action: Action, selection: Selection, known: Brief, *, production: bool) -> list[str]:
    """What a person should know before saying yes."""
    found = []
    if production:
        found.append("This is production.")
    if len(selection.ids) > 1:
        found.append("These ids, as they are now. Newer failures are NOT included." if selection.kind == "run" else "")
    if action.id == "cancel" and known.running:
        found.append("Its attempt is told to end (SIGTERM), and killed after kill_grace. This cannot be undone.")
    elif action.id == "cancel_now":
        found.append("A running attempt is killed at once (SIGKILL). This cannot be undone.")
    elif action.id == "cancel":
        found.append("This cannot be undone.")
    elif action.id == "discard":
        stays = "It stays failed, and is" if len(selection.ids) == 1 else "They stay failed, and are"
        found.append(f"{stays} no longer listed as a dead letter. This cannot be undone.")
    elif action.id == "pause" and selection.kind == "queue":
        found.append("Nothing of the queue starts until it is resumed. Running attempts go on.")
    elif action.id == "pause_all":
        found.append("Nothing fires and nothing starts until it is resumed. Running attempts go on.")
    return [note for note in found if note]


def not_here(action: Action, selection: Selection) -> str:
    """Why an action cannot be done."""
    if not selection.ids and selection.kind == "run":
        return f"{_whose(selection)} {_NO_RUN.get(action.id, 'no run')}"
    if not selection.ids:
        return f"nothing is selected to {action.words.partition(':')[0].lower()}"
    if action.fits(selection):
        kind = str(selection.kind)
        subject = (
            f"{kind} {selection.names[0]}" if len(selection.ids) == 1 else f"each of the {what(selection, Brief())}"
        )
        return f"{subject}: {_CANNOT[kind][action.id]}"
    if len(selection.ids) > 1:
        return f"{action.words}: one at a time"
    return f"{action.words}: not with a {selection.kind}"


def _whose(selection: Selection) -> str:
    return f"job {selection.jobs[0]} has" if len(selection.jobs) == 1 else "these jobs have"


def _plural(kind: str) -> str:
    return _PLURALS.get(kind, f"{kind}s")


def needs_parameters(known: Brief) -> bool:
    """Whether a job cannot run without being told more."""
    job: Job | None = known.definition
    return job is not None and any(param.required and not param.has_default for param in job.params)
