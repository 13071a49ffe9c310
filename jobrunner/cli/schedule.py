"""``next`` and ``explain``: when something is going to fire."""

import os
from typing import TYPE_CHECKING, Annotated

import typer

from jobrunner.cli import instants, output
from jobrunner.cli.completion import job_names
from jobrunner.cli.verb import Call, verb
from jobrunner.domain.clock import SystemClock
from jobrunner.errors import ConfigError

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

Count = Annotated[int, typer.Option("-n", metavar="N", min=1, max=10_000, help="How many.")]
From = Annotated[str | None, typer.Option("--from", metavar="T", help="After this time (default: now).")]


@verb(examples="jobrunner next\njobrunner next backup -n 5\njobrunner next --from '2026-10-25 00:00'")
def next_fires(
    ctx: typer.Context,
    job: Annotated[
        str | None, typer.Argument(metavar="[JOB]", help="Of this job only.", autocompletion=job_names)
    ] = None,
    n: Count = 10,
    from_: From = None,
) -> int:
    """The coming fire times of all jobs, or of one."""
    from jobrunner.presentation import json, lists

    call = Call.of(ctx)
    with call.admin(warn=False) as admin:
        after = instants.instant("--from", from_, admin.zone(job)) if from_ is not None else None
        found = admin.next_fires(job, n, after)
        times = call.times(admin, job)
    if call.json:
        output.write_json([json.fire(fire) for fire in found])
    elif found:
        output.write_lines(lists.fires(found, call.screen(), times))
    else:
        output.say("nothing is going to fire: no schedule, or disabled or paused for good")
    return 0


@verb(
    examples="""
    jobrunner explain '0 2 * * 1-5'
    jobrunner explain '@daily' --timezone Europe/Madrid -n 3
    jobrunner explain 'every 90s'
    """
)
def explain(
    ctx: typer.Context,
    expression: Annotated[str, typer.Argument(metavar="EXPR", help="A cron expression, alias or interval.")],
    timezone: Annotated[
        str | None, typer.Option("--timezone", metavar="Z", help="A zone, such as Europe/Madrid (default: the file's).")
    ] = None,
    from_: From = None,
    n: Count = 5,
) -> int:
    """A cron expression in words, what is tricky about it, and its next fire times. Needs no jobs.toml."""
    from jobrunner.domain.words import explain as in_words
    from jobrunner.presentation import details, json
    from jobrunner.presentation.times import Times

    call = Call.of(ctx)
    zone = _zone(call, timezone)
    now = SystemClock().now()
    after = instants.instant("--from", from_, zone) or now
    value = in_words(expression, timezone=zone.key, after=after, n=n)
    if call.json:
        output.write_json(json.explanation(value))
    else:
        screen = call.screen()
        output.write_lines(details.explanation(value, screen, Times(now=now, zone=zone, relative=screen.terminal)))
    return 0


def _zone(call: Call, named: str | None) -> "ZoneInfo":
    """The zone that was named, else that of the configuration where there is one, else the host's."""
    from jobrunner.domain.zone import load_zone

    return load_zone(named or _configured_zone(call))


def _configured_zone(call: Call) -> str:
    """The zone of the file in use; one that is missing or broken is no fault unless it was named."""
    from jobrunner import jobfile
    from jobrunner.jobfile.zones import host_zone

    try:
        path = jobfile.locate(call.config, os.environ)
    except ConfigError:
        if call.config:
            raise
        return host_zone(os.environ)
    try:
        return jobfile.read_settings(path)[0].timezone
    except ConfigError as error:
        if call.config:
            raise
        output.say(f"warning: {path} is not used: {error.problems[0].message}")
        return host_zone(os.environ)
