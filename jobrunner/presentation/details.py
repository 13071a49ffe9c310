"""One job, run, batch or expression, whole: fields, then sections. Used by ``show`` and ``explain``."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import Any

from jobrunner.domain.batch import Batch
from jobrunner.domain.change import Ran
from jobrunner.domain.duration import format_duration
from jobrunner.domain.job import Command, HttpRequest, Job, Kind, PythonCall, RetryPolicy
from jobrunner.domain.params import Param
from jobrunner.domain.queue import Pause
from jobrunner.domain.run import Run
from jobrunner.domain.state import RunState
from jobrunner.domain.status import Explanation, JobStatus
from jobrunner.presentation import changes, lists
from jobrunner.presentation.json import batch_name, submitted
from jobrunner.presentation.labels import BATCH_STATES, RUN_STATES, job_label
from jobrunner.presentation.sanitise import plain
from jobrunner.presentation.screen import Screen
from jobrunner.presentation.table import Cell
from jobrunner.presentation.times import Times, absolute, relative

Field = tuple[str, "Cell | str | None"]
"""A label and what stands behind it; None and the empty text are left out."""


def run(value: Run, ran: Ran, screen: Screen, times: Times) -> Iterator[str]:
    """A run with its parameters, attempts, result and error; and what it ran, compared with the success before."""
    label = RUN_STATES[value.state]
    yield from fields(
        [
            ("run", str(value.id)),
            ("job", value.job),
            ("command", shlex.join(submitted(value) or ())),
            ("state", Cell(label.text(screen) + _cancelling(value), label.style)),
            ("waiting for", lists.note(value) if value.state is RunState.WAITING else None),
            ("trigger", value.trigger.value),
            ("queue", _queue(value.queue, value.priority)),
            ("batch", batch_name(value.batch_id)),
            ("after", ", ".join(map(str, value.parent_ids))),
            ("attempt", f"{value.attempt} of {value.max_attempts}"),
            ("created", times.full(value.created_at)),
            ("fire time", times.full(value.fire_time) if value.fire_time else None),
            ("due", None if value.state.final else times.full(value.run_after)),
            ("started", times.full(value.started_at) if value.started_at else None),
            ("finished", times.full(value.finished_at) if value.finished_at else None),
            ("took", lists.took(value.started_at, value.finished_at, times) if value.started_at else None),
            ("server", value.server),
            ("version", changes.version_run(value, ran)),
            ("exit status", None if value.exit_code is None else str(value.exit_code)),
            ("progress", lists.progress(value)),
            ("error", Cell(value.error, "red") if value.error else None),
            (
                "dead letter",
                f"yes; jobrunner retry {value.id}, or jobrunner discard {value.id}" if value.dead else None,
            ),
        ],
        screen,
    )
    yield from _section("parameters", [(name, compact(given)) for name, given in value.params.items()], screen)
    if value.result is not None:
        yield from _section("result", [("", compact(value.result))], screen)
    yield from changes.since_success(ran, screen)
    if value.attempts:
        yield from ("", screen.paint("attempts", "bold"))
        yield from lists.attempts(value.attempts, screen, times)


def job(value: JobStatus, screen: Screen, times: Times) -> Iterator[str]:
    """A job: its definition, how it stands, what it takes."""
    definition, label = value.job, job_label(value)
    last = value.last_run
    yield from fields(
        [
            ("job", definition.name),
            ("description", definition.description),
            ("state", Cell(label.text(screen), label.style)),
            ("paused", _pause(value.pause, times)),
            (
                "last run",
                f"{last.id}, {last.state}, {times.full(last.started_at or last.created_at)}" if last else None,
            ),
            ("next fire", times.full(value.next_fire) if value.next_fire else None),
            *_what(definition.kind),
            *_schedule(definition),
            ("after", f"{', '.join(definition.after.jobs)} ({definition.after.when})" if definition.after else None),
            ("queue", _queue(definition.queue, definition.priority)),
            ("retries", _retries(definition.retry)),
            ("timeout", _duration(definition.timeout)),
            ("expires", _duration(definition.expires)),
            ("overlap", definition.overlap.value),
            ("folder", definition.folder),
            ("env", ", ".join(sorted(definition.env))),
            ("tags", ", ".join(definition.tags)),
        ],
        screen,
    )
    yield from _section("parameters", [(param.name, _param(param)) for param in definition.params], screen)


def batch(value: Batch, members: Sequence[Run], screen: Screen, times: Times) -> Iterator[str]:
    """A batch with its newest members."""
    label = BATCH_STATES[value.state]
    yield from fields(
        [
            ("batch", batch_name(value.id)),
            ("name", value.name),
            ("state", Cell(label.text(screen), label.style)),
            ("runs", str(value.total)),
            ("succeeded", str(value.succeeded)),
            ("failed", Cell(str(value.failed), "bold red" if value.failed else "")),
            ("other", str(value.other)),
            ("created", times.full(value.created_at)),
            ("finished", times.full(value.finished_at) if value.finished_at else None),
        ],
        screen,
    )
    if members:
        yield ""
        yield from lists.runs(members, screen, times)


def explanation(value: Explanation, screen: Screen, times: Times) -> Iterator[str]:
    """An expression in words, what is tricky about it, and when it fires next."""
    yield from fields(
        [("expression", value.expression), ("means", value.description), ("timezone", value.timezone)], screen
    )
    yield from (screen.paint(f"note: {plain(note)}", "yellow") for note in value.notes)
    if value.next:
        yield from ("", screen.paint("next", "bold"))
    for instant in value.next:
        distance = f"  {relative(instant, times.now)}" if times.relative else ""
        yield f"  {absolute(instant, instant.tzinfo or times.zone)}{screen.paint(distance, 'dim')}"


def fields(rows: Sequence[Field], screen: Screen, *, indent: int = 0) -> Iterator[str]:
    """Labels in a column, what they label behind them; the absent ones are left out."""
    shown = [(name, cell if isinstance(cell, Cell) else Cell(cell)) for name, cell in rows if cell]
    width = max((len(plain(name)) for name, _ in shown), default=0)
    for name, cell in shown:
        label = screen.paint(f"{plain(name):<{width}}", "dim") + "  " if width else ""
        yield " " * indent + label + screen.paint(plain(cell.text), cell.style)


def compact(value: Any) -> str:
    """A JSON value on one line; texts as they are."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _section(title: str, rows: Sequence[Field], screen: Screen) -> Iterator[str]:
    if rows:
        yield from ("", screen.paint(title, "bold"))
        yield from fields(rows, screen, indent=2)


def _cancelling(value: Run) -> str:
    return ", being cancelled" if value.cancelling and not value.state.final else ""


def _queue(name: str, priority: int) -> str:
    return f"{name}, priority {priority}" if priority else name


def _pause(value: Pause | None, times: Times) -> str | None:
    if value is None:
        return None
    until = f" until {times.full(value.until)}" if value.until else ""
    reason = f": {value.reason}" if value.reason else ""
    return f"by {value.who} since {times.full(value.since)}{until}{reason}"


def _what(kind: Kind) -> list[Field]:
    match kind:
        case Command(argv=None):
            return [("command", kind.line), ("shell", None if kind.shell == "/bin/sh" else kind.shell)]
        case Command():
            return [("command", json.dumps(kind.argv, ensure_ascii=False))]
        case PythonCall():
            return [("python", kind.target)]
        case HttpRequest():
            return [("http", f"{kind.method} {kind.url}")]


def _schedule(definition: Job) -> list[Field]:
    return [
        ("schedule", f"{spec.expression} ({spec.timezone or definition.timezone})") for spec in definition.schedules
    ]


def _retries(policy: RetryPolicy) -> str | None:
    if not policy.retries:
        return None
    if policy.delays:
        return f"{policy.retries}, after {', '.join(format_duration(delay) for delay in policy.delays)}"
    first, most = format_duration(policy.delay), format_duration(policy.max_delay)
    return f"{policy.retries}, after {first} x {policy.backoff:g}, at most {most}"


def _duration(value: timedelta | None) -> str | None:
    return None if value is None else format_duration(value)


def _param(value: Param) -> str:
    said = [value.type.value]
    if value.required:
        said.append("required")
    if value.has_default:
        said.append("default " + ("***" if value.secret else compact(value.default)))
    if value.choices:
        said.append("one of " + ", ".join(compact(choice) for choice in value.choices))
    if value.secret:
        said.append("secret")
    text = ", ".join(said)
    return f"{text}: {value.description}" if value.description else text
