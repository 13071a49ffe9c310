"""Where a person is in kept output: the lines that are shown, those in sight, and the one under the cursor. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from jobrunner.tui.widgets.kept import Kept, Said
from jobrunner.tui.widgets.seek import Scan, Wanted

Place = tuple[int, int]
"""A row, and which of the screen lines that it is wrapped into."""


class Reading:
    """Rows are the lines of the output, or those that are ``wanted``, and after them the unfinished ones.

    ``tall`` says how many lines of the screen a row takes.
    """

    def __init__(self, kept: Kept, tall: Callable[[int], int]) -> None:
        self.kept = kept
        self.height = 1
        self.top: Place = (0, 0)
        self.cursor = 0
        self.following = True
        self.scan: Scan | None = None
        self.mark: int | None = None
        """Where the line begins from which a range is marked, up to the cursor."""
        self.unfinished: list[Said] = []
        self._tall = tall
        self._sought: int | None = None

    # Rows

    @property
    def count(self) -> int:
        return self._whole + len(self.unfinished)

    def start(self, row: int) -> int | None:
        """Where the line of a row begins in the output, None for an unfinished one."""
        if row >= self._whole:
            return None
        return self.scan.found[row] if self.scan else self.kept.start_of(row)

    @property
    def cursor_start(self) -> int | None:
        """Where the line under the cursor begins; None for an unfinished one, and where there is none."""
        return self.start(self.cursor) if self.count else None

    def said(self, row: int) -> Said:
        """The line of a row."""
        start = self.start(row)
        return self.unfinished[row - self._whole] if start is None else self.kept.line(start)

    def row_at(self, start: int) -> int:
        """The row of the line that begins there, or of the next one that is shown."""
        return self.scan.place(start) if self.scan else self.kept.number_of(start)

    def select(self, wanted: Wanted | None) -> None:
        """Shows only lines that are wanted, None: all; the cursor stays on its line, or near it."""
        self._sought = self.cursor_start
        if self._sought is None and not self.following:
            self._sought = len(self.kept.data)
        self.scan = Scan(self.kept, wanted) if wanted else None
        self.take_unfinished()
        if self.scan is None:
            self._arrive()

    def work(self) -> None:
        """Looks a bit further for lines that are wanted."""
        if self.scan is not None and not self.scan.done:
            self.scan.step()
            self._arrive()

    def grown(self) -> None:
        """There is more output."""
        self.take_unfinished()
        if self.following:
            self.to_end()

    def take_unfinished(self) -> None:
        """Lines that have begun are shown unless only those with a match are."""
        wanted = self.scan.wanted if self.scan else Wanted()
        self.unfinished = [
            said
            for said in self.kept.unfinished
            if wanted.pattern is None and (wanted.streams is None or said.stream in wanted.streams)
        ]

    # What is in sight

    def lines(self) -> Iterator[Place]:
        """The screen lines in sight, from the top on; fewer than ``height`` at the end."""
        row, sub = self.top
        left = self.height
        while row < self.count and left > 0:
            tall = self._tall(row)
            for line in range(sub, min(tall, sub + left)):
                yield (row, line)
            left -= max(tall - sub, 0)
            row, sub = row + 1, 0

    def resize(self, height: int) -> None:
        self.height = max(height, 1)
        self.hold()

    def hold(self) -> None:
        """Everything within bounds again, the cursor in sight."""
        self.cursor = min(max(self.cursor, 0), max(self.count - 1, 0))
        if self.following:
            self.to_end()
        elif self.count:
            row = min(self.top[0], self.count - 1)
            self.top = min((row, min(self.top[1], self._tall(row) - 1)), self._last_top())
            self._in_sight()

    # Moves

    def move(self, lines: int) -> None:
        """The cursor; through a row that is taller than the screen line by line."""
        self.following = self.following and lines > 0
        if not self.count:
            return
        edge = (self.cursor, self._tall(self.cursor) - 1) if lines > 0 else (self.cursor, 0)
        seen = list(self.lines())
        if abs(lines) == 1 and seen and seen[0][0] == seen[-1][0] == self.cursor and edge not in seen:
            self.top = self._moved(self.top, lines)
            return
        self.go(self.cursor + lines)

    def go(self, row: int) -> None:
        """The cursor to a row."""
        self.following = self.following and row >= self.cursor
        self.cursor = min(max(row, 0), max(self.count - 1, 0))
        if self.count:
            self._in_sight()

    def go_to(self, start: int) -> None:
        """The cursor to the line that begins there, in the middle of the screen if it was out of sight."""
        self.following = False
        row = min(self.row_at(start), max(self.count - 1, 0))
        seen = row in {place[0] for place in self.lines()}
        self.cursor = row
        if not seen and self.count:
            self.top = min(self._moved((row, 0), -(self.height // 3)), self._last_top())
        self._in_sight()

    def page(self, pages: int) -> None:
        """What is in sight by nearly a screen, and the cursor with it."""
        self.following = self.following and pages > 0
        if not self.count:
            return
        seen = [row for row, _ in self.lines()]
        line = seen.index(self.cursor) if self.cursor in seen else 0
        before = self.top
        self.top = min(self._moved(self.top, pages * max(self.height - 1, 1)), self._last_top())
        seen = [row for row, _ in self.lines()]
        if before == self.top:
            self.cursor = self.count - 1 if pages > 0 else 0
        else:
            self.cursor = seen[min(line, len(seen) - 1)]

    def scroll(self, lines: int) -> None:
        """What is in sight; the cursor goes along at the edges."""
        self.following = self.following and lines > 0
        if not self.count:
            return
        self.top = min(self._moved(self.top, lines), self._last_top())
        seen = [row for row, _ in self.lines()]
        self.cursor = min(max(self.cursor, seen[0]), seen[-1])

    def to_top(self) -> None:
        self.following = False
        self.top, self.cursor = (0, 0), 0

    def to_end(self) -> None:
        """To the end, and on with it from now on."""
        self.following = True
        self.cursor = max(self.count - 1, 0)
        self.top = self._last_top() if self.count else (0, 0)

    def stay(self) -> None:
        """Stops following."""
        self.following = False

    # Marks

    def marked(self) -> range:
        """The rows from the mark to the cursor."""
        if self.mark is None or not self.count:
            return range(0)
        row = min(self.row_at(self.mark), self.count - 1)
        return range(min(row, self.cursor), max(row, self.cursor) + 1)

    @property
    def _whole(self) -> int:
        return len(self.scan.found) if self.scan else self.kept.lines

    def _arrive(self) -> None:
        """The cursor is where it was before other lines were selected, as soon as they are known up to there."""
        if self.following:
            self.to_end()
        elif self._sought is not None and (self.scan is None or self.scan.done or self.scan.upto > self._sought):
            sought, self._sought = self._sought, None
            self.top, self.cursor = (0, 0), 0
            self.go_to(sought)

    def _in_sight(self) -> None:
        first, last = (self.cursor, 0), (self.cursor, self._tall(self.cursor) - 1)
        if first < self.top:
            self.top = first if last[1] < self.height else self._moved(last, 1 - self.height)
        elif self._moved(self.top, self.height - 1) < last:
            self.top = min(self._moved(last, 1 - self.height), first)

    def _last_top(self) -> Place:
        last = self.count - 1
        return self._moved((last, self._tall(last) - 1), 1 - self.height)

    def _moved(self, place: Place, lines: int) -> Place:
        """A place so many screen lines further down, or up, within bounds."""
        row, sub = place
        sub += lines
        while sub < 0 and row > 0:
            row -= 1
            sub += self._tall(row)
        while row < self.count - 1 and sub >= (tall := self._tall(row)):
            sub -= tall
            row += 1
        return row, max(min(sub, self._tall(row) - 1), 0)
