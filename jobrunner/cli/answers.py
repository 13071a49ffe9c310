"""``why`` and ``verify``: what became of fire times, and why."""

from typing import TYPE_CHECKING, Annotated

import typer

from jobrunner.cli import ids, instants, output
from jobrunner.cli.completion import jobs_and_runs
from jobrunner.cli.verb import Call, verb
from jobrunner.errors import UsageError

if TYPE_CHECKING:
    from jobrunner.admin import Admin
    from jobrunner.domain.answer import Answer


@verb(
    examples="""
    jobrunner why backup                        # why not now, and when next
    jobrunner why backup --at '2026-10-25 02:30'
    jobrunner why 1042
    jobrunner why backup --json | jq -r .verdict
    """
)
def why(
    ctx: typer.Context,
    target: Annotated[
        str, typer.Argument(metavar="JOB|RUN", help="A name, or a run such as 1042.", autocompletion=jobs_and_runs)
    ],
    at: Annotated[
        str | None, typer.Option("--at", metavar="T", help="What became of the fire time of a job at T.")
    ] = None,
) -> int:
    """Why it ran, did not run, waits, or will run next.

    Of a job: its last fire time and what became of it, its next one and what could keep it from running; with --at,
    any fire time, past or future. Of a run: what it waits for, when it will start, how it ended.
    """
    from jobrunner.presentation import answers, answers_json

    call = Call.of(ctx)
    with call.admin(warn=ids.looks_like_run(target)) as admin:
        found = _answer(admin, target, at)
        times = call.times(admin, found.job)
    if call.json:
        output.write_json(answers_json.answer(found, times))
    else:
        output.write_lines(answers.answer(found, call.screen(), times))
    return 0


@verb(
    examples="""
    jobrunner verify
    jobrunner verify --since 30d
    jobrunner verify --since '2026-10-25 00:00' --json | jq .sound
    jobrunner verify > /dev/null || echo 'a fire time has no answer'
    """
)
def verify(
    ctx: typer.Context,
    since: Annotated[
        str, typer.Option("--since", metavar="D|T", help="From so long ago, or from this time, until now.")
    ] = "1d",
) -> int:
    """Every fire time that was due, against what happened to it: none missing, none twice, or a list.

    What was due is computed anew, from the definitions that were in force. Each fire time has to have its run, or a
    decision that says why there is none. Ends with 1 where one has neither, or both, or where a run has a fire time
    at which nothing was due.
    """
    from jobrunner.presentation import answers_json, verification

    call = Call.of(ctx)
    with call.admin() as admin:
        found = admin.verify(instants.since(since, admin.zone(None)))
        times = call.times(admin)
    if call.json:
        output.write_json(answers_json.verification(found))
    else:
        output.write_lines(verification.verification(found, call.screen(), times))
    return 0 if found.sound else 1


def _answer(admin: "Admin", target: str, at: str | None) -> "Answer":
    if not ids.looks_like_run(target):
        return admin.why_job(target, instants.instant("--at", at, admin.zone(target)))
    if at is not None:
        raise UsageError("--at is about the fire times of a job", hint="name the job")
    return admin.why_run(ids.run_id(target))
