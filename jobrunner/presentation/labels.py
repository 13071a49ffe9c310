"""The glyph, word and colour of every state. Nothing is said by colour alone. Used by tables, details, dashboard."""

from __future__ import annotations

from dataclasses import dataclass

from jobrunner.domain.attention import Concern
from jobrunner.domain.batch import BatchState
from jobrunner.domain.board import Stand
from jobrunner.domain.decision import Why
from jobrunner.domain.event import Happened
from jobrunner.domain.finding import Severity
from jobrunner.domain.lanes import Slot
from jobrunner.domain.server import ServerState
from jobrunner.domain.state import Outcome, RunState
from jobrunner.domain.status import JobStatus
from jobrunner.presentation.screen import Screen


@dataclass(frozen=True, slots=True)
class Label:
    """How one state looks; ``glyph`` and ``ascii`` are one cell wide, ``style`` is for ``Screen.paint``."""

    glyph: str
    ascii: str
    word: str
    style: str

    def text(self, screen: Screen) -> str:
        """Glyph and word; the word alone where it is not for a terminal."""
        if not screen.terminal:
            return self.word
        return f"{self.glyph if screen.unicode else self.ascii} {self.word}"


_OK = ("●", "*")
_RUNNING = ("▶", ">")
_WAITING = ("◌", ".")
_RETRYING = ("↻", "~")
_FAILED = ("✗", "X")
_LATE = ("!", "!")
_PAUSED = ("‖", "=")
_CANCELLED = ("⊘", "/")
_OFF = ("○", "o")

RUN_STATES = {
    RunState.SCHEDULED: Label(*_WAITING, "scheduled", "blue"),
    RunState.WAITING: Label(*_WAITING, "waiting", "blue"),
    RunState.QUEUED: Label(*_WAITING, "queued", "blue"),
    RunState.RUNNING: Label(*_RUNNING, "running", "cyan"),
    RunState.RETRYING: Label(*_RETRYING, "retrying", "yellow"),
    RunState.SUCCEEDED: Label(*_OK, "succeeded", "green"),
    RunState.FAILED: Label(*_FAILED, "failed", "bold red"),
    RunState.CANCELLED: Label(*_CANCELLED, "cancelled", "dim"),
    RunState.SKIPPED: Label(*_OFF, "skipped", "dim"),
    RunState.EXPIRED: Label(*_LATE, "expired", "bold yellow"),
}

OUTCOMES = {
    Outcome.SUCCEEDED: Label(*_OK, "succeeded", "green"),
    Outcome.FAILED: Label(*_FAILED, "failed", "bold red"),
    Outcome.TIMEOUT: Label(*_LATE, "timeout", "bold yellow"),
    Outcome.CANCELLED: Label(*_CANCELLED, "cancelled", "dim"),
    Outcome.LOST: Label(*_FAILED, "lost", "bold red"),
    Outcome.INTERRUPTED: Label(*_RETRYING, "interrupted", "yellow"),
}

SERVER_STATES = {
    ServerState.STARTING: Label(*_WAITING, "starting", "blue"),
    ServerState.RUNNING: Label(*_OK, "running", "green"),
    ServerState.DRAINING: Label(*_RETRYING, "draining", "yellow"),
    ServerState.STOPPED: Label(*_OFF, "stopped", "dim"),
    ServerState.LOST: Label(*_FAILED, "lost", "bold red"),
}

BATCH_STATES = {
    BatchState.RUNNING: Label(*_RUNNING, "running", "cyan"),
    BatchState.SUCCEEDED: Label(*_OK, "succeeded", "green"),
    BatchState.FAILED: Label(*_FAILED, "failed", "bold red"),
}

FINDINGS = {
    Severity.OK: Label(*_OK, "ok", "green"),
    Severity.NOTE: Label(*_OFF, "note", "dim"),
    Severity.WARNING: Label(*_LATE, "warning", "bold yellow"),
    Severity.FAULT: Label(*_FAILED, "fault", "bold red"),
}

CONCERNS = {
    Concern.STORE: Label(*_FAILED, "store", "bold red"),
    Concern.SERVERS: Label(*_FAILED, "server", "bold red"),
    Concern.FILE: Label(*_FAILED, "file", "bold red"),
    Concern.FAILED: Label(*_FAILED, "failed", "bold red"),
    Concern.QUEUE: Label(*_LATE, "stuck", "bold yellow"),
    Concern.LATE: Label(*_LATE, "late", "bold yellow"),
    Concern.MISSED: Label(*_LATE, "missed", "bold yellow"),
    Concern.OVERDUE: Label(*_LATE, "overdue", "bold yellow"),
    Concern.SLOW: Label(*_LATE, "slow", "bold yellow"),
    Concern.APPROVAL: Label(*_LATE, "asks", "bold yellow"),
    Concern.RETRYING: Label(*_RETRYING, "retrying", "yellow"),
    Concern.DIFFERS: Label("≠", "!", "differs", "bold yellow"),
    Concern.PAUSED: Label(*_PAUSED, "paused", "magenta"),
}

STANDS = {
    Stand.FAILED: Label(*_FAILED, "fail", "bold red"),
    Stand.LATE: Label(*_LATE, "late", "bold yellow"),
    Stand.SLOW: Label(*_LATE, "slow", "bold yellow"),
    Stand.PAUSED: Label(*_PAUSED, "paus", "magenta"),
    Stand.RUNNING: Label(*_RUNNING, "run", "cyan"),
    Stand.OFF: Label(*_OFF, "off", "dim"),
}
"""What stands out about a job, in four letters; where nothing does, its newest run is told (``SHORT_STATES``)."""

SHORT_STATES = {
    RunState.SCHEDULED: Label(*_WAITING, "wait", "blue"),
    RunState.WAITING: Label(*_WAITING, "wait", "blue"),
    RunState.QUEUED: Label(*_WAITING, "wait", "blue"),
    RunState.RUNNING: Label(*_RUNNING, "run", "cyan"),
    RunState.RETRYING: Label(*_RETRYING, "rtry", "yellow"),
    RunState.SUCCEEDED: Label(*_OK, "ok", "green"),
    RunState.FAILED: Label(*_FAILED, "fail", "red"),
    RunState.CANCELLED: Label(*_CANCELLED, "canc", "dim"),
    RunState.SKIPPED: Label(*_OFF, "skip", "dim"),
    RunState.EXPIRED: Label(*_LATE, "exp", "yellow"),
}
NO_RUNS = Label(*_OFF, "-", "dim")

SLOTS = {
    Slot.FAILED: Label(*_FAILED, "failed", "bold red"),
    Slot.MISSED: Label(*_LATE, "missed", "bold yellow"),
    Slot.EXPIRED: Label(*_LATE, "expired", "bold yellow"),
    Slot.ACTIVE: Label(*_RUNNING, "under way", "cyan"),
    Slot.CANCELLED: Label(*_CANCELLED, "cancelled", "dim"),
    Slot.SKIPPED: Label(*_OFF, "skipped", "dim"),
    Slot.PAUSED: Label(*_PAUSED, "paused", "magenta"),
    Slot.BLACKOUT: Label("▒", "%", "blackout", "dim"),
    Slot.DISABLED: Label(*_OFF, "disabled", "dim"),
    Slot.NOT_UNIQUE: Label(*_OFF, "not unique", "dim"),
    Slot.SHADOW: Label("◇", "s", "shadow", "dim"),
    Slot.OK: Label(*_OK, "ok", "green"),
}
"""What became of fires, in a lane of the schedule; a coming fire is a mark of its own."""

REASONS = {
    Why.MISSED: SLOTS[Slot.MISSED],
    Why.PAUSED: SLOTS[Slot.PAUSED],
    Why.BLACKOUT: SLOTS[Slot.BLACKOUT],
    Why.DISABLED: SLOTS[Slot.DISABLED],
    Why.NOT_UNIQUE: SLOTS[Slot.NOT_UNIQUE],
    Why.SHADOW: SLOTS[Slot.SHADOW],
}

HAPPENED = {
    Happened.ACTION: Label(*_OK, "did", "green"),
    Happened.REFUSED: Label(*_CANCELLED, "refused", "yellow"),
    Happened.STARTED: Label(*_RUNNING, "started", "cyan"),
    Happened.STOPPED: Label(*_OFF, "stopped", "dim"),
    Happened.LOST: Label(*_FAILED, "lost", "bold red"),
    Happened.FILE: Label(*_RETRYING, "file", "blue"),
    Happened.FAILED: Label(*_FAILED, "failed", "bold red"),
    Happened.MISSED: Label(*_LATE, "missed", "bold yellow"),
}

DIFFERS = Label("≠", "!", "differs", "bold yellow")
REFUSED = Label(*_FAILED, "refused", "bold red")

PAUSED = Label(*_PAUSED, "paused", "magenta")
OPEN = Label(*_OK, "open", "green")
DISABLED = Label(*_OFF, "disabled", "dim")
NEVER_RAN = Label(*_OFF, "no runs", "dim")


def job_label(status: JobStatus) -> Label:
    """What stands out about a job: that it is disabled, paused, or how its last run stands."""
    if not status.job.enabled:
        return DISABLED
    if status.pause:
        return PAUSED
    return RUN_STATES[status.last_run.state] if status.last_run else NEVER_RAN
