"""Writes the rows of a reading as strips, and remembers what it has written."""

from __future__ import annotations

from textual.strip import Strip

from jobrunner.tui.widgets.page import Page
from jobrunner.tui.widgets.reading import Reading


class Writer:
    """Rows that are asked for again are the same objects, which tells who paints that nothing has changed."""

    def __init__(self) -> None:
        self._page: Page | None = None
        self._written: dict[tuple[object, bool, bool], list[Strip]] = {}

    def use(self, page: Page, *, most: int) -> None:
        """How lines are written from now on; it remembers ``most`` of them, about."""
        if page != self._page or len(self._written) > most:
            self._page = page
            self.forget()

    def forget(self) -> None:
        """Writes everything again."""
        self._written.clear()

    def strips(self, reading: Reading, row: int, *, cursor: bool, marked: bool) -> list[Strip]:
        """A row, several strips where it is wrapped; nothing before it is known how lines are written."""
        start = reading.start(row)
        said = reading.said(row) if start is None else None
        key = (said if start is None else start, cursor, marked)
        if (found := self._written.get(key)) is None:
            if self._page is None:
                return []
            found = self._page.strips(said or reading.said(row), cursor=cursor, marked=marked)
            self._written[key] = found
        return found
