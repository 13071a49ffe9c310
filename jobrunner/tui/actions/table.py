"""Everything that a person can do in the dashboard. Hints, menu, palette, help and confirmations are made of it.

Nothing here knows a screen.
"""

from __future__ import annotations

from collections.abc import Mapping

from jobrunner.tui.actions import file, pausing, running, runs
from jobrunner.tui.actions.action import Action, Tier
from jobrunner.tui.actions.brief import Brief
from jobrunner.tui.actions.calls import for_all, for_each
from jobrunner.tui.selection import Kind, Selection


def _dialog(_: Selection, __: Brief) -> Tier:
    return Tier.DIALOG


def _line(selection: Selection, _: Brief) -> Tier:
    return Tier.LINE if len(selection.ids) == 1 else Tier.DIALOG


def _on(*kinds: Kind | None) -> frozenset[Kind | None]:
    return frozenset(kinds)


_ALL = (
    Action(
        id="run_now",
        words="Run now",
        verb="Run",
        kinds=_on("job", "run"),
        tier=running.tier,
        command=running.command,
        perform=running.run,
    ),
    Action(
        id="run_with",
        words="Run with parameters",
        verb="Run",
        kinds=_on("job", "run"),
        many=False,
        command=running.command,
        perform=running.run,
        fields=running.asked,
        faults=running.faults,
    ),
    Action(
        id="run_later",
        words="Run later",
        verb="Run",
        kinds=_on("job", "run"),
        many=False,
        command=running.command,
        perform=running.run,
        fields=running.asked_later,
        faults=running.faults,
    ),
    Action(
        id="retry",
        words="Retry",
        verb="Retry",
        kinds=_on("run", "batch"),
        tier=runs.retry_tier,
        command=for_all("retry"),
        perform=runs.perform(
            lambda admin, ids: admin.retry_each(ids), lambda admin, batch: admin.retry_batch(batch), "retried"
        ),
    ),
    Action(
        id="retry_canary",
        words="Retry one first, the rest if it succeeds",
        verb="Retry",
        kinds=_on("run", "batch"),
        single=False,
        apart=True,
        tier=_dialog,
        command=lambda selection, _, __: [["retry", *selection.names, "--canary"]],
        perform=runs.canary,
    ),
    Action(
        id="cancel",
        words="Cancel",
        verb="Cancel them",
        kinds=_on("run", "batch"),
        tier=_dialog,
        command=for_all("cancel"),
        perform=runs.perform(
            lambda admin, ids: admin.cancel_each(ids), lambda admin, batch: admin.cancel_batch(batch), "cancelled"
        ),
    ),
    Action(
        id="cancel_now",
        words="Cancel at once, without grace",
        verb="Kill them",
        kinds=_on("run", "batch"),
        tier=_dialog,
        command=for_all("cancel", "--now"),
        perform=runs.perform(
            lambda admin, ids: admin.cancel_each(ids, now=True),
            lambda admin, batch: admin.cancel_batch(batch, now=True),
            "cancelled",
        ),
    ),
    Action(
        id="discard",
        words="Discard",
        verb="Discard",
        kinds=_on("run"),
        tier=_dialog,
        command=for_all("discard"),
        perform=runs.perform(lambda admin, ids: admin.discard_each(ids), None, "discarded"),
    ),
    Action(
        id="pause",
        words="Pause",
        verb="Pause",
        kinds=_on("job", "queue"),
        tier=pausing.tier,
        command=pausing.pause_command,
        perform=pausing.pause,
        fields=pausing.asked,
        faults=pausing.faults,
    ),
    Action(
        id="resume",
        words="Resume",
        verb="Resume",
        kinds=_on("job", "queue"),
        tier=_line,
        command=pausing.resume_command,
        perform=pausing.resume,
    ),
    Action(
        id="enable",
        words="Enable: let it fire",
        verb="Enable",
        kinds=_on("job"),
        tier=_line,
        command=for_each("enable"),
        perform=file.enabler(True),
    ),
    Action(
        id="disable",
        words="Disable: keep it from firing",
        verb="Disable",
        kinds=_on("job"),
        tier=_line,
        command=for_each("disable"),
        perform=file.enabler(False),
    ),
    Action(
        id="rollback",
        words="Go back to version",
        verb="Go back",
        kinds=_on("version"),
        many=False,
        tier=_dialog,
        command=file.rollback_command,
        perform=file.rollback,
    ),
    Action(
        id="pause_all",
        words="Pause everything",
        verb="Pause everything",
        kinds=_on(None),
        tier=_dialog,
        command=pausing.pause_all_command,
        perform=pausing.pause_all,
        fields=pausing.asked,
        faults=pausing.faults,
    ),
    Action(
        id="resume_all",
        words="Resume everything",
        verb="Resume everything",
        kinds=_on(None),
        tier=_dialog,
        command=pausing.resume_all_command,
        perform=pausing.resume_all,
    ),
    Action(
        id="reload",
        words="Have the servers read the file again",
        verb="Reload",
        kinds=_on(None),
        command=lambda *_: [["reload"]],
        perform=file.reload,
    ),
)

ACTIONS: Mapping[str, Action] = {action.id: action for action in _ALL}
"""By id; the order is that of menus."""
