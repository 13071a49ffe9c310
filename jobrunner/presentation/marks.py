"""How what is concluded of jobs looks: where one stands, what became of a fire.

Apart from ``labels``, since to import what these are about takes longer than a list of runs.
"""

from __future__ import annotations

from jobrunner.domain.board import Stand
from jobrunner.domain.decision import Why
from jobrunner.domain.lanes import Slot
from jobrunner.presentation import glyphs
from jobrunner.presentation.labels import Label

STANDS = {
    Stand.FAILED: Label(*glyphs.FAILED, "fail", "bold red"),
    Stand.LATE: Label(*glyphs.LATE, "late", "bold yellow"),
    Stand.SLOW: Label(*glyphs.LATE, "slow", "bold yellow"),
    Stand.PAUSED: Label(*glyphs.PAUSED, "paus", "magenta"),
    Stand.RUNNING: Label(*glyphs.RUNNING, "run", "cyan"),
    Stand.OFF: Label(*glyphs.OFF, "off", "dim"),
}
"""What stands out about a job, in four letters; else its newest run is told (``labels.SHORT_STATES``)."""

SLOTS = {
    Slot.FAILED: Label(*glyphs.FAILED, "failed", "bold red"),
    Slot.MISSED: Label(*glyphs.LATE, "missed", "bold yellow"),
    Slot.EXPIRED: Label(*glyphs.LATE, "expired", "bold yellow"),
    Slot.ACTIVE: Label(*glyphs.RUNNING, "under way", "cyan"),
    Slot.CANCELLED: Label(*glyphs.CANCELLED, "cancelled", "dim"),
    Slot.SKIPPED: Label(*glyphs.OFF, "skipped", "dim"),
    Slot.PAUSED: Label(*glyphs.PAUSED, "paused", "magenta"),
    Slot.BLACKOUT: Label("▒", "%", "blackout", "dim"),
    Slot.DISABLED: Label(*glyphs.OFF, "disabled", "dim"),
    Slot.NOT_UNIQUE: Label(*glyphs.OFF, "not unique", "dim"),
    Slot.SHADOW: Label("◇", "s", "shadow", "dim"),
    Slot.OK: Label(*glyphs.OK, "ok", "green"),
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
