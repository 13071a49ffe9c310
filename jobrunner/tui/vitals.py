"""What was last heard of the servers, and how it is told: in the header, in one line, and how fresh it is."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, tzinfo
from typing import TYPE_CHECKING

from jobrunner.presentation import pulse
from jobrunner.presentation.table import Cell
from jobrunner.tui.reader import Told
from jobrunner.tui.setting import Setting
from jobrunner.tui.widgets.header import Part

if TYPE_CHECKING:
    from jobrunner.domain.pulse import Pulse

_LONGEST_NAME = 16
"""Of the project and of the host: neither is to leave no room for the rest."""


class Vitals:
    """The signs of life of all servers, as the reader brings them."""

    def __init__(self, setting: Setting) -> None:
        self._setting = setting
        self.pulse: Pulse | None = None
        self._heard_at: datetime | None = None
        self._away = ""

    def hear(self, told: Told) -> None:
        """Takes what the reader was told beside the answer to its question."""
        if told.pulse is not None:
            self.pulse, self._heard_at = told.pulse, told.at
        self._away = told.trouble.text if told.trouble is not None and told.trouble.away else ""

    def parts(self) -> Sequence[Part]:
        """The header, without the clock."""
        setting, beat = self._setting, self.pulse
        parts = [Part(Cell(self._whose(), "bold"), leaves=3)]
        if setting.admin.settings.production:
            parts.append(Part(Cell("PRODUCTION", "bold yellow")))
        if setting.read_only:
            parts.append(Part(Cell("READ-ONLY", "bold magenta")))
        if beat is None:
            return parts
        running, queued, failed = "▶◌✗" if setting.look.screen.unicode else ">.X"
        parts += [
            Part(Cell(f"{running} {pulse.count(beat.running)} running", "cyan" if beat.running else ""), leaves=5),
            Part(Cell(f"{queued} {pulse.count(beat.queued)} queued", "blue" if beat.queued else ""), leaves=4),
            Part(Cell(f"{failed} {pulse.count(beat.dead)} dead", "bold red" if beat.dead else ""), leads="dead"),
            Part(Cell(f"{beat.busy}/{beat.workers} workers"), leaves=2),
        ]
        if problem := pulse.problem(beat):
            parts.append(Part(Cell(f"! {problem}", "bold yellow")))
        return parts

    def line(self) -> str:
        """All that is said where there is room for one line."""
        beat = self.pulse
        if beat is None:
            return self._away or "…"
        words = f">{beat.running} .{beat.queued} X{beat.dead} {beat.busy}/{beat.workers}"
        return f"{words} {pulse.problem(beat)}".strip()

    def freshness(self, *, frozen: bool, zone: tzinfo) -> Cell:
        """How fresh what is shown is: live, frozen, or since when it is not."""
        if self._away:
            since = self._heard_at.astimezone(zone).strftime("%H:%M:%S") if self._heard_at else "the start"
            return Cell(f"STALE since {since}", "bold red")
        if frozen:
            return Cell("FROZEN", "bold magenta")
        return Cell("live" if self.pulse is not None else "asking", "dim")

    def _whose(self) -> str:
        names = [self.pulse.project, self._setting.host] if self.pulse is not None else [self._setting.host]
        ellipsis = self._setting.look.screen.ellipsis
        return "@".join(
            f"{name[: _LONGEST_NAME - 1]}{ellipsis}" if len(name) > _LONGEST_NAME else name for name in names
        )
