"""The schedule: lanes of what fires and fired, the load that is to be expected, and when a job fires, in words."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

from rich.cells import cell_len
from textual import events, on
from textual.app import ComposeResult

from jobrunner.domain.board import Order, Stand
from jobrunner.domain.filter_text import JOBS
from jobrunner.domain.state import RunState
from jobrunner.presentation import schedule
from jobrunner.presentation.counted import counted
from jobrunner.presentation.sanitise import plain
from jobrunner.tui.runs_of_jobs import last_runs, runs_for
from jobrunner.tui.selection import NOTHING, Selection
from jobrunner.tui.view import View
from jobrunner.tui.widgets.chart import Chart
from jobrunner.tui.widgets.details import Details
from jobrunner.tui.widgets.ink import Pieces
from jobrunner.tui.widgets.lanes import LENGTHS, Lane, Lanes, Plan
from jobrunner.tui.widgets.listing import Listing

if TYPE_CHECKING:
    from jobrunner.admin import Admin
    from jobrunner.domain import lanes as domain
    from jobrunner.domain.board import Ended, JobFacts, JobLine
    from jobrunner.domain.clock import Clock
    from jobrunner.domain.filter import Term
    from jobrunner.domain.filter_completion import Known
    from jobrunner.presentation.screen import Screen as Terminal

_LENGTHS = dict(zip(("1h", "6h", "24h", "7d"), LENGTHS, strict=True))
_NONE = "No job has a schedule.\ne on a job of screen 2 gives it one; so does `jobrunner edit JOB`."
_NO_MATCH = "No job with a schedule matches the filter.\nesc takes it away."
_READING = "The file is being read."
_EPOCH = datetime(2000, 1, 1, tzinfo=UTC)
_FAST = timedelta(seconds=1)


class Wanted(NamedTuple):
    """What is asked for: ``begin`` None goes with the time; ``rows`` are the places of the names in sight."""

    order: Order
    terms: tuple[Term, ...]
    begin: datetime | None
    length: timedelta
    width: int
    rows: tuple[int, int]
    job: str | None
    wide: bool


class Seen(NamedTuple):
    """The answer; ``lines`` are all jobs that the filter shows and that have a schedule. ``name_width``: cells of the
    longest name; ``facts`` are of the job under the cursor, where there is room for them; ``last`` has that job and its
    last run.
    """

    lines: tuple[JobLine, ...]
    stands: dict[str, Stand]
    lanes: domain.Lanes
    name_width: int
    facts: JobFacts | None
    known: Known
    problem: str
    last: tuple[str, Ended] | None

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(line.name for line in self.lines)


class Schedule(View):
    """Screen 5."""

    name_shown = "Schedule"
    number = "5"
    filterable = True
    subject = JOBS
    hints = (
        "open",
        "lanes_later",
        "lanes_wider",
        "lanes_closer",
        "run_now",
        "retry",
        "pause",
        "why",
        "decisions",
        "cancel",
    )
    states = (*RunState, "paused", "disabled", "late")
    orders: ClassVar[Mapping[str, str]] = {
        Order.NEXT.value: "The next fire first",
        Order.NAME.value: "By name",
        Order.ATTENTION.value: "What needs a person first",
    }

    def __init__(self) -> None:
        super().__init__()
        self._seen: Seen | None = None
        self._terms: tuple[Term, ...] = ()
        self._begin: datetime | None = None
        self._length = LENGTHS[0]

    def body(self) -> ComposeResult:
        yield Lanes(screen=self.terminal, id="lanes")
        yield Chart(self.terminal, self._draw_foot, id="foot")

    def detail(self) -> ComposeResult:
        yield Details(screen=self.terminal, id="what")

    # --- what is asked and shown --------------------------------------------------------------------------------------

    def question(self) -> Callable[[Admin], object]:
        lanes = self.query_one(Lanes)
        listing, clock = lanes.listing, self.app.setting.clock
        height = max(listing.size.height, self.app.size.height - 10, 1)
        wanted = Wanted(
            order=Order(self.order),
            terms=self._terms,
            begin=self._begin,
            length=self._length,
            width=lanes.size.width or self.app.size.width,
            rows=(max(listing.top - height // 2, 0), listing.top + height + height // 2),
            job=self._under_cursor(),
            wide=self.wide,
        )
        return lambda admin: _look(admin, wanted, clock)

    def show(self, answer: Any) -> None:
        self._seen = answer
        self.query_one(Lanes).listing.set_empty(
            _NO_MATCH if self._terms else _READING if answer.lanes.reading else _NONE
        )
        self._draw()
        if not answer.lanes.reading and answer.lanes.load is not None:
            self.query_one(Lanes).listing.hold()  # jobs change places as they fire: a key must not act on another one
        self._detail()

    def tick(self) -> None:
        seen = self._seen
        if seen is None:
            return
        self._draw()
        usual = _aligned(self.app.setting.clock.now(), self._length, seen.lanes.columns)
        if self._begin is None and usual != seen.lanes.start:
            self.ask()

    def selection(self) -> Selection:
        if self._seen is None or not self._seen.lines:
            return NOTHING
        listing = self.query_one(Lanes).listing
        return Selection("job", tuple(map(str, listing.chosen)), marked=bool(listing.marked))

    def selection_for(self, id: str) -> Selection:
        """What is done with runs is done with those that make the jobs stand as they do; output is of the last one."""
        selection, seen = self.selection(), self._seen
        if seen is None or selection.kind != "job":
            return selection
        last = dict([seen.last]) if seen.last is not None and seen.last[0] in selection.ids else {}
        if id == "output":
            return last_runs({name: run.id for name, run in last.items()}, selection)
        here = seen.lines[self.query_one(Lanes).listing.position :][:1]
        one = not selection.marked and [line.name for line in here] == list(selection.ids)
        return runs_for(id, here if one else seen.lines, last, selection)

    def status(self) -> str:
        seen = self._seen
        if seen is None:
            return ""
        marked = len(self.query_one(Lanes).listing.marked)
        said = [counted(len(seen.lines), "scheduled job"), f"by {self.order}"]
        said += [f"filter: {plain(self.filter_text)}"] if self.filter_text else []
        said += [f"{marked:,} marked"] if marked else []
        said += ["the file is being read"] if seen.lanes.reading else []
        said += [f"the file cannot be used: {plain(seen.problem)}"] if seen.problem else []
        return " · ".join(said)

    def remark(self) -> str:
        return next(f"{name} at once" for name, length in _LENGTHS.items() if length == self._length)

    def command(self) -> Sequence[str]:
        job = self._under_cursor()
        return ["next", job] if job is not None else []

    # --- what a person does -------------------------------------------------------------------------------------------

    def filter(self, text: str) -> None:
        terms = self.app.admin.terms(text, jobs=True)
        if terms != self._terms:
            self._terms = terms
            self.ask(interrupt=True)

    def ordered(self) -> None:
        self.ask()

    def on_resize(self, event: events.Resize) -> None:
        super().on_resize(event)
        self.call_after_refresh(self.ask)

    @on(Lanes.TimeWanted)
    def _time_wanted(self, event: Lanes.TimeWanted) -> None:
        self._length = event.end - event.begin
        usual = Lanes.around(self.app.setting.clock.now(), self._length)[0]
        self._begin = None if abs(event.begin - usual) <= self._length / 20 else event.begin
        self.ask(interrupt=True)

    @on(Lanes.LanesWanted)
    def _lanes_wanted(self) -> None:
        self.ask()

    @on(Listing.Moved)
    def _moved(self) -> None:
        self.ask()
        self.restate()

    @on(Listing.Marked)
    def _marked(self) -> None:
        self.restate()

    @on(Listing.Chosen)
    def _chosen(self, event: Listing.Chosen) -> None:
        self.app.open_thing("job", str(event.key))

    def _under_cursor(self) -> str | None:
        key = self.query_one(Lanes).listing.cursor_key if self._seen is not None else None
        return None if key is None else str(key)

    # --- how it is drawn ----------------------------------------------------------------------------------------------

    def _draw(self) -> None:
        seen = self._seen
        if seen is None:
            return
        times, given = self.times(), seen.lanes
        step = (given.end - given.start) / given.columns
        load = given.load
        rows = [
            Lane(
                lane.name,
                right=schedule.right(lane, seen.stands[lane.name], self.terminal, times),
                cells=schedule.cells(lane, self.terminal),
            )
            for lane in given.lanes
        ]
        plan = Plan(
            lanes=tuple(rows),
            names=seen.names,
            begin=given.start,
            end=given.end,
            now=times.now,
            zone=times.zone,
            load=tuple((given.start + step * (n + 0.5), busy) for n, busy in enumerate(load.busy)) if load else (),
            widths=(seen.name_width, schedule.RIGHT),
        )
        self.query_one(Lanes).show(plan)
        self.query_one("#foot", Chart).show(self._draw_foot)

    def _draw_foot(self, width: int) -> Sequence[Pieces]:
        seen = self._seen
        if seen is None:
            return ((), ())
        beat, given = self.app.vitals.pulse, seen.lanes
        workers = beat.workers if beat is not None else None
        return (
            schedule.amount(given.load, given.missed, given.marks, workers, self.times()),
            schedule.legend({name: length == self._length for name, length in _LENGTHS.items()}, self.terminal),
        )

    def _detail(self) -> None:
        seen = self._seen
        if not self.wide or seen is None:
            return
        facts = seen.facts
        self.query_one("#what", Details).show(self._written, keep=facts is not None)

    def _written(self, screen: Terminal) -> list[str]:
        facts = self._seen.facts if self._seen is not None else None
        return list(schedule.job(facts, screen, self.times())) if facts is not None else []


def _look(admin: Admin, wanted: Wanted, clock: Clock) -> Seen:
    board, having = admin.board(wanted.order, terms=wanted.terms), admin.scheduled()
    lines = tuple(line for line in board.lines if having is None or line.name in having)
    width = max((cell_len(plain(line.name)) for line in lines), default=0)
    columns = Lanes.columns(wanted.width, width, schedule.RIGHT)
    begin = wanted.begin or _aligned(clock.now(), wanted.length, columns)
    seen = lines[slice(*wanted.rows)]
    found = admin.lanes(begin, wanted.length, columns, [line.name for line in seen])
    facts, last = _of_job(admin, wanted.job or next((line.name for line in lines), None), wanted.wide)
    stands = {line.name: line.stand for line in seen}
    return Seen(lines, stands, found, width, facts, admin.names_at_hand(), board.problem, last)


def _of_job(admin: Admin, job: str | None, wide: bool) -> tuple[JobFacts | None, tuple[str, Ended] | None]:
    """What there is room for of the job under the cursor, and its last run."""
    from jobrunner.errors import NotFound

    if job is None:
        return None, None
    (row,) = admin.board_rows([job])
    last = (job, row.last) if row.last is not None else None
    try:
        return (admin.job_facts(job) if wide else None), last
    except NotFound:
        return None, last


def _aligned(now: datetime, length: timedelta, columns: int) -> datetime:
    """Where a window begins that goes with the time: at a border between columns, so that marks do not flicker."""
    step = max(length / columns, _FAST)
    begin = Lanes.around(now, length)[0]
    return _EPOCH + (begin - _EPOCH) // step * step
