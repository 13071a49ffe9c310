"""Which rows of a list are seen and where its cursor stands, when rows join, go, or change places. Pure.

Rows are known by their keys: the cursor stays on its row, and what is being read stays where it is on the screen.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any


@dataclass(slots=True)
class Window:
    """Rows in memory, of which ``height`` are seen from ``top`` on. There may be more ``before`` and ``after`` them.

    ``pinned``: the top is being watched, so that new rows come into sight and the cursor stays on the first one; any
    move ends it, the move to the top begins it again. ``new_above`` counts rows that joined above since then.
    """

    key: Callable[[Any], Hashable]
    rows: Sequence[Any] = ()
    top: int = 0
    cursor: int = 0
    height: int = 1
    before: bool = False
    after: bool = False
    pinned: bool = True
    new_above: int = 0
    _places: dict[Hashable, int] | None = field(default=None, repr=False)

    @property
    def cursor_key(self) -> Hashable | None:
        """The key of the row under the cursor; None where there are no rows."""
        return self.key(self.rows[self.cursor]) if self.rows else None

    @property
    def seen(self) -> range:
        """The places of the rows that are on the screen."""
        return range(self.top, min(self.top + self.height, len(self.rows)))

    def place(self, key: Hashable) -> int | None:
        """Where the row of this key is, None where it is not among the rows."""
        if self._places is None:
            self._places = {self.key(row): place for place, row in enumerate(self.rows)}
        return self._places.get(key)

    def show(self, rows: Sequence[Any], *, before: bool, after: bool) -> None:
        """Other rows, or the same ones changed; top and cursor follow their rows."""
        had = replace(self)
        self.rows, self.before, self.after, self._places = rows, before, after, None
        if self.pinned and not before:
            self.top = self.cursor = 0
        elif rows and had.rows:
            self._follow(had, counting=not had.before)
        self._hold()

    def move(self, lines: int) -> None:
        """The cursor, and what is seen after it where it would leave the screen."""
        self.go(self.cursor + lines)

    def go(self, place: int) -> None:
        """The cursor to a place."""
        self.cursor = place
        self.pinned = False
        self._hold()

    def go_to_top(self) -> None:
        self.cursor = self.top = 0
        self.pinned = True
        self._hold()

    def page(self, pages: int) -> None:
        """What is seen by nearly a screen, one line staying in sight, and the cursor with it."""
        self.scroll(pages * max(self.height - 1, 1), carry=True)

    def scroll(self, lines: int, *, carry: bool = False) -> None:
        """What is seen; the cursor goes along (``carry``), or only where it would leave the screen."""
        top = min(max(self.top + lines, 0), self._last_top)
        self.cursor += lines if carry else 0
        self.cursor = self.cursor if carry else min(max(self.cursor, top), top + self.height - 1)
        self.top = top
        self.pinned = False
        self._hold()

    def resize(self, height: int) -> None:
        self.height = max(height, 1)
        self._hold()

    @property
    def wanting(self) -> str | None:
        """``before`` or ``after`` where the rows in memory end less than a screen away and there are more."""
        if self.before and self.top < self.height:
            return "before"
        if self.after and self.top + 2 * self.height > len(self.rows):
            return "after"
        return None

    @property
    def _last_top(self) -> int:
        return max(len(self.rows) - self.height, 0)

    def _follow(self, had: Window, *, counting: bool) -> None:
        """The cursor's row stays on its line of the screen; if it is gone, the first row in sight that is still there.

        Who sees the top goes on seeing it, until the cursor's row would leave the screen.
        """
        for old in (had.cursor, *had.seen):
            place = self._found(had, old)
            if place is not None:
                self.top += place - old if had.top or had.before else 0
                self.cursor = place if old == had.cursor else place + had.cursor - old
                counting = counting and place != old
                break
        if counting and not self.before and self.top > 0:
            self.new_above += sum(had.place(self.key(row)) is None for row in self.rows[: self.top])

    def _found(self, had: Window, old: int) -> int | None:
        if old >= len(had.rows):
            return None
        key = self.key(had.rows[old])
        if old < len(self.rows) and self.key(self.rows[old]) == key:
            return old
        return self.place(key)

    def _hold(self) -> None:
        """Everything within its bounds, and the cursor in sight."""
        self.cursor = min(max(self.cursor, 0), max(len(self.rows) - 1, 0))
        self.top = min(max(self.top, self.cursor - self.height + 1, 0), self.cursor, self._last_top)
        if self.top == 0 and not self.before:
            self.new_above = 0
