"""What ``--wait`` and ``--follow`` do after a run or a batch was created: the wait ends, the run goes on."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING, Any, NamedTuple

import typer

from jobrunner.cli import output
from jobrunner.errors import ResultTimeout

if TYPE_CHECKING:
    from jobrunner.admin import Admin
    from jobrunner.cli.verb import Call
    from jobrunner.domain.batch import Batch
    from jobrunner.domain.run import Run
    from jobrunner.domain.trigger import BatchTriggered, Triggered


_AGAIN_SECONDS = 0.2


class Wait(NamedTuple):
    """How long to stay: ``result`` prints the result at the end, ``follow`` the output meanwhile; None: no limit."""

    result: bool
    follow: bool
    timeout: timedelta | None


def wait_for_run(call: Call, admin: Admin, triggered: Triggered, wait: Wait) -> int:
    """Waits for a run, prints what was asked for, and gives back 0 if it succeeded, 1 if not, 4 if it took too long."""
    number = triggered.id
    call.stay(admin)
    try:
        with _interrupted(f"run {number} goes on; to see it: jobrunner logs -f {number}"):
            output.say(f"run {number} of {triggered.job}")
            final = _follow(call, admin, number, wait) if wait.follow else admin.wait(number, wait.timeout)
    except ResultTimeout as error:
        output.say_error(error)
        if call.json:
            _print_run(admin.run(number), triggered, wait)
        return error.exit_status
    output.say(_end(final))
    if call.json:
        _print_run(final, triggered, wait)
    elif wait.result:
        _print_result(final.result)
    return 0 if final.state == "succeeded" else 1


def wait_for_batch(call: Call, admin: Admin, batch: BatchTriggered, wait: Wait) -> int:
    """Waits for a batch; prints the results of its runs in their order, one a line, if there are any."""
    name = f"b{batch.id}"
    call.stay(admin)
    try:
        with _interrupted(f"batch {name} goes on; to see it: jobrunner show {name}"):
            output.say(f"batch {name}: {batch.total} runs")
            final = admin.wait_batch(batch.id, wait.timeout)
    except ResultTimeout as error:
        output.say_error(error)
        if call.json:
            _print_batch(admin.batch(batch.id))
        return error.exit_status
    output.say(f"batch {name} {final.state}: {final.succeeded} succeeded, {final.failed} failed, {final.other} other")
    if call.json:
        _print_batch(final)
    else:
        _print_results(admin, final)
    return 0 if final.state == "succeeded" else 1


def _follow(call: Call, admin: Admin, number: int, wait: Wait) -> Run:
    from jobrunner.cli.streaming import stream

    with _alarm(wait.timeout, number):
        stream(admin.follow(number), as_json=call.json)
        return admin.wait(number, None)


@contextmanager
def _alarm(timeout: timedelta | None, number: int) -> Iterator[None]:
    """Ends a blocking read of output after the timeout, wherever it is."""
    if timeout is None:
        yield
        return

    def expire(*_: object) -> None:
        from jobrunner.domain.duration import format_duration

        raise ResultTimeout(f"run {number} has not ended within {format_duration(timeout)}", hint="it goes on")

    previous = signal.signal(signal.SIGALRM, expire)
    signal.setitimer(signal.ITIMER_REAL, max(timeout.total_seconds(), 1e-6))
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, previous)


@contextmanager
def _interrupted(message: str) -> Iterator[None]:
    again: threading.Timer | None = None

    def interrupt(number: int, _: object) -> None:
        # Python drops what is raised while a finalizer runs: then it is raised once more.
        nonlocal again
        again = threading.Timer(_AGAIN_SECONDS, os.kill, (os.getpid(), number))
        again.daemon = True
        again.start()
        raise KeyboardInterrupt

    previous = signal.getsignal(signal.SIGINT)
    if previous is not signal.SIG_IGN:
        signal.signal(signal.SIGINT, interrupt)
    try:
        yield
    except KeyboardInterrupt:
        output.say(message)
        raise typer.Exit(130) from None
    finally:
        if again is not None:
            again.cancel()
        signal.signal(signal.SIGINT, previous)


def _end(run: Run) -> str:
    from jobrunner.presentation.json import seconds_between
    from jobrunner.presentation.times import elapsed

    seconds = seconds_between(run.started_at, run.finished_at)
    after = f" after {elapsed(seconds)}" if seconds is not None else ""
    error = f": {run.error}" if run.error and run.state != "succeeded" else ""
    return f"run {run.id} {run.state}{after}{error}"


def _print_run(run: Run, triggered: Triggered, wait: Wait) -> None:
    """The run as JSON; behind a stream of output it is the stream's last line."""
    from jobrunner.presentation import json

    printer = output.write_json_line if wait.follow else output.write_json
    printer(json.triggered(run, existing=triggered.existing))


def _print_batch(batch: Batch) -> None:
    from jobrunner.presentation import json

    output.write_json(json.batch(batch))


def _print_result(result: Any) -> None:
    """A text as it is, anything else as JSON on one line, nothing where there is no result."""
    if result is not None:
        output.write(_shown(result))


def _print_results(admin: Admin, batch: Batch) -> None:
    from jobrunner.domain.filter import RunFilter

    members = sorted(admin.runs(RunFilter(batch=batch.id, limit=0)), key=lambda run: run.id)
    if any(run.result is not None for run in members):
        output.write_lines(_shown(run.result) for run in members)


def _shown(result: Any) -> str:
    from jobrunner.presentation.details import compact

    text = compact(result)
    if not sys.stdout.isatty():
        return text
    from jobrunner.presentation.sanitise import TerminalFilter

    safe = TerminalFilter()
    return safe.feed(text.encode("utf-8", "surrogatepass")) + safe.end()
