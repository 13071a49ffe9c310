"""What there is to say of an output in a status line, as a value."""

from __future__ import annotations

from typing import NamedTuple

from jobrunner.domain.size import format_size
from jobrunner.presentation.screen import Screen
from jobrunner.tui.widgets.finding import Finding
from jobrunner.tui.widgets.page import Shown
from jobrunner.tui.widgets.reading import Reading


class OutputState(NamedTuple):
    """What there is to say of an output in a status line. Lines and matches count from 1; 0: none."""

    line: int = 0
    lines: int = 0
    size: int = 0
    dropped: int = 0
    following: bool = True
    search: str = ""
    match: int = 0
    matches: int = 0
    searched: bool = True
    only: str = ""
    shown: int = 0
    streams: str = "out+err"
    times: Shown = Shown.OFF
    wrap: bool = False
    marked: int = 0
    remark: str = ""

    def words(self, screen: Screen) -> str:
        """All of it on one line: ``line 70,412 of 1,000,000 · 5.1 MiB · 2 MiB dropped · match 3 of 17 "ERROR"``."""
        said = [f"line {self.line:,} of {self.lines:,}", format_size(self.size)]
        if self.dropped:
            said.append(f"{format_size(self.dropped)} dropped")
        if self.only or self.streams != "out+err":
            said.append(f"{self.shown:,} shown: {' '.join(filter(None, [self._streams, self._only]))}")
        if self.search:
            said.append(f'match {self.match:,} of {self.matches:,}{"" if self.searched else "+"} "{self.search}"')
        if self.marked:
            said.append(f"{self.marked:,} marked")
        if self.remark:
            said.append(self.remark)
        return (" · " if screen.unicode else " - ").join(said)

    @property
    def _streams(self) -> str:
        return "" if self.streams == "out+err" else f"{self.streams} only"

    @property
    def _only(self) -> str:
        return f'with "{self.only}"' if self.only else ""


def described(reading: Reading, finding: Finding, *, times: Shown, wrap: bool) -> OutputState:
    """The state of a reading, and of what is searched in it."""
    kept, start, matches = reading.kept, reading.cursor_start, finding.matches
    lines = kept.lines + len(kept.unfinished)
    counted, match = (len(matches.found), matches.number(start)) if matches else (0, 0)
    return OutputState(
        line=kept.number_of(start) + 1 if start is not None else lines,
        lines=lines,
        size=kept.size,
        dropped=kept.dropped,
        following=reading.following,
        search=finding.search.text if finding.search else "",
        match=match,
        matches=counted,
        searched=matches is None or matches.done,
        only=finding.only.text if finding.only else "",
        shown=reading.count,
        streams=finding.streams,
        times=times,
        wrap=wrap,
        marked=len(reading.marked()),
        remark=finding.remark,
    )
