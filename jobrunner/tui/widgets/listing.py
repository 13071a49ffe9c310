"""A list of rows with a cursor, marks and titles: the body of most screens. It is given rows and how to write one.

Only the rows in sight are written, and only lines that differ are sent to the terminal, so that ten thousand rows, or
a window into a million, cost what a screenful costs.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, TypeVar

from textual import events
from textual.binding import Binding, BindingType
from textual.geometry import Region, Size
from textual.message import Message
from textual.strip import Strip

from jobrunner.presentation.screen import Screen
from jobrunner.presentation.table import Column
from jobrunner.tui.widgets.ink import ground
from jobrunner.tui.widgets.marks import Marks
from jobrunner.tui.widgets.sheet import Line, Look, Sheet
from jobrunner.tui.widgets.sized import Sized
from jobrunner.tui.widgets.window import Window

T = TypeVar("T")
_WHEEL = 3

__all__ = ["Line", "Listing"]


_Drawn = tuple[Line, Look]
"""What a line of the screen says now."""


class Listing(Sized, can_focus=True):
    """Rows under titles. The cursor and the marks follow the keys of rows, not their places.

    Where ``more_before`` or ``more_after`` was said, it asks for those rows before they are needed (``Wanted``), and
    goes on without a jump when they are there.
    """

    DEFAULT_CSS = "Listing { height: 1fr; }"
    ALLOW_SELECT = False
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("j,down", "move(1)", "Down", show=False, id="down"),
        Binding("k,up", "move(-1)", "Up", show=False, id="up"),
        Binding("g,home", "top", "To the top", show=False, id="top"),
        Binding("G,end", "bottom", "To the end", show=False, id="bottom"),
        Binding("pagedown,ctrl+f", "page(1)", "A page down", show=False, id="page_down"),
        Binding("pageup,ctrl+b", "page(-1)", "A page up", show=False, id="page_up"),
        Binding("enter", "choose", "Open", show=False, id="open"),
        Binding("space", "mark", "Mark", show=False, id="mark"),
        Binding("V", "range", "Mark a range", show=False, id="range"),
        Binding("A", "mark_all", "Mark all that the filter shows", show=False, id="mark_all"),
    ]

    @dataclass
    class Moved(Message):
        """The cursor is on another row; None: there is none."""

        listing: Listing
        key: Hashable | None

    @dataclass
    class Chosen(Message):
        """Enter, or a double click, on a row."""

        listing: Listing
        key: Hashable

    @dataclass
    class Wanted(Message):
        """Rows beyond those in memory: ``before``, ``after``, or all the way to the ``first`` or ``last``."""

        listing: Listing
        which: str

    @dataclass
    class Marked(Message):
        """Other rows are marked."""

        listing: Listing
        keys: frozenset[Hashable]

    @dataclass
    class AllWanted(Message):
        """All that the filter shows shall be marked, and not all of it is in memory: answer with ``mark``."""

        listing: Listing

    @dataclass
    class OrderWanted(Message):
        """A click on the title of a column."""

        listing: Listing
        column: int

    def __init__(
        self,
        columns: Sequence[Column],
        *,
        screen: Screen,
        id: str | None = None,
        empty: str = "Nothing here.",
        titles: bool = True,
        key: Callable[[Any], Hashable] | None = None,
    ) -> None:
        """``empty`` is what stands in the middle of an empty list: a statement, and from its second line on advice.

        ``key`` gives the key of a row; without it the row is written for its key, which is slow beyond 1,000 rows.
        """
        super().__init__(id=id)
        self._screen = screen
        self._empty = empty
        self._titles = titles
        self._write: Callable[[Any], Line] | None = None
        self._written: dict[int, tuple[Any, Line]] = {}
        self._sheet = Sheet(columns, screen)
        self._window = Window(key or (lambda row: self._line_of(row).key))
        self._marks = Marks()
        self._drawn: list[_Drawn | None] = []
        self._asked: str | None = None
        self._going: str | None = None
        self._sought: Hashable | None = None

    # What is shown

    def show(
        self, rows: Sequence[T], line: Callable[[T], Line], *, more_before: bool = False, more_after: bool = False
    ) -> None:
        """The rows from now on; ``line`` writes one.

        Rows that are the same objects as before are not written again while ``line`` is the same too.
        """
        if line != self._write:
            self._written.clear()
        first, key, count = self._write is None, self.cursor_key if self._write else None, len(self._window.rows)
        self._write = line
        self._window.show(rows, before=more_before, after=more_after)
        self._asked = None
        self._arrive()
        if count != len(rows) and self.styles.is_auto_height:
            self.refresh(layout=True)
        self._settle(moved=first or key != self.cursor_key)

    def again(self) -> None:
        """Writes the rows in sight again: for times that have gone on."""
        self._written.clear()
        self._redraw()

    def set_columns(self, columns: Sequence[Column]) -> None:
        """Other columns; the next rows shown are written for them."""
        self._sheet = Sheet(columns, self._screen, order=self._sheet.order)
        self._sheet.fit_to(self.size.width)
        self._written.clear()
        self._drawn = []
        self.refresh()

    def set_order(self, column: int | None, *, descending: bool = False) -> None:
        """The column whose title has the mark of the order."""
        order = None if column is None else (column, descending)
        if order != self._sheet.order:
            self._sheet.order = order
            self._sheet.forget_widths()
            self._drawn = []
            self._redraw()

    def set_empty(self, text: str) -> None:
        """What an empty list says."""
        if text != self._empty:
            self._empty = text
            self.refresh()

    # Where it stands

    @property
    def cursor_key(self) -> Hashable | None:
        """The key of the row under the cursor; None where there are no rows."""
        return self._window.cursor_key

    @property
    def cursor_row(self) -> Any | None:
        """The row under the cursor, as it was given."""
        return self._window.rows[self._window.cursor] if self._window.rows else None

    @property
    def position(self) -> int:
        """The place of the cursor among the rows in memory, from 0."""
        return self._window.cursor

    @property
    def top(self) -> int:
        """The place of the first row in sight."""
        return self._window.top

    @property
    def seen(self) -> Sequence[Any]:
        """The rows in sight."""
        return [self._window.rows[place] for place in self._window.seen]

    @property
    def new_above(self) -> int:
        """How many rows have joined above what is read since it was scrolled down; 0 at the top."""
        return self._window.new_above

    @property
    def pinned(self) -> bool:
        """Whether the top is being watched: nobody has moved the cursor since the list was opened, or since ``g``."""
        return self._window.pinned

    @property
    def is_going(self) -> bool:
        """Whether a person is on the way to rows that are not in memory yet."""
        return self._going is not None

    def hold(self) -> None:
        """The cursor stays on its row from now on, wherever that goes, until the top is wanted again."""
        self._window.pinned = False

    def go_to(self, key: Hashable) -> None:
        """The cursor to a row; if it is not there yet, as soon as it is, unless a person has moved the cursor."""
        place = self._window.place(key) if self._write else None
        self._sought = key if place is None else None
        if place is not None:
            self._do(lambda: self._window.go(place))

    # Marks

    @property
    def marked(self) -> frozenset[Hashable]:
        """The keys of all marked rows, those out of sight or memory too."""
        return frozenset(self._marks.keys)

    @property
    def chosen(self) -> tuple[Hashable, ...]:
        """What an action acts on: the marked keys in the order they were marked, else the one under the cursor."""
        if self._marks.keys:
            return tuple(self._marks.keys)
        return () if self.cursor_key is None else (self.cursor_key,)

    @property
    def ranging(self) -> bool:
        """Whether a range is being marked."""
        return self._marks.anchor is not None

    def mark(self, keys: Iterable[Hashable]) -> None:
        """These are marked from now on, and no others."""
        self._marks.replace(keys)
        self._marks_changed()

    def clear_marks(self) -> bool:
        """Takes a range that is being marked back, else all marks; says whether there was anything to take."""
        had = bool(self._marks.keys)
        if self.ranging:
            self._marks.give_up()
        elif had:
            self._marks.replace(())
        self._marks_changed()
        return had

    # What a person does

    def action_move(self, lines: int) -> None:
        self._do(lambda: self._window.move(lines))

    def action_page(self, pages: int) -> None:
        self._do(lambda: self._window.page(pages))

    def action_top(self) -> None:
        if self._window.before:
            self._go_beyond("first")
        else:
            self._do(self._window.go_to_top)

    def action_bottom(self) -> None:
        if self._window.after:
            self._go_beyond("last")
        else:
            self._do(lambda: self._window.go(len(self._window.rows) - 1))

    def action_choose(self) -> None:
        if (key := self.cursor_key) is not None:
            self.post_message(self.Chosen(self, key))

    def action_mark(self) -> None:
        """Marks or unmarks the row and goes to the next; ends a range."""
        if (key := self.cursor_key) is None:
            return
        if self.ranging:
            self._marks.end()
        else:
            self._marks.toggle(key)
            self._do(lambda: self._window.move(1))
        self._marks_changed()

    def action_range(self) -> None:
        """Begins a range at the cursor, or ends it where the cursor is now."""
        if self.ranging:
            self._marks.end()
        elif (key := self.cursor_key) is not None:
            self._marks.begin(key)
        self._marks_changed()

    def action_mark_all(self) -> None:
        """Marks every row, or none if every one was marked."""
        window = self._window
        if window.before or window.after:
            self.post_message(self.AllWanted(self))
            return
        keys = [window.key(row) for row in window.rows]
        self.mark(() if self.marked.issuperset(keys) else keys)

    def on_click(self, event: events.Click) -> None:
        place = self._window.top + event.y - self._head
        if self._titles and event.y == 0:
            column = self._sheet.column_at(event.x)
            if column is not None:
                self.post_message(self.OrderWanted(self, column))
        elif place in self._window.seen:
            self._do(lambda: self._window.go(place))
            if event.chain == 2:
                self.action_choose()

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        event.stop()
        self._do(lambda: self._window.scroll(_WHEEL))

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        event.stop()
        self._do(lambda: self._window.scroll(-_WHEEL))

    def sized(self) -> None:
        self._sheet.fit_to(self.size.width)
        self._drawn = []
        self._window.resize(self.size.height - self._head)
        self._settle(moved=False)

    def watch_has_focus(self, value: bool) -> None:
        super().watch_has_focus(value)
        self._redraw()

    # How it is drawn

    def render_line(self, y: int) -> Strip:
        base, width = ground(self), self.size.width
        if y < self._head:
            return self._sheet.titles(width, base)
        if not self._window.rows:
            return self._sheet.remark(self._empty, y - self._head, self._window.height, width, base, self._write)
        drawn = self._at(self._window.top + y - self._head)
        return self._sheet.row(*drawn, width, base) if drawn else Strip.blank(width, base)

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        return max(len(self._window.rows), 1) + self._head

    @property
    def _head(self) -> int:
        return 1 if self._titles else 0

    def _line_of(self, row: Any) -> Line:
        held = self._written.get(id(row))
        if held is not None and held[0] is row:
            return held[1]
        assert self._write is not None
        line = self._write(row)
        self._written[id(row)] = (row, line)
        return line

    def _at(self, place: int) -> _Drawn | None:
        if place >= len(self._window.rows):
            return None
        line = self._line_of(self._window.rows[place])
        cursor = place == self._window.cursor
        return line, Look(cursor, line.key in self._marks.keys, cursor and self.has_focus)

    # What follows from a change

    def _do(self, change: Callable[[], None]) -> None:
        """A move by a person."""
        if not self._window.rows:
            return
        had, key = self._window.cursor, self.cursor_key
        self._sought = self._going = None
        change()
        if self.ranging:
            self._stretch(had)
        self._settle(moved=key != self.cursor_key)

    def _stretch(self, had: int) -> None:
        """The range that is being marked reaches the cursor, from its anchor, or from where the cursor was."""
        window, rows = self._window, self._window.rows
        anchor = window.place(self._marks.anchor)
        start = had if anchor is None else anchor
        reached = rows[min(start, window.cursor) : max(start, window.cursor) + 1]
        before = len(self._marks.keys)
        self._marks.reach((window.key(row) for row in reached), whole=anchor is not None)
        if before != len(self._marks.keys):
            self._marks_changed()

    def _go_beyond(self, which: str) -> None:
        self._going = which
        self.post_message(self.Wanted(self, which))

    def _arrive(self) -> None:
        """Where a person wanted to go, when the rows are there."""
        if self._going == "first" and not self._window.before:
            self._window.go_to_top()
            self._going = None
        elif self._going == "last" and not self._window.after:
            self._window.go(len(self._window.rows) - 1)
            self._going = None
        elif self._sought is not None and (place := self._window.place(self._sought)) is not None:
            self._window.go(place)
            self._sought = None

    def _settle(self, *, moved: bool) -> None:
        self._redraw()
        wanting = self._window.wanting
        if wanting is not None and wanting != self._asked and self._going is None:
            self._asked = wanting
            self.post_message(self.Wanted(self, wanting))
        if moved:
            self.post_message(self.Moved(self, self.cursor_key))

    def _marks_changed(self) -> None:
        self._redraw()
        self.post_message(self.Marked(self, self.marked))

    def _redraw(self) -> None:
        """Repaints the lines that differ from what the screen says."""
        had, top = self._drawn, self._window.top
        self._drawn = [self._at(top + y) for y in range(self._window.height)] if self._window.rows else []
        self._forget()
        if len(had) != len(self._drawn):
            had = [None] * len(self._drawn)
        lines = [y for y, (old, new) in enumerate(zip(had, self._drawn, strict=True)) if old != new]
        wider = self._sheet.grow([drawn[0] for y in lines if (drawn := self._drawn[y]) is not None])
        if wider or not had or len(lines) == len(had):
            self.refresh()
        elif lines:
            self.refresh(*(Region(0, self._head + y, self.size.width, 1) for y in lines))

    def _forget(self) -> None:
        """Written lines that are far from sight."""
        if len(self._written) > 16 * self._window.height + 2_000:
            self._written.clear()
