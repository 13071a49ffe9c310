"""``trigger`` and ``submit``: create a run, or a batch of them, and wait for it where that is asked for."""

import os
from typing import TYPE_CHECKING, Annotated, Any

import typer

from jobrunner.cli import output
from jobrunner.cli.completion import job_names, run_ids
from jobrunner.cli.verb import Call, verb
from jobrunner.errors import UsageError

if TYPE_CHECKING:
    from jobrunner.admin import Admin
    from jobrunner.cli.waiting import Wait
    from jobrunner.domain.trigger import BatchTriggered, Triggered, TriggerOptions

Delay = Annotated[str | None, typer.Option("--delay", metavar="D", help="Not before this long from now: 90s, 1h30m.")]
At = Annotated[str | None, typer.Option("--at", metavar="T", help="Not before then: 2026-12-01 06:00, tomorrow 06:00.")]
QueueName = Annotated[str | None, typer.Option("--queue", metavar="Q", help="Another queue than the job's.")]
Priority = Annotated[
    int | None,
    typer.Option("--priority", metavar="N", min=-100, max=100, help="Higher first (default: as the job says)."),
]
Retries = Annotated[
    int | None,
    typer.Option(
        "--retries", metavar="N", min=0, max=1_000_000, help="Attempts after the first (default: as the job says)."
    ),
]
After = Annotated[
    list[str] | None,
    typer.Option(
        "--after", metavar="RUN", help="When this run has succeeded; repeat for all of more.", autocompletion=run_ids
    ),
]
WaitFlag = Annotated[bool, typer.Option("--wait", help="Wait for the end; print the result.")]
FollowFlag = Annotated[bool, typer.Option("--follow", help="Wait for the end; print the output as it comes.")]
Timeout = Annotated[
    str | None, typer.Option("--timeout", metavar="D", help="Wait no longer than this (status 4); the run goes on.")
]


@verb(
    examples="""
    jobrunner trigger backup
    jobrunner trigger report -p month=2026-10 --wait
    jobrunner trigger report --like 1042 -p month=2026-11
    jobrunner trigger reminder -p id=7 --at 'tomorrow 06:00'
    jobrunner trigger ledger --after 1042 --follow
    jobrunner trigger invoice --each ids.txt --then summary
    """
)
def trigger(
    ctx: typer.Context,
    job: Annotated[str, typer.Argument(metavar="JOB", help="A job of the file.", autocompletion=job_names)],
    param: Annotated[
        list[str] | None, typer.Option("--param", "-p", metavar="K=V", help="A parameter; repeat for more.")
    ] = None,
    like: Annotated[
        str | None,
        typer.Option("--like", metavar="RUN", help="With the parameters of this run.", autocompletion=run_ids),
    ] = None,
    delay: Delay = None,
    at: At = None,
    queue: QueueName = None,
    priority: Priority = None,
    retries: Retries = None,
    after: After = None,
    wait: WaitFlag = False,
    follow: FollowFlag = False,
    timeout: Timeout = None,
    each: Annotated[
        str | None,
        typer.Option(
            "--each",
            metavar="FILE",
            help="A batch, all or nothing: a run for every line of FILE (-: standard input) that is not empty; a line "
            "is a JSON object of parameters, or the value of the only one.",
        ),
    ] = None,
    then: Annotated[
        str | None,
        typer.Option("--then", metavar="JOB", help="After the batch, if all succeeded.", autocompletion=job_names),
    ] = None,
    then_on_failure: Annotated[
        str | None,
        typer.Option(
            "--then-on-failure", metavar="JOB", help="After the batch, if some did not.", autocompletion=job_names
        ),
    ] = None,
) -> int:
    """Create a run of a job and print its id.

    With --wait the result is printed instead and the status tells how it ended; Ctrl-C ends the wait, not the run.
    With --each a batch is created, and its id is printed.
    """
    from jobrunner.cli import ids, items

    call = Call.of(ctx)
    given = items.params(param or ())
    waiting = _wait(wait, follow, timeout)
    if each is None and (then or then_on_failure):
        raise UsageError("--then and --then-on-failure need --each", hint="for one run use --after")
    if each is not None:
        _check_batch(given, like, follow)
        found = items.each(each)
    with call.admin(warn=False) as admin:
        options = _options(admin, job, delay, at, queue, priority, retries, after)
        if each is not None:
            batch = admin.trigger_batch(
                job, found, texts=True, name=None, then=then, then_on_failure=then_on_failure, options=options
            )
            return _answer_batch(call, admin, batch, waiting)
        source = ids.run_id(like) if like is not None else None
        triggered = admin.trigger(job, given, texts=True, like=source, options=options)
        return _answer(call, admin, triggered, waiting)


@verb(
    positional=True,
    examples="""
    jobrunner submit -- rsync -a /srv/ /backup/
    jobrunner submit --delay 2h --retries 3 -- ./import.sh march.csv
    jobrunner submit --follow -- make test
    """,
)
def submit(
    ctx: typer.Context,
    argv: Annotated[list[str], typer.Argument(metavar="PROG [ARG]...", help="The program and its arguments.")],
    cwd: Annotated[
        str | None, typer.Option("--cwd", metavar="DIR", help="Where the program starts (default: here).")
    ] = None,
    run_timeout: Annotated[
        str | None, typer.Option("--run-timeout", metavar="D", help="End the program after this long.")
    ] = None,
    delay: Delay = None,
    at: At = None,
    queue: Annotated[str | None, typer.Option("--queue", metavar="Q", help="Which queue (default: default).")] = None,
    priority: Priority = None,
    retries: Retries = None,
    after: After = None,
    wait: WaitFlag = False,
    follow: FollowFlag = False,
    timeout: Timeout = None,
) -> int:
    """Run a program once, as a run like any other: queued, retried, kept, with its output. Prints the run's id.

    It runs on a server, as the server's user, with the server's environment.
    """
    from jobrunner.cli import instants

    call = Call.of(ctx)
    waiting = _wait(wait, follow, timeout)
    _check_utf8(*argv, cwd or "")
    limit = instants.duration("--run-timeout", run_timeout)
    with call.admin(warn=False) as admin:
        options = _options(admin, None, delay, at, queue, priority, retries, after)
        triggered = admin.submit(argv, cwd=os.path.abspath(cwd or "."), timeout=limit, options=options)
        return _answer(call, admin, triggered, waiting)


def _wait(wait: bool, follow: bool, timeout: str | None) -> "Wait | None":
    """Whether and how to stay; None to leave at once."""
    from jobrunner.cli import instants

    limit = instants.duration("--timeout", timeout)
    if not (wait or follow):
        if limit is not None:
            raise UsageError("--timeout needs --wait or --follow", hint="the run's own timeout is a key of the job")
        return None
    from jobrunner.cli.waiting import Wait

    return Wait(result=wait, follow=follow, timeout=limit)


def _check_utf8(*words: str) -> None:
    """What the store keeps is text: a word of other bytes could not be given back as it was."""
    for word in words:
        try:
            word.encode()
        except UnicodeEncodeError:
            raise UsageError(f"not UTF-8: {word!r}", hint="write such arguments in a script, and submit that") from None


def _check_batch(given: dict[str, str], like: str | None, follow: bool) -> None:
    for option, present in (("--param", bool(given)), ("--like", like is not None), ("--follow", follow)):
        if present:
            raise UsageError(f"--each and {option} exclude each other", hint="every line says its parameters")


def _options(
    admin: "Admin",
    job: str | None,
    delay: str | None,
    at: str | None,
    queue: str | None,
    priority: int | None,
    retries: int | None,
    after: list[str] | None,
) -> "TriggerOptions":
    from jobrunner.cli import ids, instants
    from jobrunner.domain.trigger import TriggerOptions

    if delay is not None and at is not None:
        raise UsageError("--delay and --at exclude each other", hint="give one of them")
    values: dict[str, Any] = {"queue": queue, "priority": priority, "retries": retries}
    values["delay"] = instants.duration("--delay", delay)
    values["at"] = instants.instant("--at", at, admin.zone(job)) if at is not None else None
    values["after"] = tuple(ids.run_id(text) for text in after or ())
    return TriggerOptions(**values)


def _answer(call: Call, admin: "Admin", triggered: "Triggered", waiting: "Wait | None") -> int:
    say_who_serves(admin, triggered.queue)
    if triggered.existing:
        output.say(f"run {triggered.id} is there already, and unique")
    if waiting:
        from jobrunner.cli.waiting import wait_for_run

        return wait_for_run(call, admin, triggered, waiting)
    if call.json:
        from jobrunner.presentation import json

        output.write_json(json.triggered(admin.run(triggered.id), existing=triggered.existing))
    else:
        output.write(str(triggered.id))
    return 0


def _answer_batch(call: Call, admin: "Admin", triggered: "BatchTriggered", waiting: "Wait | None") -> int:
    say_who_serves(admin, triggered.queue)
    if waiting:
        from jobrunner.cli.waiting import wait_for_batch

        return wait_for_batch(call, admin, triggered, waiting)
    if call.json:
        from jobrunner.presentation import json

        output.write_json(json.batch_triggered(triggered))
    else:
        output.write(f"b{triggered.id}")
    return 0


def say_who_serves(admin: "Admin", queue: str) -> None:
    """Tells a person whose run would wait for a server."""
    if not admin.served(queue):
        output.say(f"no server serves the queue {queue!r} now; it waits for one (`jobrunner run`)")
