"""Searching and selecting in an output while it is read and grows: bit by bit, so that no key has to wait. Pure."""

from __future__ import annotations

from jobrunner.tui.widgets.kept import Stream
from jobrunner.tui.widgets.reading import Reading
from jobrunner.tui.widgets.seek import Pattern, Scan, Seek, Wanted

_AT_ONCE = 4
"""Slices that are searched before anything is painted."""

SELECTIONS: dict[str, frozenset[Stream] | None] = {
    "out+err": None,
    "err": frozenset({Stream.ERR, Stream.NOTE}),
    "out": frozenset({Stream.OUT, Stream.NOTE}),
}


class Finding:
    """What is searched, what is shown, and how far both have come. It moves the cursor of the reading."""

    def __init__(self, reading: Reading) -> None:
        self.search: Pattern | None = None
        self.only: Pattern | None = None
        self.streams = "out+err"
        self.matches: Scan | None = None
        """The lines with a match, for counting."""
        self.remark = ""
        """How the last search went, where there is something to say of it."""
        self._reading = reading
        self._seek: Seek | None = None

    def turn_to(self, reading: Reading) -> None:
        """Searches and selects the same in another output."""
        self._reading, self._seek, self.remark = reading, None, ""
        self._count()
        self.select()

    def set_search(self, search: Pattern | None) -> None:
        """What ``next`` looks for, and what is counted."""
        self.remark = ""
        if search != self.search:
            self.search, self._seek = search, None
            self._count()

    def next(self, *, backwards: bool, include: bool = False) -> None:
        """The cursor to the next match; ``include``: the line that it is on counts."""
        if self.search is not None:
            wanted = Wanted(self.search.of(self._reading.kept), SELECTIONS[self.streams])
            self.look_for(wanted, backwards=backwards, include=include)

    def look_for(self, wanted: Wanted, *, backwards: bool, include: bool = False, start: int | None = None) -> None:
        """The cursor to the next line that is wanted, from ``start`` on, None: from the cursor on."""
        end = len(self._reading.kept.data)
        if start is None:
            start = self._reading.cursor_start
        start = end if start is None else start
        if include:
            start = start - 1 if start else end
        if wanted.streams is None:
            wanted = wanted._replace(streams=SELECTIONS[self.streams])
        self._seek, self.remark = Seek(self._reading.kept, wanted, start, backwards=backwards), "searching"
        for _ in range(_AT_ONCE):
            self._step()

    def select(self) -> None:
        """Shows what shall be shown."""
        kept = self._reading.kept
        wanted = Wanted(self.only.of(kept) if self.only else None, SELECTIONS[self.streams])
        self._reading.select(None if wanted == Wanted() else wanted)
        for _ in range(_AT_ONCE):
            self._reading.work()

    @property
    def busy(self) -> bool:
        """Whether there is more to search."""
        scans = (self.matches, self._reading.scan)
        return self._seek is not None or any(scan is not None and not scan.done for scan in scans)

    def work(self) -> None:
        """Searches a bit further: a few milliseconds."""
        self._step()
        self._reading.work()
        if self.matches is not None and not self.matches.done:
            self.matches.step()

    def _count(self) -> None:
        kept = self._reading.kept
        self.matches = Scan(kept, Wanted(self.search.of(kept))) if self.search else None

    def _step(self) -> None:
        if self._seek is None:
            return
        self._seek.step()
        if not self._seek.done:
            return
        seek, self._seek = self._seek, None
        self.remark = "not found" if seek.found is None else "around the end" if seek.around else ""
        if seek.found is not None:
            self._reading.go_to(seek.found)
