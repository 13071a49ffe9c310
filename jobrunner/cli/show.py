"""``show`` and ``logs``: one thing, whole."""

from collections import deque
from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from jobrunner.cli import ids, output
from jobrunner.cli.completion import jobs_and_runs, run_ids
from jobrunner.cli.streaming import stream
from jobrunner.cli.verb import Call, verb

if TYPE_CHECKING:
    from jobrunner.admin import Admin
    from jobrunner.domain.status import OutputPart

_MEMBERS = 20


@verb(examples="jobrunner show backup\njobrunner show 1042\njobrunner show b7\njobrunner show 1042 --json | jq .result")
def show(
    ctx: typer.Context,
    target: Annotated[
        str, typer.Argument(metavar="JOB|RUN|BATCH", help="A name, 1042, or b7.", autocompletion=jobs_and_runs)
    ],
) -> int:
    """One job, run or batch, whole: its state, parameters, attempts, result."""
    call, batch = Call.of(ctx), ids.batch_id(target)
    with call.admin(warn=batch is not None or ids.looks_like_run(target)) as admin:
        if batch is not None:
            _show_batch(call, admin, batch)
        elif ids.looks_like_run(target):
            _show_run(call, admin, ids.run_id(target))
        else:
            _show_job(call, admin, target)
    return 0


@verb(
    examples="""
    jobrunner logs 1042
    jobrunner logs -f 1042                 # until the run ends
    jobrunner logs 1042 --tail 20 --stream stderr
    jobrunner logs 1042 > output.bin       # byte for byte
    """
)
def logs(
    ctx: typer.Context,
    run: Annotated[str, typer.Argument(metavar="RUN", help="A run, such as 1042.", autocompletion=run_ids)],
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on until the run ends.")] = False,
    attempt: Annotated[
        int | None, typer.Option("--attempt", metavar="N", min=1, help="Of this attempt (default: the last).")
    ] = None,
    tail: Annotated[int | None, typer.Option("--tail", metavar="N", min=0, help="Only the last N lines.")] = None,
    stream_: Annotated[
        Literal["stdout", "stderr"] | None,
        typer.Option("--stream", metavar="stdout|stderr", help="Only this stream (default: both, in order)."),
    ] = None,
) -> int:
    """The output of a run. On a terminal control sequences other than colours are shown, not obeyed."""
    call, number = Call.of(ctx), ids.run_id(run)
    with call.admin() as admin:
        call.stay(admin)
        if follow:
            parts = _follow(admin, number, tail, attempt, stream_)
        elif tail is not None:
            parts = admin.tail(number, tail, attempt=attempt, stream=stream_)
        else:
            parts = admin.output(number, attempt=attempt, stream=stream_)
        if not stream(parts, as_json=call.json) and tail != 0:
            _explain_silence(admin, number)
    return 0


def _show_run(call: Call, admin: "Admin", number: int) -> None:
    from jobrunner.presentation import changes, details, json

    run = admin.run(number)
    ran = admin.ran(run)
    if call.json:
        output.write_json(json.run_whole(run) | changes.ran_json(ran))
    else:
        output.write_lines(details.run(run, ran, call.screen(), call.times(admin, run.job)))


def _show_job(call: Call, admin: "Admin", name: str) -> None:
    from jobrunner.presentation import details, json

    status = admin.job(name)
    if call.json:
        output.write_json(json.job_whole(status))
    else:
        output.write_lines(details.job(status, call.screen(), call.times(admin, name)))


def _show_batch(call: Call, admin: "Admin", number: int) -> None:
    from jobrunner.domain.filter import RunFilter
    from jobrunner.presentation import details, json

    batch = admin.batch(number)
    if call.json:
        output.write_json(json.batch(batch))
        return
    members = admin.runs(RunFilter(batch=number, limit=_MEMBERS))
    output.write_lines(details.batch(batch, members, call.screen(), call.times(admin)))
    if batch.total > len(members):
        output.say(f"the newest {len(members)} of {batch.total} runs")


def _follow(
    admin: "Admin", number: int, lines: int | None, attempt: int | None, stream_: str | None
) -> "Iterator[OutputPart]":
    """The last lines (None: all) of the last attempt, then what comes after them: nothing is lost or doubled.

    ``admin.follow`` begins with the first attempt; what was there when this began is read once and passed over there.
    """
    seen = 0
    ending: deque[OutputPart] = deque()
    for each in [attempt] if attempt else range(1, admin.run(number).attempt + 1):
        ending = deque(admin.output(number, attempt=each, stream=stream_))
        seen += sum(len(part.data) for part in ending)
    yield from ending if lines is None else _last_lines(ending, lines)
    for part in admin.follow(number, attempt=attempt, stream=stream_):
        if not seen:
            yield part
        elif seen < len(part.data):
            yield _from(part, seen)
            seen = 0
        else:
            seen -= len(part.data)


def _last_lines(parts: "deque[OutputPart]", lines: int) -> "list[OutputPart]":
    """The end of the parts that begins ``lines`` lines before the end; a last line without a newline counts."""
    kept: list[OutputPart] = []
    missing, last = lines, True
    while parts and missing > 0:
        part = parts.pop()
        end = len(part.data) - 1 if last and part.data.endswith(b"\n") else len(part.data)
        last = last and not part.data
        while missing > 0 and (end := part.data.rfind(b"\n", 0, end)) >= 0:
            missing -= 1
        kept.append(_from(part, end + 1 if missing == 0 else 0))
    return kept[::-1]


def _from(part: "OutputPart", offset: int) -> "OutputPart":
    return part._replace(data=part.data[offset:])


def _explain_silence(admin: "Admin", number: int) -> None:
    run = admin.run(number)
    if run.attempt == 0:
        output.say(f"run {number} has not started: it is {run.state}")
    else:
        output.say(f"run {number} has printed nothing" + ("" if run.state.final else " yet"))
