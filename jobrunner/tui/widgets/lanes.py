"""The schedule as lanes: a line for each job, times above them, the load below. Scrolled and zoomed by keys.

It is given what there is in a stretch of time, and announces which stretch a person wants to see instead.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from typing import ClassVar, NamedTuple

from rich.cells import cell_len
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.message import Message

from jobrunner.presentation.sanitise import plain
from jobrunner.presentation.screen import Screen
from jobrunner.presentation.table import Cell, Column
from jobrunner.tui.widgets.chart import Chart
from jobrunner.tui.widgets.ink import Pieces, clipped
from jobrunner.tui.widgets.listing import Line, Listing
from jobrunner.tui.widgets.scale import LENGTHS, Scale
from jobrunner.tui.widgets.sheet import GAP, MARGIN
from jobrunner.tui.widgets.sized import Sized
from jobrunner.tui.widgets.track import Lane, load_line, marks_line, track

__all__ = ["LENGTHS", "Lane", "Lanes", "Plan"]

_BEFORE_NOW = 12
"""The part of the time that is shown before now: one of so many."""

_UNKNOWN = Cell("")


class Plan(NamedTuple):
    """All that is shown. ``load``: attempts that will run from an instant on; empty: there is no line for it.

    ``names`` are all rows in order, where there are more than those of ``lanes``; ``widths`` are the cells for the
    names and for what stands at the end of the lines, where they are not to follow from the lanes.
    """

    lanes: tuple[Lane, ...]
    begin: datetime
    end: datetime
    now: datetime
    zone: tzinfo
    load: tuple[tuple[datetime, float], ...] = ()
    names: tuple[str, ...] | None = None
    widths: tuple[int, int] | None = None


class _Form(NamedTuple):
    """Cells for the names, the marks, and the words at the end."""

    name: int
    columns: int
    right: int


class Lanes(Sized, Vertical):
    """A ``Listing`` of the names: its messages tell of the job under the cursor."""

    DEFAULT_CSS = "Lanes { height: 1fr; }"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("right", "later(1)", "Later", show=False, id="lanes_later"),
        Binding("left", "later(-1)", "Earlier", show=False, id="lanes_earlier"),
        Binding("0", "now", "Back to now", show=False, id="lanes_now"),
        Binding("+,=", "zoom(-1)", "A shorter time", show=False, id="lanes_closer"),
        Binding("-", "zoom(1)", "A longer time", show=False, id="lanes_wider"),
    ]

    @dataclass
    class TimeWanted(Message):
        """Another stretch of time shall be shown."""

        lanes: Lanes
        begin: datetime
        end: datetime

    @dataclass
    class LanesWanted(Message):
        """Rows have come into sight whose lanes are not known."""

        lanes: Lanes

    def __init__(
        self,
        *,
        screen: Screen,
        id: str | None = None,
        empty: str = "No job has a schedule.\nA job gets one in jobs.toml.",
    ) -> None:
        super().__init__(id=id)
        self._screen = screen
        self._plan: Plan | None = None
        self._form: _Form | None = None
        self._known: dict[str, Lane] = {}
        self._lacking = False
        self._wanted: tuple[datetime, datetime] | None = None
        self._axis = Chart(screen)
        self.listing = Listing((), screen=screen, titles=False, empty=empty, key=str)
        self._load = Chart(screen)

    def compose(self) -> ComposeResult:
        yield self._axis
        yield self.listing
        yield self._load

    def show(self, plan: Plan) -> None:
        """What there is to see in the stretch of time of the plan."""
        if self._plan is None or (plan.begin, plan.end) != (self._plan.begin, self._plan.end):
            self._wanted = None
        self._plan = plan
        self._known = {lane.name: lane for lane in plan.lanes}
        self._lacking = False
        self._again()

    @property
    def plan(self) -> Plan | None:
        """What is shown."""
        return self._plan

    @staticmethod
    def columns(width: int, name: int, right: int) -> int:
        """How many columns of time there are in a width, beside names and what stands at the end of so many cells."""
        return max(width - MARGIN - _least(name, width // 4, 8) - _least(right, width // 6, 7) - 2 * GAP, 1)

    @staticmethod
    def around(now: datetime, length: timedelta = LENGTHS[0]) -> tuple[datetime, datetime]:
        """The stretch of time to begin with: a little of what is past, and what comes."""
        begin = now - length / _BEFORE_NOW
        return begin, begin + length

    def focus(self, scroll_visible: bool = True) -> Lanes:
        self.listing.focus(scroll_visible)
        return self

    def action_later(self, way: int) -> None:
        """By half of what is in sight."""
        if self._plan is not None:
            begin, end = self._stretch()
            step = (end - begin) / 2 * way
            self._want(begin + step, end + step)

    def action_now(self) -> None:
        if self._plan is not None:
            begin, end = self._stretch()
            self._want(*self.around(self._plan.now, end - begin))

    def action_zoom(self, way: int) -> None:
        """The next longer or shorter time; what is past of it stays the same share where now is in sight."""
        if (plan := self._plan) is None:
            return
        begin, end = self._stretch()
        length = end - begin
        others = [other for other in LENGTHS if (other > length if way > 0 else other < length)]
        if not others:
            return
        fresh = others[0] if way > 0 else others[-1]
        here = plan.now if begin <= plan.now < end else begin
        begin = here - (here - begin) * (fresh / length)
        self._want(begin, begin + fresh)

    def _stretch(self) -> tuple[datetime, datetime]:
        """What is shown, or what has been asked for and is not shown yet: keys may come faster than answers."""
        assert self._plan is not None
        return self._wanted or (self._plan.begin, self._plan.end)

    def sized(self) -> None:
        self._again()

    def _want(self, begin: datetime, end: datetime) -> None:
        self._wanted = begin, end
        self.post_message(self.TimeWanted(self, begin, end))

    def _again(self) -> None:
        plan, width = self._plan, self.size.width
        if plan is None or not width:
            return
        form = _fitted(plan, width)
        if form != self._form:
            self._form = form
            self.listing.set_columns((Column(title=""), Column(title=""), Column(title="", right=True)))
        scale = Scale(plan.begin, plan.end, form.columns, plan.zone)
        names = plan.names if plan.names is not None else tuple(self._known)
        self.listing.show(names, lambda name: self._line(name, form, scale, plan.now))
        self._axis.show(lambda _: self._above(plan, form, scale))
        self._load.show(lambda _: self._below(plan, form, scale))

    def _line(self, job: str, form: _Form, scale: Scale, now: datetime) -> Line:
        lane = self._known.get(job)
        if lane is None:
            lane = Lane(job, right=_UNKNOWN)
            if not self._lacking:
                self._lacking = True
                self.post_message(self.LanesWanted(self))
        name = _exactly(lane.name, form.name, self._screen)
        right = _exactly(lane.right.text, form.right, self._screen, right=True)
        return Line(lane.name, (Cell(name), track(lane, scale, now, self._screen), Cell(right, lane.right.style)))

    def _above(self, plan: Plan, form: _Form, scale: Scale) -> list[Pieces]:
        margin = Cell(" " * (MARGIN + form.name + GAP))
        return [(margin, Cell(scale.axis(), "dim")), (margin, *marks_line(scale, plan.now, self._screen))]

    def _below(self, plan: Plan, form: _Form, scale: Scale) -> list[Pieces]:
        if not plan.load:
            return []
        peak = max((value for at, value in plan.load if scale.column(at) is not None), default=0.0)
        name = Cell(" " * MARGIN + _exactly("load", form.name + GAP, self._screen), "dim")
        said = _exactly(
            f"peak {peak:,.0f}" if peak >= 100 else f"peak {peak:.3g}", form.right, self._screen, right=True
        )
        return [(name, *load_line(plan.load, scale, self._screen), Cell(" " * GAP + said, "dim"))]


def _fitted(plan: Plan, width: int) -> _Form:
    name, right = plan.widths or (
        max([0, *(cell_len(plain(lane.name)) for lane in plan.lanes)]),
        max([0, *(cell_len(plain(lane.right.text)) for lane in plan.lanes)]),
    )
    columns = Lanes.columns(width, name, right)
    return _Form(_least(name, width // 4, 8), columns, _least(right, width // 6, 7))


def _least(wanted: int, most: int, least: int) -> int:
    return max(min(max(wanted, least), most), least)


def _exactly(text: str, width: int, screen: Screen, *, right: bool = False) -> str:
    said = clipped(plain(text), width, screen)
    padding = " " * (width - cell_len(said))
    return padding + said if right else said + padding
