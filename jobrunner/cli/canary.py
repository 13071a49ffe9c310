"""``retry --canary``: one run first, the rest if it succeeds."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import typer

from jobrunner.cli import ids, output
from jobrunner.cli.actions import report_each
from jobrunner.errors import NotFound

if TYPE_CHECKING:
    from jobrunner.admin import Admin
    from jobrunner.cli.verb import Call
    from jobrunner.domain.bulk import Canary
    from jobrunner.domain.run import Run


def retry_canary(call: Call, admin: Admin, targets: Sequence[str], jobs: Sequence[str]) -> int:
    """Retries the runs and failed members of batches that are named, or, where none is, the dead letters of jobs.

    Gives 0 if the first succeeded and no other was refused, 1 if it did not succeed, else the worst status.
    """
    run_ids, status = _named(admin, targets) if targets else (admin.dead_ids(jobs), 0)
    if not run_ids:
        output.say("nothing to retry")
        return status
    call.stay(admin)
    said = set[int]()

    def progress(step: Canary) -> None:
        if step.first is not None and step.first.id not in said:
            said.add(step.first.id)
            output.say(f"run {step.first.id} of {step.first.job} goes first; {len(step.held)} more if it succeeds")

    try:
        end = admin.retry_canary(run_ids, progress=progress)
    except KeyboardInterrupt:
        goes_on = f"run {min(said)} goes on; " if said else ""
        output.say(f"{goes_on}no other was retried, or not all of them: jobrunner runs --dead")
        raise typer.Exit(130) from None
    return max(status, _report(call, end))


def _named(admin: Admin, targets: Sequence[str]) -> tuple[list[int], int]:
    found, status = dict[int, None](), 0
    for target in targets:
        try:
            run, batch = ids.run_or_batch(target)
            found.update(dict.fromkeys([run] if run is not None else admin.failed_members(batch or 0)))
        except NotFound as error:
            output.say_error(error)
            status = error.exit_status
    return list(found), status


def _report(call: Call, end: Canary) -> int:
    from jobrunner.presentation import json

    changed: list[Run] = []
    status = report_each(call, end.refused, changed)
    if end.first is not None:
        changed.append(end.first)
        if not call.json:
            output.write(f"{end.first.id} {end.first.job} {end.first.state}")
    status = max(status, report_each(call, end.rest, changed))
    if end.first is not None and not end.succeeded:
        reason = f": {end.first.error}" if end.first.error else ""
        output.say(f"run {end.first.id} {end.first.state}{reason}; {len(end.held)} others have been left as they were")
        status = max(status, 1)
    if call.json:
        output.write_json([json.run(run) for run in changed])
    return status
