"""The glyph, word and colour of every state. Nothing is said by colour alone. Used by tables, details, dashboard."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from jobrunner.domain.batch import BatchState
from jobrunner.domain.finding import Severity
from jobrunner.domain.server import ServerState
from jobrunner.domain.state import Outcome, RunState
from jobrunner.presentation import glyphs
from jobrunner.presentation.screen import Screen

if TYPE_CHECKING:
    from jobrunner.domain.status import JobStatus


class Label(NamedTuple):
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


RUN_STATES = {
    RunState.SCHEDULED: Label(*glyphs.WAITING, "scheduled", "blue"),
    RunState.WAITING: Label(*glyphs.WAITING, "waiting", "blue"),
    RunState.QUEUED: Label(*glyphs.WAITING, "queued", "blue"),
    RunState.RUNNING: Label(*glyphs.RUNNING, "running", "cyan"),
    RunState.RETRYING: Label(*glyphs.RETRYING, "retrying", "yellow"),
    RunState.SUCCEEDED: Label(*glyphs.OK, "succeeded", "green"),
    RunState.FAILED: Label(*glyphs.FAILED, "failed", "bold red"),
    RunState.CANCELLED: Label(*glyphs.CANCELLED, "cancelled", "dim"),
    RunState.SKIPPED: Label(*glyphs.OFF, "skipped", "dim"),
    RunState.EXPIRED: Label(*glyphs.LATE, "expired", "bold yellow"),
}

OUTCOMES = {
    Outcome.SUCCEEDED: Label(*glyphs.OK, "succeeded", "green"),
    Outcome.FAILED: Label(*glyphs.FAILED, "failed", "bold red"),
    Outcome.TIMEOUT: Label(*glyphs.LATE, "timeout", "bold yellow"),
    Outcome.CANCELLED: Label(*glyphs.CANCELLED, "cancelled", "dim"),
    Outcome.LOST: Label(*glyphs.FAILED, "lost", "bold red"),
    Outcome.INTERRUPTED: Label(*glyphs.RETRYING, "interrupted", "yellow"),
}

SERVER_STATES = {
    ServerState.STARTING: Label(*glyphs.WAITING, "starting", "blue"),
    ServerState.RUNNING: Label(*glyphs.OK, "running", "green"),
    ServerState.DRAINING: Label(*glyphs.RETRYING, "draining", "yellow"),
    ServerState.STOPPED: Label(*glyphs.OFF, "stopped", "dim"),
    ServerState.LOST: Label(*glyphs.FAILED, "lost", "bold red"),
}

BATCH_STATES = {
    BatchState.RUNNING: Label(*glyphs.RUNNING, "running", "cyan"),
    BatchState.SUCCEEDED: Label(*glyphs.OK, "succeeded", "green"),
    BatchState.FAILED: Label(*glyphs.FAILED, "failed", "bold red"),
}

FINDINGS = {
    Severity.OK: Label(*glyphs.OK, "ok", "green"),
    Severity.NOTE: Label(*glyphs.OFF, "note", "dim"),
    Severity.WARNING: Label(*glyphs.LATE, "warning", "bold yellow"),
    Severity.FAULT: Label(*glyphs.FAILED, "fault", "bold red"),
}

SHORT_STATES = {
    RunState.SCHEDULED: Label(*glyphs.WAITING, "wait", "blue"),
    RunState.WAITING: Label(*glyphs.WAITING, "wait", "blue"),
    RunState.QUEUED: Label(*glyphs.WAITING, "wait", "blue"),
    RunState.RUNNING: Label(*glyphs.RUNNING, "run", "cyan"),
    RunState.RETRYING: Label(*glyphs.RETRYING, "rtry", "yellow"),
    RunState.SUCCEEDED: Label(*glyphs.OK, "ok", "green"),
    RunState.FAILED: Label(*glyphs.FAILED, "fail", "red"),
    RunState.CANCELLED: Label(*glyphs.CANCELLED, "canc", "dim"),
    RunState.SKIPPED: Label(*glyphs.OFF, "skip", "dim"),
    RunState.EXPIRED: Label(*glyphs.LATE, "exp", "yellow"),
}
NO_RUNS = Label(*glyphs.OFF, "-", "dim")

DIFFERS = Label("≠", "!", "differs", "bold yellow")
REFUSED = Label(*glyphs.FAILED, "refused", "bold red")

PAUSED = Label(*glyphs.PAUSED, "paused", "magenta")
OPEN = Label(*glyphs.OK, "open", "green")
DISABLED = Label(*glyphs.OFF, "disabled", "dim")
NEVER_RAN = Label(*glyphs.OFF, "no runs", "dim")


def job_label(status: JobStatus) -> Label:
    """What stands out about a job: that it is disabled, paused, or how its last run stands."""
    if not status.job.enabled:
        return DISABLED
    if status.pause:
        return PAUSED
    return RUN_STATES[status.last_run.state] if status.last_run else NEVER_RAN
