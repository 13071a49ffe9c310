"""``retry``, ``cancel``, ``discard``, ``pause``, ``resume``: what a person does to runs, jobs and queues."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from jobrunner.cli import ids, instants, output
from jobrunner.cli.completion import job_names, run_ids
from jobrunner.cli.verb import Call, verb
from jobrunner.domain.clock import SystemClock
from jobrunner.errors import NotFound, Refused, UsageError

if TYPE_CHECKING:
    from jobrunner.domain.bulk import Did
    from jobrunner.domain.queue import Pause
    from jobrunner.domain.run import Run

Targets = Annotated[
    list[str] | None,
    typer.Argument(metavar="RUN|BATCH...", help="Runs (1042) and batches (b7).", autocompletion=run_ids),
]
Job = Annotated[str | None, typer.Argument(metavar="[JOB]", help="A job.", autocompletion=job_names)]
Queue = Annotated[str | None, typer.Option("--queue", metavar="Q", help="A queue: its runs are not started.")]
Everything = Annotated[bool, typer.Option("--all", help="Everything.")]


@verb(
    examples="""
    jobrunner retry 1042 1043
    jobrunner retry b7
    jobrunner retry --dead --job backup
    jobrunner retry --dead --canary    # one first, the rest if it succeeds
    """
)
def retry(
    ctx: typer.Context,
    targets: Targets = None,
    dead: Annotated[bool, typer.Option("--dead", help="All dead letters.")] = False,
    job: Annotated[
        list[str] | None,
        typer.Option("--job", metavar="J", help="With --dead: of this job; repeat for more.", autocompletion=job_names),
    ] = None,
    canary: Annotated[
        bool, typer.Option("--canary", help="One first; the others, as they are now, if it succeeds.")
    ] = False,
) -> int:
    """Give failed or cancelled runs further attempts, at once. Of a batch: those that failed.

    A run that succeeded is repeated as a new one: jobrunner trigger JOB --like RUN. With --canary the command waits
    for the first run, and ends with 1 if that does not succeed: the others are then left as they were.
    """
    call = Call.of(ctx)
    if bool(targets) == dead:
        raise UsageError("nothing to retry" if not dead else "RUN and --dead exclude each other", hint=_RETRY)
    if job and not dead:
        raise UsageError("--job needs --dead", hint=_RETRY)
    with call.admin() as admin:
        if canary:
            from jobrunner.cli.canary import retry_canary

            return retry_canary(call, admin, targets or [], tuple(job or ()))
        if dead:
            changed = admin.retry_dead(tuple(job or ()))
            _report(call, changed)
            _say_if_none(changed, "no dead letters")
            return 0
        return _each(call, targets or [], admin.retry_each, admin.retry_batch)


@verb(examples="jobrunner cancel 1042\njobrunner cancel b7\njobrunner cancel 1042 --now    # SIGKILL, no grace")
def cancel(
    ctx: typer.Context,
    targets: Targets = None,
    now: Annotated[bool, typer.Option("--now", help="Kill at once, without kill_grace.")] = False,
) -> int:
    """Stop or withdraw runs. Of a batch: those that have not ended.

    What has not started is cancelled at once; a running attempt gets SIGTERM, and after kill_grace SIGKILL.
    """
    call = Call.of(ctx)
    if not targets:
        raise UsageError("nothing to cancel", hint="name runs (1042) or batches (b7)")
    with call.admin() as admin:
        return _each(
            call,
            targets,
            lambda runs: admin.cancel_each(runs, now=now),
            lambda batch: admin.cancel_batch(batch, now=now),
        )


@verb(examples="jobrunner discard 1042\njobrunner runs --dead --json | jq .[].id | xargs jobrunner discard")
def discard(
    ctx: typer.Context,
    targets: Annotated[list[str], typer.Argument(metavar="RUN...", help="Runs, such as 1042.", autocompletion=run_ids)],
) -> int:
    """Take failed runs off the list of dead letters. They stay failed and are kept."""
    call = Call.of(ctx)
    with call.admin() as admin:
        return _each(call, targets, admin.discard_each, None)


@verb(
    examples="""
    jobrunner pause backup --for 2h --reason "disk migration"
    jobrunner pause --queue low
    jobrunner pause --all
    """
)
def pause(
    ctx: typer.Context,
    job: Job = None,
    queue: Queue = None,
    everything: Everything = False,
    for_: Annotated[
        str | None, typer.Option("--for", metavar="D", help="Resume by itself after this long (default: never).")
    ] = None,
    reason: Annotated[str, typer.Option("--reason", metavar="TEXT", help="Why, for whoever asks.")] = "",
) -> int:
    """Hold a job, a queue, or everything: nothing of it fires and nothing starts. Running attempts go on."""
    from jobrunner.presentation import json

    call = Call.of(ctx)
    scope, name = _held(job, queue, everything)
    length = instants.duration("--for", for_)
    until = SystemClock().now() + length if length is not None else None
    with call.admin() as admin:
        held = admin.pause(scope, name, until=until, reason=reason)
        if call.json:
            output.write_json(json.pause(held))
        else:
            output.say(_paused(held, call, admin.zone(name if scope == "job" else None)))
    return 0


@verb(examples="jobrunner resume backup\njobrunner resume --queue low\njobrunner resume --all")
def resume(ctx: typer.Context, job: Job = None, queue: Queue = None, everything: Everything = False) -> int:
    """End the pause of a job, a queue, or of everything. What did not fire meanwhile is not caught up."""
    call = Call.of(ctx)
    scope, name = _held(job, queue, everything)
    with call.admin() as admin:
        was_paused = admin.resume(scope, name)
    if call.json:
        output.write_json({"scope": scope, "name": name, "was_paused": was_paused})
    else:
        output.say(f"{_called(scope, name)} {'goes on' if was_paused else 'was not paused'}")
    return 0


_RETRY = "name runs (1042) or batches (b7), or use --dead, with --job for those of one job"


def _each(
    call: Call,
    targets: Sequence[str],
    act: "Callable[[Sequence[int]], list[Did]]",
    act_on_batch: "Callable[[int], list[Run]] | None",
) -> int:
    """Does the same to every target, each done or refused by itself, in order; the status is the worst."""
    changed: list[Run] = []
    status, run_ids = 0, list[int]()

    def flush() -> int:
        did = act(run_ids) if run_ids else []
        run_ids.clear()
        return report_each(call, did, changed)

    for target in targets:
        try:
            run, batch = ids.run_or_batch(target) if act_on_batch else (ids.run_id(target), None)
            if run is not None:
                run_ids.append(run)
                continue
            status = max(status, flush())
            assert act_on_batch
            assert batch is not None
            done = act_on_batch(batch)
            _say_if_none(done, f"nothing to do in {target}")
        except (NotFound, Refused) as error:
            status = max(status, flush())
            output.say_error(error)
            status = max(status, error.exit_status)
        else:
            changed += done
            _report(call, done, at_once=True)
    status = max(status, flush())
    if call.json:
        _report(call, changed)
    return status


def report_each(call: Call, did: "Sequence[Did]", changed: "list[Run]") -> int:
    """Says what came of each run and adds those that were changed; gives the worst status."""
    for each in did:
        if each.error is not None:
            output.say_error(each.error)
        elif each.run is not None:
            changed.append(each.run)
            _report(call, [each.run], at_once=True)
    return max((each.error.exit_status for each in did if each.error is not None), default=0)


def _report(call: Call, changed: "Sequence[Run]", *, at_once: bool = False) -> None:
    from jobrunner.presentation import json
    from jobrunner.presentation.sanitise import plain

    if call.json:
        if not at_once:
            output.write_json([json.run(run) for run in changed])
        return
    for run in changed:
        state = "being cancelled" if run.cancelling and not run.state.final else run.state.value
        output.write(plain(f"{run.id} {run.job} {state}"))


def _say_if_none(changed: "Sequence[Run]", message: str) -> None:
    if not changed:
        output.say(message)


def _held(job: str | None, queue: str | None, everything: bool) -> tuple[str, str]:
    """The scope and name of what is to be held; exactly one must be given."""
    given = [("job", job)] * (job is not None) + [("queue", queue)] * (queue is not None) + [("all", "")] * everything
    if len(given) != 1:
        said = "nothing named" if not given else "more than one thing named"
        raise UsageError(said, hint="give exactly one of JOB, --queue Q and --all")
    scope, name = given[0]
    return scope, name or ""


def _called(scope: str, name: str) -> str:
    return "everything" if scope == "all" else f"{scope} {name}"


def _paused(held: "Pause", call: Call, zone: object) -> str:
    from datetime import tzinfo

    from jobrunner.presentation.times import absolute

    assert isinstance(zone, tzinfo)
    until = f" until {absolute(held.until, zone)}" if held.until else ""
    word = {"job": held.name, "queue": f"--queue {held.name}", "all": "--all"}[held.scope]
    return f"{_called(held.scope, held.name)} is paused{until}; to end it: jobrunner resume {word}"
