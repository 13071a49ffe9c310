"""What is under way, as rows of the dashboard: queues and their lines, batches, servers, what happened."""

from __future__ import annotations

from collections.abc import Collection

from jobrunner.domain.at_work import BatchAtWork, ServerAtWork, Standing
from jobrunner.domain.event import Event, Happened
from jobrunner.domain.queue import Flow, QueueStatus
from jobrunner.domain.server import Server
from jobrunner.presentation import glyphs
from jobrunner.presentation.json import batch_name
from jobrunner.presentation.labels import BATCH_STATES, DIFFERS, OPEN, PAUSED, REFUSED, SERVER_STATES, Label
from jobrunner.presentation.screen import Screen
from jobrunner.presentation.table import Cell, Column
from jobrunner.presentation.times import Times, elapsed, relative

Pieces = tuple[Cell, ...]

HAPPENED = {
    Happened.ACTION: Label(*glyphs.OK, "did", "green"),
    Happened.REFUSED: Label(*glyphs.CANCELLED, "refused", "yellow"),
    Happened.STARTED: Label(*glyphs.RUNNING, "started", "cyan"),
    Happened.STOPPED: Label(*glyphs.OFF, "stopped", "dim"),
    Happened.LOST: Label(*glyphs.FAILED, "lost", "bold red"),
    Happened.FILE: Label(*glyphs.RETRYING, "file", "blue"),
    Happened.FAILED: Label(*glyphs.FAILED, "failed", "bold red"),
    Happened.MISSED: Label(*glyphs.LATE, "missed", "bold yellow"),
}

QUEUE_COLUMNS = (
    Column(title="QUEUE", minimum=24),
    Column(title="STATE"),
    Column(title="QUEUED", right=True),
    Column(title="RUN", right=True),
    Column(title="WAITING", right=True, leaves=3),
    Column(title="DELAYED", right=True, leaves=2),
    Column(title="RETRY", right=True),
    Column(title="OLDEST", right=True),
    Column(title="IN/m", right=True, leaves=5),
    Column(title="OUT/m", right=True, leaves=4),
    Column(title="MAX", right=True, leaves=1),
)
LINE_COLUMNS = (
    Column(title="POS", right=True),
    Column(title="RUN", right=True),
    Column(title="JOB", minimum=28),
    Column(title="PRIO", right=True, leaves=2),
    Column(title="WAITS", right=True, leaves=3),
    Column(title="STARTS", right=True),
    Column(title="TRIGGER", leaves=1),
)
BATCH_COLUMNS = (
    Column(title="BATCH", right=True),
    Column(title="STATE"),
    Column(title="NAME", minimum=24),
    Column(title="PROGRESS"),
    Column(title="DONE", right=True, leaves=2),
    Column(title="FAILED", right=True),
    Column(title="CREATED", right=True, leaves=1),
    Column(title="ENDS", right=True, leaves=3),
)
SERVER_COLUMNS = (
    Column(title="SERVER", minimum=24),
    Column(title="STATE"),
    Column(title="HOST", minimum=6, leaves=5),
    Column(title="PID", right=True, leaves=3),
    Column(title="UP", right=True, leaves=4),
    Column(title="BEAT", right=True),
    Column(title="BUSY", right=True),
    Column(title="CONFIG", leaves=2),
    Column(title="RUNNING", minimum=10),
    Column(title="VERSION", leaves=1),
)
EVENT_COLUMNS = (
    Column(title="WHEN", right=True),
    Column(title="WHAT"),
    Column(title="WHO", minimum=6, leaves=1),
    Column(title="WORDS", minimum=16),
)


def queue(value: QueueStatus, flow: Flow | None, screen: Screen) -> Pieces:
    """A row of ``QUEUE_COLUMNS``."""
    label = PAUSED if value.paused else OPEN
    return (
        Cell(value.name),
        _state(label, screen),
        _number(value.queued, "bold" if value.queued else "dim"),
        _number(value.running, "cyan" if value.running else "dim"),
        _number(value.waiting),
        _number(value.scheduled),
        _number(value.retrying, "yellow" if value.retrying else "dim"),
        Cell(elapsed(value.oldest_wait)),
        Cell(_rate(flow.into) if flow is not None else "-"),
        Cell(_rate(flow.out) if flow is not None else "-"),
        Cell(str(value.max_running) if value.max_running is not None else "-"),
    )


def standing(value: Standing, times: Times) -> Pieces:
    """A row of ``LINE_COLUMNS``."""
    run = value.run
    starts = "-" if value.starts is None else "soon" if value.starts <= times.now else relative(value.starts, times.now)
    return (
        Cell(f"{value.position:,}"),
        Cell(str(run.id), "dim"),
        Cell(run.job),
        Cell(str(run.priority) if run.priority else "-"),
        Cell(elapsed((times.now - run.run_after).total_seconds())),
        Cell(starts),
        Cell(run.trigger.value, "dim"),
    )


def batch(value: BatchAtWork, bar: Pieces, screen: Screen, times: Times) -> tuple[Cell | Pieces, ...]:
    """A row of ``BATCH_COLUMNS``; ``bar`` is how far it is, as it is drawn."""
    it = value.batch
    ends = "-"
    if it.finished_at is not None:
        ends = times.when(it.finished_at)
    elif value.ends is not None:
        ends = relative(value.ends, times.now) if value.ends > times.now else "soon"
    return (
        Cell(batch_name(it.id) or "-"),
        _state(BATCH_STATES[it.state], screen),
        Cell(it.name),
        bar,
        Cell(f"{value.done:,}/{it.total:,}"),
        _number(it.failed, "bold red" if it.failed else "dim"),
        Cell(times.when(it.created_at), "dim"),
        Cell(ends),
    )


def server(value: ServerAtWork, odd: Collection[str], screen: Screen, times: Times) -> Pieces:
    """A row of ``SERVER_COLUMNS``; ``odd`` are the configurations that most servers do not have."""
    it = value.server
    runs = ", ".join(each.run.job for each in value.runs[:6])
    more = f" +{len(value.runs) - 6}" if len(value.runs) > 6 else ""
    return (
        Cell(it.name),
        _state(SERVER_STATES[it.state], screen),
        Cell(it.host),
        Cell(str(it.pid), "dim"),
        Cell(elapsed((times.now - it.started_at).total_seconds()) if it.live else "-"),
        Cell(elapsed(it.heartbeat_age)),
        Cell(f"{it.busy}/{it.workers}", "cyan" if it.busy else ""),
        _config(it, odd, screen),
        Cell(f"{runs}{more}" or "-"),
        Cell(it.version, "dim"),
    )


def event(value: Event, screen: Screen, times: Times) -> Pieces:
    """A row of ``EVENT_COLUMNS``."""
    return (
        Cell(times.when(value.at), "dim"),
        _state(HAPPENED[value.happened], screen),
        Cell(value.who),
        Cell(value.words, "bold red" if value.happened in (Happened.FAILED, Happened.LOST) else ""),
    )


def _state(label: Label, screen: Screen) -> Cell:
    return Cell(label.text(screen), label.style)


def _number(number: int, style: str = "") -> Cell:
    return Cell(f"{number:,}", style)


def _rate(a_minute: float) -> str:
    return f"{a_minute:.0f}" if a_minute >= 10 else f"{a_minute:.1f}"


def _config(it: Server, odd: Collection[str], screen: Screen) -> Cell:
    mark = REFUSED if it.config_error else DIFFERS if it.config_hash in odd else None
    if mark is None or not it.live:
        return Cell(it.config_hash, "dim")
    return Cell(f"{mark.glyph if screen.unicode else mark.ascii} {mark.word}", mark.style)
