"""Retrying, cancelling and discarding runs and batches."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from jobrunner.tui.actions.action import Tier
from jobrunner.tui.actions.brief import Brief
from jobrunner.tui.actions.each import each, told
from jobrunner.tui.actions.hands import Done, Hands
from jobrunner.tui.fields import Values
from jobrunner.tui.selection import Selection

if TYPE_CHECKING:
    from jobrunner.admin import Admin
    from jobrunner.domain.bulk import Canary, Did
    from jobrunner.domain.run import Run


def retry_tier(selection: Selection, _: Brief) -> Tier:
    """A line for one run: it is only tried once more."""
    return Tier.LINE if len(selection.ids) == 1 and selection.kind == "run" else Tier.DIALOG


def perform(
    on_runs: Callable[[Admin, Sequence[int]], Sequence[Did]],
    on_batch: Callable[[Admin, int], Sequence[Run]] | None,
    what: str,
) -> Callable[[Hands, Selection, Values, Brief], Done]:
    """What does the same with runs and with batches; ``what`` has become of them then. None: not with batches."""

    def act(hands: Hands, selection: Selection, _: Values, __: Brief) -> Done:
        names = [f"{selection.kind} {name}" for name in selection.names]
        if selection.kind == "batch" and on_batch is not None:
            done, refused = each(selection.ids, lambda one: on_batch(hands.admin, int(one)))
            return told(what, names, done, refused)
        found = on_runs(hands.admin, list(map(int, selection.ids)))
        refused = tuple(f"{did.run_id}: {did.error.message}" for did in found if did.error is not None)
        return told(what, names, len(found) - len(refused), refused)

    return act


def canary(hands: Hands, selection: Selection, _: Values, __: Brief) -> Done:
    """One first, the rest if it succeeds."""
    ids = list(map(int, selection.ids))
    if selection.kind == "batch":
        ids = [run for batch in ids for run in hands.admin.failed_members(batch)]

    def tell(step: Canary) -> None:
        if step.first is not None and not step.ended:
            hands.say(f"run {step.first.id} goes first: {step.first.state}; {len(step.held):,} more if it succeeds")

    end = hands.admin.retry_canary(ids, progress=tell, stopped=hands.stopped)
    refused = tuple(f"{did.run_id}: {did.error.message}" for did in (*end.refused, *end.rest) if did.error is not None)
    if end.first is None:
        return Done("nothing could be retried", refused)
    if not end.succeeded:
        return Done(f"run {end.first.id} {end.first.state}: {len(end.held):,} others were left alone", refused)
    return Done(f"run {end.first.id} succeeded, and {len(end.rest):,} others are retried", refused)
