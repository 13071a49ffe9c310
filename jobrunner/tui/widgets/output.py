"""The output of an attempt: follows it, finds in it, and shows who said what when. It is given parts of output.

What needs the world outside, saving, a pager, the clipboard, it announces as a wish.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from typing import ClassVar

from textual import events, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.message import Message

from jobrunner.domain.status import OutputPart
from jobrunner.presentation.screen import Screen
from jobrunner.tui.widgets.finding import SELECTIONS, Finding
from jobrunner.tui.widgets.ink import ground
from jobrunner.tui.widgets.kept import Kept
from jobrunner.tui.widgets.outputstate import OutputState, described
from jobrunner.tui.widgets.outputtext import OutputText
from jobrunner.tui.widgets.page import Page, Shown
from jobrunner.tui.widgets.reading import Reading
from jobrunner.tui.widgets.searchline import SearchLine
from jobrunner.tui.widgets.seek import ERRORS, pattern
from jobrunner.tui.widgets.sgr import words
from jobrunner.tui.widgets.writer import Writer

_PAINT_SECONDS = 0.1
_WORK_SECONDS, _WORK_EVERY = 0.012, 0.03
_WHEEL = 3


class Output(Vertical):
    """Give it the parts as they come (``append``). A million lines are no more work to show than a screenful."""

    DEFAULT_CSS = "Output { height: 1fr; }"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("j,down", "move(1)", "Down", show=False, id="down"),
        Binding("k,up", "move(-1)", "Up", show=False, id="up"),
        Binding("g,home", "top", "To the top", show=False, id="top"),
        Binding("G,end", "bottom", "To the end, and follow", show=False, id="bottom"),
        Binding("pagedown,ctrl+f", "page(1)", "A page down", show=False, id="page_down"),
        Binding("pageup,ctrl+b", "page(-1)", "A page up", show=False, id="page_up"),
        Binding("right", "aside(1)", "To the right", show=False, id="output_right"),
        Binding("left", "aside(-1)", "To the left", show=False, id="output_left"),
        Binding("0", "aside(0)", "To the beginning of the lines", show=False, id="output_begin"),
        Binding("f", "follow", "Follow, or stop", show=False, id="output_follow"),
        Binding("/", "search", "Search", show=False, id="output_search"),
        Binding("n", "next", "Next match", show=False, id="output_next"),
        Binding("N", "previous", "Match before", show=False, id="output_previous"),
        Binding("}", "error(1)", "Next error", show=False, id="output_next_error"),
        Binding("{", "error(-1)", "Error before", show=False, id="output_previous_error"),
        Binding("&", "only", "Only lines that match", show=False, id="output_only"),
        Binding("s", "streams", "Both streams, or one", show=False, id="output_streams"),
        Binding("w", "wrap", "Wrap, or cut", show=False, id="output_wrap"),
        Binding("T", "times", "Times", show=False, id="output_times"),
        Binding("m", "mark", "Mark a line", show=False, id="output_mark"),
        Binding("y", "copy", "Copy the lines from the mark on", show=False, id="output_copy"),
        Binding("o", "pager", "In $PAGER", show=False, id="output_pager"),
        Binding("S", "save", "Save", show=False, id="output_save"),
    ]

    @dataclass
    class Changed(Message):
        """Something of the state is different, at most ten times a second."""

        output: Output
        state: OutputState

    @dataclass
    class CopyWanted(Message):
        """These lines, as they are shown, shall be in the clipboard."""

        output: Output
        text: str
        lines: int

    @dataclass
    class SaveWanted(Message):
        """The output shall be saved to a file."""

        output: Output

    @dataclass
    class PagerWanted(Message):
        """The output shall be shown in the person's pager, at this line (from 1)."""

        output: Output
        line: int

    def __init__(
        self, *, screen: Screen, zone: tzinfo = UTC, id: str | None = None, empty: str = "No output yet."
    ) -> None:
        """``zone`` is what clock times are in."""
        super().__init__(id=id)
        self._screen, self._zone, self._empty = screen, zone, empty
        self._kept = Kept()
        self._reading = Reading(self._kept, self._tall)
        self._text = OutputText(screen)
        self._line = SearchLine(screen)
        self._writer = Writer()
        self._finding = Finding(self._reading)
        self._times, self._wrap, self._left = Shown.OFF, False, 0
        self._state = OutputState()
        self._stale = False
        self._before: tuple[int | None, bool] = (None, True)

    def compose(self) -> ComposeResult:
        yield self._text
        yield self._line

    def on_mount(self) -> None:
        self._work_timer = self.set_interval(_WORK_EVERY, self._work, pause=True)
        self._paint()

    # What is shown

    def append(self, parts: Iterable[OutputPart]) -> None:
        """The next parts of the output."""
        first = not self._kept.size
        self._kept.append(parts)
        self._grown(at_once=first)

    def note(self, text: str, at: datetime) -> None:
        """A line of ours among the others: where the next attempt begins."""
        self._kept.note(text, at)
        self._grown()

    def end(self) -> None:
        """No more will come: a line without a newline is whole now."""
        self._kept.end()
        self._grown(at_once=True)

    def clear(self, empty: str | None = None) -> None:
        """Begins anew, for another attempt; how lines are shown, and what is searched, stays."""
        self._empty = self._empty if empty is None else empty
        height, self._kept = self._reading.height, Kept()
        self._reading = Reading(self._kept, self._tall)
        self._reading.height = height
        self._writer.forget()
        self._finding.turn_to(self._reading)
        self._paint()

    def set_zone(self, zone: tzinfo) -> None:
        """Clock times are in another zone."""
        if zone != self._zone:
            self._zone = zone
            self._paint()

    def set_empty(self, text: str) -> None:
        """What stands there while there is no output."""
        self._empty = text
        self._paint()

    # Where it stands

    @property
    def state(self) -> OutputState:
        """What there is to say of it, as of the latest painting."""
        return self._state

    @property
    def is_empty(self) -> bool:
        """Whether there is no output so far."""
        return not self._kept.size and not self._kept.lines

    def focus(self, scroll_visible: bool = True) -> Output:
        self._text.focus(scroll_visible)
        return self

    def go_to_line(self, number: int) -> None:
        """The cursor to a line, counted from 1."""
        self._do(lambda: self._reading.go_to(self._kept.start_of(min(number, self._kept.lines) - 1)))

    def follow(self, on: bool = True) -> None:
        """Goes on with the end of the output, or stays where it is."""
        self._do(self._reading.to_end if on else self._reading.stay)

    def find(self, text: str) -> None:
        """Searches from the line under the cursor on; an empty text ends the search.

        Raises:
            ValueError: not a regular expression.
        """
        self._finding.set_search(pattern(text) if text else None)
        self._finding.next(backwards=False, include=True)
        self._paint()

    def show_only(self, text: str, streams: str | None = None) -> None:
        """Shows only lines that match, an empty text: all; and of ``out+err``, ``out`` or ``err``, None: as it is.

        Raises:
            ValueError: not a regular expression.
        """
        self._finding.only = pattern(text) if text else None
        self._finding.streams = streams or self._finding.streams
        self._finding.select()
        self._paint()

    def go_to_last_error(self) -> None:
        """The cursor to the last line that tells of an error."""
        self._reading.stay()
        self._finding.look_for(ERRORS, backwards=True, start=len(self._kept.data))
        self._paint()

    # What a person does

    def action_move(self, lines: int) -> None:
        self._do(lambda: self._reading.move(lines))

    def action_page(self, pages: int) -> None:
        self._do(lambda: self._reading.page(pages))

    def action_top(self) -> None:
        self._do(self._reading.to_top)

    def action_bottom(self) -> None:
        self._do(self._reading.to_end)

    def action_follow(self) -> None:
        self.follow(not self._reading.following)

    def action_aside(self, screens: int) -> None:
        """What is in sight of cut lines, by half a screen; 0: from their beginning."""
        step = max(self._now().room // 2, 1)
        self._left = max(self._left + screens * step, 0) if screens else 0
        self._paint()

    def action_search(self) -> None:
        self._remember()
        self._line.open("/", self._finding.search.text if self._finding.search else "")

    def action_only(self) -> None:
        self._remember()
        self._line.open("&", self._finding.only.text if self._finding.only else "")

    def action_next(self) -> None:
        self._next(backwards=False)

    def action_previous(self) -> None:
        self._next(backwards=True)

    def action_error(self, way: int) -> None:
        self._finding.look_for(ERRORS, backwards=way < 0)
        self._paint()

    def action_streams(self) -> None:
        names = list(SELECTIONS)
        self._finding.streams = names[(names.index(self._finding.streams) + 1) % len(names)]
        self._finding.select()
        self._paint()

    def action_wrap(self) -> None:
        self._wrap, self._left = not self._wrap, 0
        self._now()
        self._do(self._reading.hold)

    def action_times(self) -> None:
        kinds = list(Shown)
        self._times = kinds[(kinds.index(self._times) + 1) % len(kinds)]
        self._paint()

    def action_mark(self) -> None:
        """A mark at the cursor, from which lines are copied; once more at the same line takes it away."""
        start = self._reading.cursor_start
        self._reading.stay()
        self._reading.mark = None if start == self._reading.mark else start
        self._paint()

    def action_copy(self) -> None:
        if not self._reading.count:
            return
        rows = self._reading.marked() or range(self._reading.cursor, self._reading.cursor + 1)
        text = "".join(words(self._reading.said(row).data) + "\n" for row in rows)
        self._reading.mark = None
        self._paint()
        self.post_message(self.CopyWanted(self, text, len(rows)))

    def action_save(self) -> None:
        self.post_message(self.SaveWanted(self))

    def action_pager(self) -> None:
        self.post_message(self.PagerWanted(self, max(self._state.line, 1)))

    def on_click(self, event: events.Click) -> None:
        seen = list(self._reading.lines())
        if event.widget is self._text and event.y < len(seen):
            self._reading.stay()
            self._do(lambda: self._reading.go(seen[event.y][0]))

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        event.stop()
        self._do(lambda: self._reading.scroll(_WHEEL))

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        event.stop()
        self._do(lambda: self._reading.scroll(-_WHEEL))

    @on(SearchLine.Typed)
    def _typed(self, event: SearchLine.Typed) -> None:
        event.stop()
        try:
            self._apply(event.kind, event.text)
        except ValueError as error:
            self._line.complain(str(error))

    @on(SearchLine.Closed)
    def _search_done(self, event: SearchLine.Closed) -> None:
        event.stop()
        if event.given_up:
            self._give_up(event.kind)
        self._text.focus()

    # Searching

    def _apply(self, kind: str, text: str) -> None:
        """What is typed is searched for at once, from where the person was."""
        self._line.complain("")
        if kind == "/":
            pattern(text)
            self._return()
            self.find(text)
        else:
            self.show_only(text)

    def _remember(self) -> None:
        self._before = (self._reading.cursor_start, self._reading.following)

    def _return(self) -> None:
        """To where the person was when the search line was opened."""
        start, following = self._before
        if following:
            self._reading.to_end()
        elif start is not None:
            self._reading.go_to(start)

    def _give_up(self, kind: str) -> None:
        """What was typed did not happen."""
        before = self._line.before
        if kind == "/":
            self._finding.set_search(pattern(before) if before else None)
        else:
            self.show_only(before)
        self._return()
        self._paint()

    def _next(self, *, backwards: bool) -> None:
        if self._finding.search is None:
            self.action_search()
        else:
            self._finding.next(backwards=backwards)
            self._paint()

    def _work(self) -> None:
        """A bit of what takes long; the rest waits, so that keys do not."""
        until = time.perf_counter() + _WORK_SECONDS
        while self._finding.busy and time.perf_counter() < until:
            self._finding.work()
        self._paint_soon()

    # Painting

    @on(OutputText.Resized)
    def _resized(self, event: OutputText.Resized) -> None:
        event.stop()
        self._now()
        self._reading.resize(self._text.size.height)
        self._paint()

    def _do(self, change: Callable[[], None]) -> None:
        self._finding.remark = ""
        change()
        self._paint()

    def _grown(self, *, at_once: bool = False) -> None:
        # Before it is painted: another reason to paint may come first, and a line that is whole now would stand twice.
        self._reading.grown()
        if at_once:
            self._paint()
        else:
            self._paint_soon()

    def _paint_soon(self) -> None:
        if not self._stale and self.is_mounted:
            self._stale = True
            self.set_timer(_PAINT_SECONDS, self._paint_grown)

    def _paint_grown(self) -> None:
        self._reading.work()
        self._paint()

    def _paint(self) -> None:
        if not self.is_mounted:
            return
        self._stale = False
        self._now()
        marked = self._reading.marked()
        strips = [
            self._writer.strips(self._reading, row, cursor=row == self._reading.cursor, marked=row in marked)[sub]
            for row, sub in self._reading.lines()
        ]
        self._text.show(strips, self._empty)
        self._tell()
        if self._finding.busy:
            self._work_timer.resume()
        else:
            self._work_timer.pause()

    def _now(self) -> Page:
        """How lines are written now."""
        search = self._finding.search
        page = Page(
            screen=self._screen,
            zone=self._zone,
            width=self._text.size.width,
            base=ground(self._text),
            times=self._times,
            begun_at=self._kept.begun_at,
            wrap=self._wrap,
            left=self._left,
            match=search.shown if search else None,
        )
        self._writer.use(page, most=8 * self._reading.height + 64)
        return page

    def _tall(self, row: int) -> int:
        return len(self._writer.strips(self._reading, row, cursor=False, marked=False)) if self._wrap else 1

    def _tell(self) -> None:
        state = described(self._reading, self._finding, times=self._times, wrap=self._wrap)
        if state != self._state:
            self._state = state
            self.post_message(self.Changed(self, state))
