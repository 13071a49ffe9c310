"""``backfill``: the runs of fire times that passed without one."""

from collections import Counter
from typing import TYPE_CHECKING, Annotated

import typer

from jobrunner.cli import instants, output
from jobrunner.cli.completion import job_names
from jobrunner.cli.trigger import say_who_serves
from jobrunner.cli.verb import Call, verb

if TYPE_CHECKING:
    from jobrunner.domain.backfill import Backfill


@verb(
    examples="""
    jobrunner backfill report --from 2026-11-01 --to 2026-11-08 --dry-run
    jobrunner backfill report --from 2026-11-01 --to 2026-11-08
    jobrunner backfill poll --from '2026-11-21 06:00' --to now
    """
)
def backfill(
    ctx: typer.Context,
    job: Annotated[str, typer.Argument(metavar="JOB", help="A job with a schedule.", autocompletion=job_names)],
    from_: Annotated[str, typer.Option("--from", metavar="T", help="Fire times from this one on.")],
    to: Annotated[str, typer.Option("--to", metavar="T", help="Fire times before this one; not later than now.")],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="List the fire times, and create nothing.")] = False,
) -> int:
    """Create the runs of a past window, as a batch, and print its id.

    There is one for each fire time, by the schedule as it is now, that has no run of any state. They start one after
    another, the oldest first, whatever the job's overlap says; its own fires wait for the one that is running, and go
    before the rest. `expires` and `unique` do not apply.
    """
    from jobrunner.presentation import json, lists

    call = Call.of(ctx)
    with call.admin(warn=False) as admin:
        zone = admin.zone(job)
        since, until = instants.instant("--from", from_, zone), instants.instant("--to", to, zone)
        assert since is not None
        assert until is not None
        made = admin.backfill(job, since, until, dry_run=dry_run)
        times = call.times(admin, job)
        if made.batch is not None:
            say_who_serves(admin, made.queue)
    output.say(_counted(made, dry_run=dry_run))
    if call.json:
        output.write_json(json.backfill(made))
    elif dry_run and made.fires:
        output.write_lines(lists.backfill(made, call.screen(), times))
    elif made.batch is not None:
        output.write(f"b{made.batch}")
    return 0


def _counted(made: "Backfill", *, dry_run: bool) -> str:
    if not made.fires:
        return f"{made.job} has no fire time in this window"
    what = "to create" if dry_run or not made.missing else "created"
    states = Counter(one.state.value for one in made.answered)
    have = f", {len(made.answered)} with a run already" if made.answered else ""
    listed = ", ".join(f"{count} {state}" for state, count in states.most_common())
    fires = "1 fire time" if made.fires == 1 else f"{made.fires} fire times"
    return f"{fires}: {len(made.missing)} {what}{have}" + (f" ({listed})" if listed else "")
