"""What each list shows: its columns, and a value as a row. Used by the list commands and inside details."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from datetime import datetime

from jobrunner.domain.audit import AuditEntry
from jobrunner.domain.backfill import Backfill
from jobrunner.domain.batch import Batch
from jobrunner.domain.queue import QueueStatus
from jobrunner.domain.run import Attempt, Run
from jobrunner.domain.server import Server, configurations, odd_configurations
from jobrunner.domain.size import format_size
from jobrunner.domain.state import RunState
from jobrunner.domain.status import Fire, JobStatus
from jobrunner.presentation.json import batch_name, seconds_between
from jobrunner.presentation.labels import (
    BATCH_STATES,
    DIFFERS,
    OPEN,
    OUTCOMES,
    PAUSED,
    REFUSED,
    RUN_STATES,
    SERVER_STATES,
    Label,
    job_label,
)
from jobrunner.presentation.screen import Screen
from jobrunner.presentation.table import Cell, Column, Row, render
from jobrunner.presentation.times import Times, absolute, elapsed, relative

Lines = Iterator[str]

_RUN_COLUMNS = (
    Column(title="ID", right=True),
    Column(title="STATE"),
    Column(title="JOB", minimum=12),
    Column(title="WHEN", right=True),
    Column(title="TOOK", right=True, leaves=6),
    Column(title="TRY", right=True, leaves=5),
    Column(title="EXIT", right=True, leaves=3),
    Column(title="TRIGGER", leaves=2),
    Column(title="QUEUE", leaves=1),
    Column(title="NOTE", minimum=12, leaves=4),
)
_JOB_COLUMNS = (
    Column(title="NAME", minimum=14),
    Column(title="STATE"),
    Column(title="SCHEDULE", minimum=12, leaves=6),
    Column(title="NEXT", right=True),
    Column(title="LAST", right=True),
    Column(title="TOOK", right=True, leaves=5),
    Column(title="QUEUE", leaves=3),
    Column(title="TAGS", minimum=6, leaves=2),
    Column(title="DESCRIPTION", minimum=16, leaves=1),
)
_QUEUE_COLUMNS = (
    Column(title="NAME", minimum=10),
    Column(title="STATE"),
    Column(title="QUEUED", right=True),
    Column(title="RUNNING", right=True),
    Column(title="WAITING", right=True, leaves=4),
    Column(title="SCHEDULED", right=True, leaves=3),
    Column(title="RETRYING", right=True, leaves=2),
    Column(title="OLDEST", right=True),
    Column(title="MAX", right=True, leaves=1),
)
_SERVER_COLUMNS = (
    Column(title="NAME", minimum=10),
    Column(title="STATE"),
    Column(title="HOST", minimum=8, leaves=5),
    Column(title="PID", right=True, leaves=4),
    Column(title="BUSY", right=True),
    Column(title="BEAT", right=True),
    Column(title="STARTED", right=True),
    Column(title="QUEUES", minimum=12),
    Column(title="CONFIG", leaves=2),
    Column(title="VERSION", leaves=1),
    Column(title="ID", right=True, leaves=3),
)
_BATCH_COLUMNS = (
    Column(title="ID", right=True),
    Column(title="STATE"),
    Column(title="NAME", minimum=12),
    Column(title="DONE", right=True),
    Column(title="SUCCEEDED", right=True, leaves=2),
    Column(title="FAILED", right=True),
    Column(title="OTHER", right=True, leaves=1),
    Column(title="CREATED", right=True),
    Column(title="FINISHED", right=True, leaves=3),
)
_AUDIT_COLUMNS = (
    Column(title="WHEN", right=True),
    Column(title="WHO", minimum=6),
    Column(title="HOST", minimum=6, leaves=1),
    Column(title="ACTION"),
    Column(title="TARGET", minimum=10),
    Column(title="OUTCOME", minimum=7),
    Column(title="DETAIL", minimum=12, leaves=2),
)
_ATTEMPT_COLUMNS = (
    Column(title="ATTEMPT", right=True),
    Column(title="OUTCOME"),
    Column(title="STARTED"),
    Column(title="TOOK", right=True),
    Column(title="EXIT", right=True),
    Column(title="MEMORY", right=True, leaves=1),
    Column(title="CPU", right=True, leaves=2),
    Column(title="SERVER", minimum=8, leaves=3),
    Column(title="ERROR", minimum=12, leaves=4),
)


def runs(values: Sequence[Run], screen: Screen, times: Times) -> Lines:
    """A table of runs. WHEN is when it started, else when it is due, else when it was created."""
    return render(_RUN_COLUMNS, [_run(value, screen, times) for value in values], screen)


def jobs(values: Sequence[JobStatus], screen: Screen, times: Times) -> Lines:
    """A table of jobs with how each stands and when it fires next."""
    return render(_JOB_COLUMNS, [_job(value, screen, times) for value in values], screen)


def queues(values: Sequence[QueueStatus], screen: Screen) -> Lines:
    return render(_QUEUE_COLUMNS, [_queue(value, screen) for value in values], screen)


def servers(values: Sequence[Server], screen: Screen, times: Times) -> Lines:
    """A table of servers. CONFIG is marked where others have another one, or the server refused a newer one."""
    odd = odd_configurations(values)
    return render(_SERVER_COLUMNS, [_server(value, odd, screen, times) for value in values], screen)


def remarks_on_servers(values: Sequence[Server]) -> Lines:
    """What a person has to know who looks at servers: which differ, and which go on with an older file."""
    by_hash = configurations(values)
    if len(by_hash) > 1:
        groups = ", ".join(
            f"{' and '.join(one.name for one in having)}: {digest}" for digest, having in by_hash.items()
        )
        yield f"the servers have different configurations ({groups}); give all the same file"
    for server in values:
        if server.live and server.config_error:
            yield f"server {server.name} goes on with an older file: {server.config_error}; see `jobrunner check`"


def batches(values: Sequence[Batch], screen: Screen, times: Times) -> Lines:
    return render(_BATCH_COLUMNS, [_batch(value, screen, times) for value in values], screen)


def audit(values: Sequence[AuditEntry], screen: Screen, times: Times) -> Lines:
    return render(_AUDIT_COLUMNS, [_audit(value, times) for value in values], screen)


def fires(values: Sequence[Fire], screen: Screen, times: Times) -> Lines:
    """A table of coming fires: the absolute time always, since that is what is asked for; on a terminal how far too."""
    columns = [Column(title="FIRES AT"), Column(title="JOB", minimum=12), Column(title="NOTE", minimum=12, leaves=1)]
    rows: list[Row] = [[absolute(value.at, times.zone), value.job, value.note] for value in values]
    if times.relative:
        columns.insert(1, Column(title="IN", right=True, leaves=2))
        rows = [[row[0], relative(value.at, times.now), *row[1:]] for row, value in zip(rows, values, strict=True)]
    if not any(value.note for value in values):
        columns, rows = columns[:-1], [row[:-1] for row in rows]
    return render(columns, rows, screen)


def backfill(value: Backfill, screen: Screen, times: Times) -> Lines:
    """A table of the fire times of a window: what is to be created, and what has a run."""
    rows: list[tuple[datetime, Row]] = [(at, [absolute(at, times.zone), "-", "to create"]) for at in value.missing]
    for one in value.answered:
        label = RUN_STATES[one.state]
        rows.append((one.at, [absolute(one.at, times.zone), str(one.run), Cell(label.text(screen), label.style)]))
    columns = [Column(title="FIRE TIME"), Column(title="RUN", right=True), Column(title="STATE")]
    return render(columns, [cells for _, cells in sorted(rows, key=lambda row: row[0])], screen)


def attempts(values: Sequence[Attempt], screen: Screen, times: Times) -> Lines:
    return render(_ATTEMPT_COLUMNS, [_attempt(value, screen, times) for value in values], screen, indent=2)


def note(value: Run) -> str:
    """The one remark that says most about a run: why it waits, how far it is, what went wrong."""
    if value.state is RunState.WAITING and value.waiting_reason:
        return f"{value.waiting_reason}: {value.waiting_detail}" if value.waiting_detail else value.waiting_reason.value
    if value.state is RunState.RUNNING:
        return "cancelling" if value.cancelling else progress(value)
    return value.error or ""


def progress(value: Run) -> str:
    """``30/100 message``, or nothing."""
    if value.progress is None:
        return ""
    total = "" if value.progress.total is None else f"/{value.progress.total:g}"
    return f"{value.progress.done:g}{total} {value.progress.message}".rstrip()


def took(started: datetime | None, finished: datetime | None, times: Times) -> str:
    """How long it took, or has been taking."""
    end = finished or (times.now if times.relative else None)
    return elapsed(seconds_between(started, end))


def state(label: Label, screen: Screen) -> Cell:
    """A state as a cell: glyph, word, colour."""
    return Cell(label.text(screen), label.style)


def _run(value: Run, screen: Screen, times: Times) -> Row:
    due = value.run_after if value.state in (RunState.SCHEDULED, RunState.RETRYING) else value.created_at
    when = due if value.state is RunState.RETRYING else value.started_at or due
    return (
        Cell(str(value.id)),
        state(RUN_STATES[value.state], screen),
        value.job,
        times.when(when),
        "-" if value.state is RunState.RETRYING else took(value.started_at, value.finished_at, times),
        f"{value.attempt}/{value.max_attempts}",
        "-" if value.exit_code is None else str(value.exit_code),
        value.trigger.value,
        value.queue,
        note(value),
    )


def _job(value: JobStatus, screen: Screen, times: Times) -> Row:
    last = value.last_run
    return (
        value.job.name,
        state(job_label(value), screen),
        ", ".join(spec.expression for spec in value.job.schedules),
        times.when(value.next_fire),
        times.when((last.started_at or last.created_at) if last else None),
        took(last.started_at, last.finished_at, times) if last else "-",
        value.job.queue,
        ",".join(value.job.tags),
        value.job.description,
    )


def _queue(value: QueueStatus, screen: Screen) -> Row:
    counts = (value.queued, value.running, value.waiting, value.scheduled, value.retrying)
    return (
        value.name,
        state(PAUSED if value.paused else OPEN, screen),
        *(str(count) for count in counts),
        elapsed(value.oldest_wait),
        "-" if value.max_running is None else str(value.max_running),
    )


def _server(value: Server, odd: Collection[str], screen: Screen, times: Times) -> Row:
    return (
        value.name,
        state(SERVER_STATES[value.state], screen),
        value.host,
        str(value.pid),
        f"{value.busy}/{value.workers}",
        elapsed(value.heartbeat_age),
        times.when(value.started_at),
        ",".join(value.queues),
        _config(value, odd, screen),
        value.version,
        str(value.id),
    )


def _config(value: Server, odd: Collection[str], screen: Screen) -> Cell:
    mark = REFUSED if value.config_error else DIFFERS if value.config_hash in odd else None
    if mark is None or not value.live:
        return Cell(value.config_hash)
    return Cell(f"{value.config_hash} {mark.glyph if screen.unicode else mark.ascii}", mark.style)


def _batch(value: Batch, screen: Screen, times: Times) -> Row:
    done = value.succeeded + value.failed + value.other
    return (
        batch_name(value.id) or "-",
        state(BATCH_STATES[value.state], screen),
        value.name,
        f"{done}/{value.total}",
        str(value.succeeded),
        Cell(str(value.failed), "bold red" if value.failed else ""),
        str(value.other),
        times.when(value.created_at),
        times.when(value.finished_at),
    )


def _audit(value: AuditEntry, times: Times) -> Row:
    return times.when(value.at), value.who, value.host, value.action, value.target, value.outcome, value.detail


def _attempt(value: Attempt, screen: Screen, times: Times) -> Row:
    outcome = OUTCOMES[value.outcome] if value.outcome else RUN_STATES[RunState.RUNNING]
    code = f"SIG {value.signal}" if value.signal else "-" if value.exit_code is None else str(value.exit_code)
    return (
        str(value.number),
        state(outcome, screen),
        absolute(value.started_at, times.zone),
        took(value.started_at, value.finished_at, times),
        code,
        "-" if value.peak_memory is None else format_size(value.peak_memory),
        elapsed(value.cpu_time),
        value.server or "-",
        value.error or "",
    )
