"""The overview: what needs attention and why, what runs, how the day went, what comes next."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from textual import on
from textual.app import ComposeResult

from jobrunner.domain.attention import Concern
from jobrunner.presentation import overview
from jobrunner.presentation.sanitise import plain
from jobrunner.presentation.table import Cell
from jobrunner.tui import possible
from jobrunner.tui.panes import Panes
from jobrunner.tui.selection import NOTHING, Selection
from jobrunner.tui.tail import last_lines
from jobrunner.tui.widgets import bars
from jobrunner.tui.widgets.chart import Chart
from jobrunner.tui.widgets.details import Details
from jobrunner.tui.widgets.ink import Pieces
from jobrunner.tui.widgets.listing import Line, Listing
from jobrunner.tui.widgets.rule import rule

if TYPE_CHECKING:
    from jobrunner.admin import Admin
    from jobrunner.admin.outlook import Ahead
    from jobrunner.domain.at_work import AtWork
    from jobrunner.domain.attention import Attention, Needs
    from jobrunner.domain.day import Day
    from jobrunner.domain.status import OutputPart
    from jobrunner.presentation.screen import Screen as Terminal

_SHOWN = 100
_MOMENTS = 12
_BAR = 16
_LAST_LINES = 12
_LEAST_RUNNING = 4
"""Lines that what runs keeps, beside however many exceptions."""

_OF_A_RUN = frozenset({Concern.FAILED, Concern.LATE, Concern.OVERDUE, Concern.SLOW, Concern.APPROVAL, Concern.RETRYING})


class Seen(NamedTuple):
    """The answer to the overview's question; ``tail`` are the last lines of the run under the cursor.

    ``day`` is None in the first one: it takes as long as all else together, and would keep exceptions waiting.
    """

    needs: Needs
    running: tuple[AtWork, ...]
    day: Day | None
    coming: Ahead
    servers: int
    tail: tuple[OutputPart, ...] = ()
    tail_of: int | None = None


class Overview(Panes):
    """Screen 1."""

    name_shown = "Overview"
    number = "1"
    hints = ("open", "output", "retry", "run_now", "pause", "next_pane")

    def __init__(self) -> None:
        super().__init__()
        self._seen: Seen | None = None

    def body(self) -> ComposeResult:
        screen = self.terminal
        yield Chart(screen, self._draw_day, id="day")
        yield Chart(screen, self._draw_attention_head, id="attention-head")
        yield Listing(overview.ATTENTION_COLUMNS, screen=screen, id="attention", titles=False, key=_key, empty="")
        yield Chart(screen, self._draw_running_head, id="running-head")
        yield Listing(
            overview.RUNNING_COLUMNS,
            screen=screen,
            id="running",
            key=lambda item: item.run.id,
            empty="Nothing runs.",
        )
        yield Chart(screen, self._draw_coming, id="coming")

    def detail(self) -> ComposeResult:
        yield Details(screen=self.terminal, id="what")

    def question(self) -> Callable[[Admin], object]:
        run_id = self._run_under_cursor() if self.wide else None
        buckets = self._width() - 6 if self._seen is not None else None
        return lambda admin: _look(admin, run_id, buckets)

    def show(self, answer: Any) -> None:
        self._seen = answer
        self.listing("attention").show(answer.needs.items, self._attention_row)
        self.listing("running").show(answer.running, self._running_row)
        self._share_room()
        self.redraw()
        if answer.day is None:
            self.ask()

    def selection(self) -> Selection:
        listing = self.focused_list
        item = listing.cursor_row
        if item is None:
            return NOTHING
        if listing.id == "running":
            return Selection("run", (item.run.id,), jobs=(item.run.job,), possible=possible.with_runs([item.run]))
        return _selected(item)

    def status(self) -> str:
        if self._seen is None:
            return ""
        needs, running = self._seen.needs.total, len(self._seen.running)
        verb = "needs" if needs == 1 else "need"
        return f"{needs:,} {verb} attention · {running:,} running" if needs else f"all is well · {running:,} running"

    def on_resize(self, event: Any) -> None:
        super().on_resize(event)
        self._share_room()

    @on(Listing.Chosen)
    def _chosen(self, event: Listing.Chosen) -> None:
        item = event.listing.cursor_row
        if item is not None and event.listing.id == "running":
            self.app.open_thing("run", item.run.id)
        elif item is not None:
            self._go_to(item)

    @on(Listing.Moved)
    def _moved(self, event: Listing.Moved) -> None:
        self.restate()
        if self.wide:
            self._detail()
            self.ask()

    def _go_to(self, item: Attention) -> None:
        kind, name = item.subject
        if item.concern is Concern.FAILED and item.count > 1:
            self.app.open_filtered("3", f"dead job:{name}")
        elif item.run_id is not None:
            self.app.open_thing("run", item.run_id)
        elif kind == "job":
            self.app.open_thing("job", name)
        else:
            self.app.open_number({"queue": "4", "file": "7", "all": "2"}.get(kind, "6"))

    def _run_under_cursor(self) -> int | None:
        selection = self.selection()
        return int(selection.ids[0]) if selection.kind == "run" else None

    # --- how it is drawn ----------------------------------------------------------------------------------------------

    def _width(self) -> int:
        """Of the body, also before it has been laid out."""
        return max(self.query_one("#day").size.width or self.app.size.width, 7)

    def redraw(self) -> None:
        for chart, draw in (
            ("#day", self._draw_day),
            ("#attention-head", self._draw_attention_head),
            ("#running-head", self._draw_running_head),
            ("#coming", self._draw_coming),
        ):
            self.query_one(chart, Chart).show(draw)
        self._detail()

    def _share_room(self) -> None:
        """Exceptions get the lines that they need, and what runs keeps some."""
        if self._seen is None:
            return
        fixed = sum(self.query_one(f"#{name}", Chart).size.height or 1 for name in _CHARTS)
        room = max(self.query_one("#body").size.height - fixed, 2)
        wanted = max(len(self._seen.needs.items), 1)
        keeps = min(_LEAST_RUNNING, len(self._seen.running) + 1, room - 1)
        self.give_lines("attention", max(min(wanted, room - keeps), 1) if self._seen.needs.items else 0)
        self.listing("attention").display = bool(self._seen.needs.items)

    def _attention_row(self, item: Attention) -> Line:
        return Line(_key(item), overview.attention(item, self.terminal, self.times()))

    def _running_row(self, item: AtWork) -> Line:
        bar = bars.progress(item.share, 1.0, _BAR, self.terminal) if item.share is not None else (Cell("-", "dim"),)
        return Line(item.run.id, overview.running(item, bar, self.terminal, self.times()))

    def _draw_day(self, width: int) -> Sequence[Pieces]:
        day = self._seen.day if self._seen is not None else None
        if day is None:
            return ((), (), ())
        lines = bars.outcomes(day.ok, day.bad, width - 1, self.terminal)
        return [(Cell(" "), *overview.day(day, width - 1, self.terminal)), *((Cell(" "), *line) for line in lines)]

    def _draw_attention_head(self, width: int) -> Sequence[Pieces]:
        if self._seen is None:
            return ((),)
        needs = self._seen.needs
        head = rule(f"NEEDS ATTENTION ({needs.total:,})", width, self.terminal, right="why, since when")
        return [head] if needs.items else [head, overview.all_well(self.terminal, self._seen.servers)]

    def _draw_running_head(self, width: int) -> Sequence[Pieces]:
        running = len(self._seen.running) if self._seen is not None else 0
        return [rule(f"RUNNING ({running:,}{'+' if running == _SHOWN else ''})", width, self.terminal)]

    def _draw_coming(self, width: int) -> Sequence[Pieces]:
        coming = self._seen.coming if self._seen is not None else None
        head = Cell(" NEXT ", "dim")
        if coming is None or not coming.fires:
            reading = coming is None or coming.reading
            return [(head, Cell(" the file is being read" if reading else " nothing fires by itself"))]
        return [(head, *overview.coming(coming.fires, width - 6, self.terminal, self.times()))]

    def _detail(self) -> None:
        if self.wide and self._seen is not None:
            self.query_one("#what", Details).show(self._written)

    def _written(self, screen: Terminal) -> list[str | Pieces]:
        listing, seen = self.focused_list, self._seen
        item = listing.cursor_row
        if item is None or seen is None:
            return ["Nothing is under the cursor."]
        lines: list[str | Pieces] = []
        if listing.id == "running":
            lines += [(Cell(f"run {item.run.id} {plain(item.run.job)}", "bold"),)]
            run_id = item.run.id
        else:
            run_id = item.run_id
            lines += [(Cell(overview.subject(item), "bold"),), plain(item.words), ""]
            lines += [(Cell("since  ", "dim"), Cell(self.times().full(item.since)))]
            if item.until is not None:
                lines += [(Cell("until  ", "dim"), Cell(self.times().full(item.until)))]
            if item.verb:
                lines += [(Cell("do     ", "dim"), Cell(plain(item.verb)))]
        if run_id is not None and seen.tail_of == run_id and seen.tail:
            lines += ["", (Cell(f"the last output of run {run_id}", "dim"),)]
            lines += last_lines(seen.tail, _LAST_LINES)
        return lines


_CHARTS = ("day", "attention-head", "running-head", "coming")


def _look(admin: Admin, run_id: int | None, buckets: int | None) -> Seen:
    from jobrunner.errors import NotFound

    tail = tuple[Any, ...]()
    if run_id is not None:
        try:
            tail = tuple(admin.tail(run_id, _LAST_LINES))
        except NotFound:
            pass
    return Seen(
        needs=admin.attention(_SHOWN),
        running=admin.running(_SHOWN),
        day=admin.day(buckets) if buckets is not None else None,
        coming=admin.upcoming(_MOMENTS),
        servers=admin.pulse().servers,
        tail=tail,
        tail_of=run_id,
    )


def _key(item: Attention) -> tuple[str, str, str]:
    return (item.concern.value, item.subject.kind, str(item.subject.id))


def _selected(item: Attention) -> Selection:
    kind, name = item.subject
    if item.concern in _OF_A_RUN and item.run_id is not None:
        can = possible.WITH_DEAD_LETTERS if item.concern is Concern.FAILED else possible.WITH_WHAT_IS_UNDER_WAY
        return Selection("run", (item.run_id,), jobs=(str(name),), possible=can)
    if kind in ("job", "queue") and name:
        return Selection("job" if kind == "job" else "queue", (name,))
    return Selection("file") if kind == "file" else NOTHING
