"""What changes the file, or has it read again: enabling, disabling, going back to a version, reloading."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from jobrunner.tui.actions.brief import Brief
from jobrunner.tui.actions.hands import Done, Hands, Undo
from jobrunner.tui.fields import Values
from jobrunner.tui.selection import Selection

if TYPE_CHECKING:
    from jobrunner.domain.server import Reloaded


def _set_enabled(hands: Hands, jobs: Sequence[str], enabled: bool) -> Done:
    word = "enable" if enabled else "disable"
    with hands.editor() as editor:
        remarks = list[str]()
        changed = list[str]()
        for job in jobs:
            proposal = editor.assign(job, [(("enabled",), enabled)])
            if proposal.text != proposal.original.text:
                applied = editor.apply(proposal, action=word, target=f"job {job}", detail="enabled")
                changed.append(job)
                remarks += [applied.remark] if applied.remark else []
                remarks += _kept(applied.servers)
    if not changed:
        return Done(f"{_jobs(jobs)} {'is' if len(jobs) == 1 else 'are'} {word}d already")
    undo = Undo(f"{word} of {_jobs(changed)}", lambda hands: _set_enabled(hands, changed, not enabled))
    return Done(f"{_jobs(changed)} {'is' if len(changed) == 1 else 'are'} {word}d", tuple(dict.fromkeys(remarks)), undo)


def _jobs(names: Sequence[str]) -> str:
    return f"job {names[0]}" if len(names) == 1 else f"{len(names):,} jobs"


def enabler(enabled: bool) -> Callable[[Hands, Selection, Values, Brief], Done]:
    """What enables jobs, or disables them."""
    return lambda hands, selection, _, __: _set_enabled(hands, selection.names, enabled)


def rollback(hands: Hands, selection: Selection, _: Values, __: Brief) -> Done:
    """Writes a job as one of its versions has it."""
    from jobrunner.domain.version import Origin

    job, number = str(selection.ids[0]).rsplit(" ", 1)
    with hands.editor() as editor:
        proposal = editor.back(job, int(number))
        remarks = [proposal.remark] if proposal.remark else []
        if proposal.text == proposal.original.text:
            return Done(f"job {job} is as version {number} was", tuple(remarks))
        applied = editor.apply(
            proposal, action="rollback", target=f"job {job}", detail=f"version {number}", origin=Origin.ROLLBACK
        )
    remarks += [applied.remark] if applied.remark else []
    return Done(f"job {job} is back at version {number}", (*remarks, *_kept(applied.servers)))


def rollback_command(selection: Selection, _: Values, __: Brief) -> list[list[str]]:
    return [["rollback", *str(selection.ids[0]).rsplit(" ", 1)]]


def _kept(servers: Sequence[Reloaded]) -> tuple[str, ...]:
    return tuple(f"server {one.name} keeps its old file: {one.error}" for one in servers if one.error)


def reload(hands: Hands, _: Selection, __: Values, ___: Brief) -> Done:
    """Has the servers read the file again, and waits for what each makes of it."""
    found = hands.admin.reload()
    if not found:
        return Done("no server runs that could read the file again")
    kept = tuple(
        f"server {one.name} {f'keeps its old file: {one.error}' if one.error else 'has not answered'}"
        for one in found
        if one.error or (one.live and not one.done)
    )
    good = len(found) - len(kept)
    return Done(f"{good} of {len(found)} servers have read the file again", kept)
