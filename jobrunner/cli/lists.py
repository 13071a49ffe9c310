"""``jobs``, ``runs``, ``queues``, ``servers``, ``batches``, ``audit``: one noun each, as a table or as JSON."""

from collections.abc import Callable, Iterable, Sequence
from typing import Annotated, Any, TypeVar

import typer

from jobrunner.cli import instants, output
from jobrunner.cli.completion import job_names
from jobrunner.cli.verb import Call, verb
from jobrunner.domain.state import RunState

Value = TypeVar("Value")

Limit = Annotated[
    int, typer.Option("--limit", metavar="N", min=0, max=1_000_000_000, help="How many, newest first; 0: all.")
]
Since = Annotated[
    str | None, typer.Option("--since", metavar="D|T", help="Only from then on: 2h ago, or a time.", show_default=False)
]


@verb(examples="jobrunner jobs\njobrunner jobs --tag db\njobrunner jobs --json | jq -r '.[] | select(.paused).name'")
def jobs(
    ctx: typer.Context,
    tags: Annotated[
        list[str] | None, typer.Option("--tag", metavar="T", help="Only jobs with this tag; repeat for any of more.")
    ] = None,
) -> int:
    """The jobs of the file: how each stands, when it fires next, how its last run went."""
    from jobrunner.presentation import json, lists

    call = Call.of(ctx)
    with call.admin(warn=False) as admin:
        found = admin.jobs(tuple(tags or ()))
        times = call.times(admin)
    advice = "no job has such a tag" if tags else "no jobs yet; `jobrunner init` writes a file to start from"
    _show(call, found, json.job, lambda: lists.jobs(found, call.screen(), times), advice)
    return 0


@verb(
    examples="""
    jobrunner runs
    jobrunner runs --job backup --state failed --since 7d
    jobrunner runs 'job:etl*' state:failed,expired 'dur:>10m' '!timeout'
    jobrunner runs --dead        # failed for good, and not dealt with
    jobrunner runs --limit 0 --json | jq length
    """
)
def runs(
    ctx: typer.Context,
    filter: Annotated[
        list[str] | None, typer.Argument(metavar="[FILTER]...", help="What has to hold, as said above.")
    ] = None,
    job: Annotated[
        list[str] | None,
        typer.Option("--job", metavar="J", help="Only of this job; repeat for any of more.", autocompletion=job_names),
    ] = None,
    state: Annotated[
        list[RunState] | None,
        typer.Option("--state", metavar="S", help="Only in this state; repeat for any of more."),
    ] = None,
    since: Since = None,
    limit: Limit = 50,
    dead: Annotated[bool, typer.Option("--dead", help="Only dead letters.")] = False,
) -> int:
    """What ran, runs and is going to run, newest first.

    States: scheduled, waiting, queued, running, retrying, succeeded, failed, cancelled, skipped, expired.

    A filter is a text, looked for in the job's name, the error, the note and the parameters, a pattern such as
    /time.*out/, or one of state:failed,running job:etl* tag:nightly queue:low trigger:manual server:web1 since:2h
    until:1h 'dur:>60s' exit:3 batch:b7 dead. All have to hold; commas mean any of them, a ! in front means not, and
    "double quotes" hold a text together. The dashboard has the same filters.
    """
    from jobrunner.domain.filter import RunFilter
    from jobrunner.presentation import json, lists

    call = Call.of(ctx)
    with call.admin() as admin:
        start = instants.since(since, admin.zone(None)) if since is not None else None
        terms = admin.terms(" ".join(filter or ()))
        wanted = RunFilter(
            jobs=tuple(job or ()), states=tuple(state or ()), since=start, limit=limit, dead=dead, terms=terms
        )
        found = admin.runs(wanted)
        times = call.times(admin, job[0] if job and len(job) == 1 else None)
    advice = "no dead letters" if dead else "no such runs" if wanted != RunFilter(limit=limit) else _NO_RUNS
    _show(call, found, json.run, lambda: lists.runs(found, call.screen(), times), advice)
    return 0


@verb(examples="jobrunner queues\njobrunner queues --json | jq '.[] | {name, queued, oldest_wait}'")
def queues(ctx: typer.Context) -> int:
    """What stands in each queue, and how long the oldest of it has been waiting."""
    from jobrunner.presentation import json, lists

    call = Call.of(ctx)
    with call.admin() as admin:
        found = admin.queues()
    _show(call, found, json.queue, lambda: lists.queues(found, call.screen()), "no queues")
    return 0


@verb(examples="jobrunner servers\njobrunner servers --json | jq '.[] | select(.state == \"lost\")'")
def servers(ctx: typer.Context) -> int:
    """The servers and what they are doing. Stopped and lost ones are shown for a day."""
    from jobrunner.presentation import json, lists

    call = Call.of(ctx)
    with call.admin() as admin:
        found = admin.servers()
        times = call.times(admin)
    _show(call, found, json.server, lambda: lists.servers(found, call.screen(), times), _NO_SERVER)
    for remark in lists.remarks_on_servers(found):
        output.say(f"warning: {remark}")
    return 0


@verb(examples="jobrunner batches\njobrunner show b7")
def batches(ctx: typer.Context, limit: Limit = 50) -> int:
    """Batches, newest first, and how far they are."""
    from jobrunner.presentation import json, lists

    call = Call.of(ctx)
    with call.admin() as admin:
        found = admin.batches(limit=limit)
        times = call.times(admin)
    advice = "no batches yet; `jobrunner trigger JOB --each FILE` makes one"
    _show(call, found, json.batch, lambda: lists.batches(found, call.screen(), times), advice)
    return 0


@verb(examples="jobrunner audit\njobrunner audit --since 1d --json")
def audit(ctx: typer.Context, since: Since = None, limit: Limit = 50) -> int:
    """Who did what, when, to which, and with what result, newest first."""
    from jobrunner.presentation import json, lists

    call = Call.of(ctx)
    with call.admin() as admin:
        start = instants.since(since, admin.zone(None)) if since is not None else None
        found = admin.audit(start, limit)
        times = call.times(admin)
    _show(call, found, json.audit, lambda: lists.audit(found, call.screen(), times), "nobody did anything yet")
    return 0


_NO_RUNS = "no runs yet; `jobrunner trigger JOB` makes one, `jobrunner run` fires the schedules"
_NO_SERVER = "no server runs; `jobrunner run` starts one"


def _show(
    call: Call,
    values: Sequence[Value],
    shape: Callable[[Value], dict[str, Any]],
    table: Callable[[], Iterable[str]],
    nothing: str,
) -> None:
    if call.json:
        output.write_json([shape(value) for value in values])
    elif values:
        output.write_lines(table())
    else:
        output.say(nothing)
