"""``simulate``: the schedule of the file played forward, before it happens."""

from typing import Annotated

import typer

from jobrunner.cli import instants, output
from jobrunner.cli.completion import job_names
from jobrunner.cli.verb import Call, verb


@verb(
    examples="""
    jobrunner simulate
    jobrunner simulate --from '2026-10-24 12:00' --for 2d --workers 4
    jobrunner simulate -c proposed.toml --for 30d || echo 'breaks an sla'
    jobrunner simulate --suggest backup
    jobrunner simulate --json | jq '.jobs[] | select(.skips > 0).name'
    """
)
def simulate(
    ctx: typer.Context,
    from_: Annotated[str | None, typer.Option("--from", metavar="T", help="From this time on (default: now).")] = None,
    length: Annotated[str, typer.Option("--for", metavar="D", help="How much time is played.")] = "7d",
    workers: Annotated[
        int | None,
        typer.Option(
            "--workers",
            metavar="N",
            min=1,
            max=1_000_000,
            help="Workers of all servers together (default: as the file says, times the servers that live).",
        ),
    ] = None,
    suggest: Annotated[
        str | None,
        typer.Option(
            "--suggest", metavar="JOB", help="The quietest minutes for this job, too.", autocompletion=job_names
        ),
    ] = None,
    seed: Annotated[
        int, typer.Option("--seed", metavar="N", help="Another one draws other durations; the same one the same.")
    ] = 1,
) -> int:
    """Play the schedules of the file forward: load, delays, skipped fires, collisions, daylight saving.

    Runs take what the last 200 of their job took (median and 95th percentile), else the job's timeout, else a minute;
    all succeed. Nothing is started. Ends with 1 when an sla of a job is going to be broken.
    """
    from jobrunner.presentation import forecast, forecast_json

    call = Call.of(ctx)
    with call.admin(warn=False) as admin:
        duration = instants.duration("--for", length)
        assert duration is not None
        found = admin.simulate(
            start=instants.instant("--from", from_, admin.zone(None)),
            length=duration,
            workers=workers,
            seed=seed,
            suggest=suggest,
        )
        times = call.times(admin)
    if call.json:
        output.write_json(forecast_json.forecast(found))
    elif found.jobs:
        output.write_lines(forecast.forecast(found, call.screen(), times))
    else:
        output.say("nothing is going to fire: no job has a schedule and is enabled")
    return 1 if found.breaks_sla else 0
