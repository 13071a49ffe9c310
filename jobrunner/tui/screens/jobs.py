"""All jobs: those first that need a person, or in another order; filtered, marked, one of them in detail."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

from textual import on
from textual.app import ComposeResult

from jobrunner.domain.board import Order
from jobrunner.domain.filter_text import JOBS
from jobrunner.domain.state import RunState
from jobrunner.presentation import board
from jobrunner.presentation.sanitise import plain
from jobrunner.presentation.table import Cell
from jobrunner.tui import possible
from jobrunner.tui.runs_of_jobs import last_runs, runs_for
from jobrunner.tui.selection import NOTHING, Selection
from jobrunner.tui.tail import last_lines
from jobrunner.tui.view import View
from jobrunner.tui.widgets import bars
from jobrunner.tui.widgets.details import Details
from jobrunner.tui.widgets.ink import Pieces
from jobrunner.tui.widgets.listing import Line, Listing

if TYPE_CHECKING:
    from jobrunner.admin import Admin
    from jobrunner.domain.board import Board, JobFacts, JobLine, JobRow
    from jobrunner.domain.filter import Term
    from jobrunner.domain.filter_completion import Known
    from jobrunner.domain.status import OutputPart
    from jobrunner.presentation.screen import Screen as Terminal

_DOTS, _MORE_DOTS = 7, 14
_ROOM_FOR_DOTS = 140
"""From so many columns on twice as many of the last runs are shown."""

_LAST_LINES = 10
_SPARKS = 30
_FAR_BEYOND = 3.0
"""What took so many times as long as usual is cut, so that the others can be told apart."""

_BEYOND = 40
"""Rows on either side of those in sight whose details are asked for too, so that scrolling finds them there."""

_MOST_DETAILS = 2_000

_NONE = "No job is in the file yet.\nx offers to write one; so does `jobrunner edit`."
_NO_MATCH = "No job matches the filter.\nesc takes it away."
_READING = "The file is being read."

_ORDER_OF = {"ST": Order.ATTENTION, "NAME": Order.NAME, "NEXT": Order.NEXT, "LAST": Order.LAST, "DUR": Order.DURATION}
_ORDER_OF |= {"OK%": Order.OK, "RUNS": Order.OK}
_TITLES = {Order.NAME: "NAME", Order.NEXT: "NEXT", Order.LAST: "LAST", Order.DURATION: "DUR", Order.OK: "OK%"}


class Seen(NamedTuple):
    """The answer to the question of this screen; ``rows`` are the details of what is in sight, ``facts`` and ``tail``
    those of the job under the cursor where there is room for them."""

    board: Board
    rows: Mapping[str, JobRow]
    known: Known
    facts: JobFacts | None
    tail: tuple[OutputPart, ...]


class Jobs(View):
    """Screen 2."""

    name_shown = "Jobs"
    number = "2"
    filterable = True
    subject = JOBS
    hints = ("open", "run_now", "retry", "pause", "output", "edit_here", "mark", "order", "cancel", "menu")
    states = (*RunState, "paused", "disabled", "late")
    all_columns = tuple(column.title for column in board.WIDE_COLUMNS if column.title != "NAME")

    orders: ClassVar[Mapping[str, str]] = {
        Order.ATTENTION.value: "What needs a person first",
        Order.NAME.value: "By name",
        Order.LAST.value: "The newest run first",
        Order.NEXT.value: "The next fire first",
        Order.DURATION.value: "The longest last run first",
        Order.OK.value: "The smallest part that succeeds first",
    }

    def __init__(self) -> None:
        super().__init__()
        self._reverse = False
        self._was = ""
        self._terms: tuple[Term, ...] = ()
        self._seen: Seen | None = None
        self._rows: dict[str, JobRow] = {}
        self._missing = False
        self._of = ""

    def body(self) -> ComposeResult:
        self._was = self.order
        yield Listing(board.COLUMNS, screen=self.terminal, id="jobs", key=_name, empty=_NONE)

    def detail(self) -> ComposeResult:
        yield Details(screen=self.terminal, id="what")

    # --- asking and showing -------------------------------------------------------------------------------------------

    def question(self) -> Callable[[Admin], object]:
        listing = self.query_one(Listing)
        order, reverse, terms, wide = Order(self.order), self._reverse, self._terms, self.wide
        sight = slice(max(listing.top - _BEYOND, 0), listing.top + listing.size.height + _BEYOND)
        cursor = str(listing.cursor_key) if wide and listing.cursor_key is not None else None

        def look(admin: Admin) -> Seen:
            found = admin.board(order, reverse=reverse, terms=terms)
            rows = {row.name: row for row in admin.board_rows([line.name for line in found.lines[sight]])}
            name = cursor or next((line.name for line in found.lines if wide), None)
            return Seen(found, rows, admin.names_at_hand(), *(_facts(admin, name) if name is not None else (None, ())))

        return look

    def show(self, answer: Any) -> None:
        listing, had = self.query_one(Listing), self._seen
        self._seen = answer
        self._missing = False
        if len(self._rows) > _MOST_DETAILS:
            self._rows = {}
        news = any(self._rows.get(name) != row for name, row in answer.rows.items())
        self._rows.update(answer.rows)
        listing.set_empty(self._empty())
        if had is None or had.board.lines != answer.board.lines:
            listing.show(answer.board.lines, self._line)
        if not answer.board.reading:
            listing.hold()  # jobs change places by themselves: a key must not act on one that has just come there
        if news:
            listing.again()
        self._detail()

    def tick(self) -> None:
        self.query_one(Listing).again()
        self._detail()

    def status(self) -> str:
        if self._seen is None:
            return ""
        found = self._seen.board
        said = [board.counts(found, len(found.lines)), f"by {self.order}{' reversed' if self._reverse else ''}"]
        marked = len(self.query_one(Listing).marked)
        said += [f"filter: {plain(self.filter_text)}"] if self.filter_text else []
        said += [f"{marked:,} marked"] if marked else []
        said += ["the file is being read"] if found.reading else []
        said += [f"the file cannot be used: {plain(found.problem)}"] if found.problem else []
        return " · ".join(said)

    def selection(self) -> Selection:
        listing = self.query_one(Listing)
        names = tuple(map(str, listing.chosen))
        can = possible.with_jobs(map(self._rows.get, names))
        return Selection("job", names, marked=bool(listing.marked), possible=can) if names else NOTHING

    def selection_for(self, id: str) -> Selection:
        """What is done with runs is done with those that make the jobs stand as they do; output is of the last one."""
        selection = self.selection()
        if self._seen is None or selection.kind != "job":
            return selection
        rows = [row for name in selection.ids if (row := self._rows.get(str(name))) is not None]
        last = {row.name: row.last for row in rows if row.last is not None}
        if id == "output":
            return last_runs({name: run.id for name, run in last.items()}, selection)
        here = self.query_one(Listing).cursor_row
        lines: Iterable[JobLine] = self._seen.board.lines if selection.marked or here is None else (here,)
        return runs_for(id, lines, last, selection)

    def command(self) -> Sequence[str]:
        return ("jobs",)

    # --- finding ------------------------------------------------------------------------------------------------------

    def filter(self, text: str) -> None:
        terms = self.app.admin.terms(text, jobs=True)
        if terms != self._terms:
            self._terms = terms
            self.ask(interrupt=True)

    def ordered(self) -> None:
        """The order that was on, chosen again, is turned round."""
        self._put_in_order(reverse=self.order == self._was and not self._reverse)

    def columned(self) -> None:
        self.query_one(Listing).set_columns(self._columns)
        self._mark_order()
        self.query_one(Listing).again()

    @on(Listing.OrderWanted)
    def _order_wanted(self, event: Listing.OrderWanted) -> None:
        wanted = _ORDER_OF.get(self._columns[event.column].title)
        if wanted is not None:
            self.app.remembered.keep(f"{self.name_shown}.order", wanted.value)
            self.ordered()
            self.restate()

    def _put_in_order(self, *, reverse: bool) -> None:
        self._was, self._reverse = self.order, reverse
        self._mark_order()
        self.query_one(Listing).action_top()
        self.ask(interrupt=True)

    def _mark_order(self) -> None:
        title = _TITLES.get(Order(self.order))
        place = next((place for place, column in enumerate(self._columns) if column.title == title), None)
        downwards = (self.order in (Order.LAST, Order.DURATION)) != self._reverse
        self.query_one(Listing).set_order(place, descending=downwards)

    # --- where it leads -----------------------------------------------------------------------------------------------

    @on(Listing.Chosen)
    def _chosen(self, event: Listing.Chosen) -> None:
        self.app.open_thing("job", str(event.key))

    @on(Listing.Moved)
    def _moved(self, event: Listing.Moved) -> None:
        self.restate()
        if self.wide:
            self.ask()

    @on(Listing.Marked)
    def _marked(self, event: Listing.Marked) -> None:
        self.restate()

    def action_back(self) -> None:
        if not self.query_one(Listing).clear_marks():
            super().action_back()

    def on_resize(self, event: Any) -> None:
        super().on_resize(event)
        self.columned()
        self.ask()

    # --- how it is written --------------------------------------------------------------------------------------------

    @property
    def _columns(self) -> Sequence[Any]:
        columns = board.WIDE_COLUMNS if self.wide else board.COLUMNS
        return [column for column in columns if column.title not in self.hidden]

    def _line(self, line: JobLine) -> Line:
        row = self._rows.get(line.name)
        if row is None:
            self._want_details()
        dots = bars.dots(board.outcomes(row), self._dots, self.terminal) if row is not None else ()
        found = board.cells(line, row, dots, self.terminal, self.times())
        return Line(line.name, tuple(found.get(column.title, Cell(" ")) for column in self._columns))

    @property
    def _dots(self) -> int:
        return _MORE_DOTS if self.app.size.width >= _ROOM_FOR_DOTS else _DOTS

    def _want_details(self) -> None:
        """Asks for what is in sight and not known, once for all that is written now."""
        if not self._missing:
            self._missing = True
            self.call_after_refresh(self.ask)

    def _empty(self) -> str:
        found = self._seen.board if self._seen is not None else None
        if found is None or (found.reading and not any(found.counts)):
            return _READING
        if any(found.counts):
            return _NO_MATCH
        return f"The file cannot be used.\n{plain(found.problem)}" if found.problem else _NONE

    def _detail(self) -> None:
        if not self.wide or self._seen is None:
            return
        facts = self._seen.facts
        name = facts.row.name if facts is not None else ""
        self.query_one("#what", Details).show(self._written, keep=name == self._of)
        self._of = name

    def _written(self, screen: Terminal) -> list[str | Pieces]:
        seen, row = self._seen, self.query_one(Listing).cursor_row
        if seen is None or seen.facts is None or row is None:
            return []
        if row.name != seen.facts.row.name:
            return [(Cell(plain(row.name), "bold"),)]
        facts = seen.facts
        lines: list[str | Pieces] = [board.head(row, facts, self.terminal)]
        lines += [(Cell(board.reason(row), "bold"),), ""] if board.reason(row) else [""]
        lines += board.about(facts, self.terminal, self.times())
        if facts.durations:
            values = [took.total_seconds() for took in facts.durations[-min(_SPARKS, screen.width) :]]
            lines += ["", (Cell(f"DURATION last {len(values)}  ", "dim"), Cell(board.lengths(facts)))]
            usual = facts.usual.p95.total_seconds() if facts.usual is not None else max(values)
            lines += [bars.spark(values, self.terminal, style="cyan", top=min(max(values), _FAR_BEYOND * usual))]
        if seen.tail:
            lines += ["", (Cell(f"THE LAST OUTPUT OF RUN {facts.runs[0].id}", "dim"),)]
            lines += last_lines(seen.tail, _LAST_LINES)
        return lines


def _facts(admin: Admin, name: str) -> tuple[JobFacts | None, tuple[OutputPart, ...]]:
    from jobrunner.errors import ConfigError, NotFound

    try:
        facts = admin.job_facts(name)
    except (NotFound, ConfigError):
        return None, ()  # it has just left the file
    try:
        run = facts.runs[0] if facts.runs else None
        return facts, tuple(admin.tail(run.id, _LAST_LINES)) if run is not None and run.attempt else ()
    except NotFound:
        return facts, ()


def _name(line: JobLine) -> str:
    return line.name
