"""One job: how it stands, how long it takes, its runs; and what it is, when it fires, what was decided and changed."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

from textual import on
from textual.app import ComposeResult

from jobrunner.domain.board import JobLine
from jobrunner.presentation import board, past
from jobrunner.presentation.counted import counted
from jobrunner.presentation.labels import SHORT_STATES
from jobrunner.presentation.sanitise import plain
from jobrunner.presentation.table import Cell
from jobrunner.tui import keys, possible
from jobrunner.tui.listed_runs import NO_MATCH, ListedRuns, run_id
from jobrunner.tui.selection import NOTHING, Selection
from jobrunner.tui.stretch import Held, held
from jobrunner.tui.widgets.chart import Chart
from jobrunner.tui.widgets.details import Details
from jobrunner.tui.widgets.ink import Pieces
from jobrunner.tui.widgets.listing import Line, Listing
from jobrunner.tui.widgets.plot import Length, plot

if TYPE_CHECKING:
    from jobrunner.admin import Admin
    from jobrunner.domain.board import JobFacts
    from jobrunner.domain.change import InForce
    from jobrunner.domain.filter_completion import Known
    from jobrunner.domain.run import Run
    from jobrunner.presentation.screen import Screen as Terminal

_MOST_VERSIONS = 10
_PLOT_LINES, _FEW_PLOT_LINES = 8, 4
_HIGH = 30
"""From so many lines on the plot is the higher one."""

_LOW = 18
"""Below so many lines there is no plot."""

_FAR_BEYOND = 3.0
"""What took so many times as long as usual is cut in the plot, so that the others can be told apart."""

_OF_THE_JOB = frozenset(
    {"run_now", "run_with", "run_later", "pause", "resume", "enable", "disable", "edit_here", "edit"}
)
"""What is done with the job, also while a run of it is under the cursor."""

_NO_RUNS = "It has never run.\nr runs it now."


class Seen(NamedTuple):
    """The answer to the question of this screen; ``toml`` is the definition, line by line, as the file writes it."""

    line: JobLine
    facts: JobFacts
    toml: tuple[str, ...]
    versions: tuple[InForce, ...]
    held: Held
    known: Known


class JobView(ListedRuns):
    """A job, by its name. In a narrow terminal ``tab`` turns from its runs to what is said of it, and back."""

    name_shown = "Job"
    hints = ("open", "run_now", "pause", "output", "retry", "edit_here", "next_pane", "cancel")
    actions = ("edit_here", "output")
    BINDINGS: ClassVar = [*keys.bindings("next_pane", "previous_pane")]

    def __init__(self, name: str) -> None:
        super().__init__()
        self.job = name
        self._telling = False
        self._seen: Seen | None = None

    def body(self) -> ComposeResult:
        yield Chart(self.terminal, self._draw_head, id="head")
        yield Chart(self.terminal, self._draw_plot, id="plot")
        yield Listing(past.COLUMNS, screen=self.terminal, id="runs", key=run_id, empty=_NO_RUNS)

    def detail(self) -> ComposeResult:
        yield Details(screen=self.terminal, id="what")

    def way(self) -> Sequence[str]:
        return ("Jobs", plain(self.job))

    # --- asking and showing -------------------------------------------------------------------------------------------

    def question(self) -> Callable[[Admin], object]:
        name, terms, stretch, which = self.job, self.terms, self.stretch, self.wanted

        def look(admin: Admin) -> Seen:
            from jobrunner.domain.filter import RunFilter

            facts = admin.job_facts(name)
            found = admin.history(name, _MOST_VERSIONS) if facts.versions else []
            runs = held(admin, RunFilter(jobs=(name,), terms=terms), stretch, which)
            line = admin.job_line(name)
            return Seen(line, facts, _toml(facts), tuple(found), runs, admin.names_at_hand())

        return look

    def show(self, answer: Any) -> None:
        self._seen = answer
        self.stretch, self.wanted = answer.held.stretch, None
        page, listing = answer.held.page, self.query_one(Listing)
        listing.set_empty(NO_MATCH if self.terms else _NO_RUNS)
        listing.show(page.rows, self._line, more_before=page.more_before, more_after=page.more_after)
        self._draw()

    def tick(self) -> None:
        if self._seen is not None:
            self.query_one(Listing).again()
            self._draw()

    def status(self) -> str:
        if self._seen is None:
            return ""
        page = self._seen.held.page
        said = [counted(len(page.rows), "run", more=page.more_before or page.more_after)]
        said += [f"filter: {plain(self.filter_text)}"] if self.filter_text else []
        marked = len(self.query_one(Listing).marked)
        said += [f"{marked:,} marked"] if marked else []
        said += [f"{new:,} new above"] if (new := self.query_one(Listing).new_above) else []
        return " · ".join(said)

    def selection(self) -> Selection:
        listing = self.query_one(Listing)
        if self._telling or not listing.chosen or (self.wide and not listing.has_focus and not listing.marked):
            return self._own()
        return self._runs()

    def selection_for(self, id: str) -> Selection:
        return self._own() if id in _OF_THE_JOB else self._runs()

    def _own(self) -> Selection:
        row = self._seen.facts.row if self._seen is not None else None
        return Selection("job", (self.job,), possible=possible.with_jobs([row]))

    def _runs(self) -> Selection:
        listing = self.query_one(Listing)
        ids = tuple(int(str(key)) for key in listing.chosen)
        if not ids:
            return NOTHING
        standing = {run.id: run for run in self._seen.held.page.rows} if self._seen is not None else {}
        can = possible.with_runs(map(standing.get, ids))
        return Selection("run", ids, bool(listing.marked), (self.job,) * len(ids), can)

    def command(self) -> Sequence[str]:
        return ("show", self.job)

    # --- finding ------------------------------------------------------------------------------------------------------

    # --- where it leads -----------------------------------------------------------------------------------------------

    def action_next_pane(self) -> None:
        if self.wide:
            listing = self.query_one(Listing)
            (self.query_one(Details) if listing.has_focus else listing).focus()
            return
        self._telling = not self._telling
        self._arrange()

    action_previous_pane = action_next_pane

    @on(Listing.Moved)
    @on(Listing.Marked)
    def _stands_elsewhere(self) -> None:
        self.restate()

    def on_mount(self) -> None:
        super().on_mount()
        self._arrange()

    def on_resize(self, event: Any) -> None:
        super().on_resize(event)
        self._arrange()
        self._draw()

    def _arrange(self) -> None:
        """Both panes side by side, or the one that is looked at."""
        self._telling = self._telling and not self.wide
        self.set_class(not self.wide, "-alone")
        self.query_one("#body").display = not self._telling
        self.query_one("#detail").display = self.wide or self._telling
        self.query_one("#plot").display = self.app.size.height >= _LOW
        if not self.wide:
            (self.query_one(Details) if self._telling else self.query_one(Listing)).focus()
        self.restate()

    # --- how it is drawn ----------------------------------------------------------------------------------------------

    def _draw(self) -> None:
        self.query_one("#head", Chart).show(self._draw_head)
        self.query_one("#plot", Chart).show(self._draw_plot)
        self.query_one("#what", Details).show(self._written)

    def _line(self, run: Run) -> Line:
        return Line(run.id, past.cells(run, self.terminal, self.times()))

    def _draw_head(self, width: int) -> Sequence[Pieces]:
        if self._seen is None:
            return ((), ())
        line, facts = self._seen.line, self._seen.facts
        said = board.reason(line)
        first = (Cell(" "), board.standing(line, facts, self.terminal), Cell(f"   {plain(said)}"))
        return first, (Cell(" "), *board.in_short(facts, self.times()))

    def _draw_plot(self, width: int) -> Sequence[Pieces]:
        if self._seen is None:
            return ()
        facts, now = self._seen.facts, self.times().now
        begun = [(run, run.started_at) for run in reversed(facts.runs) if run.started_at is not None]
        lengths = [
            Length(((run.finished_at or now) - at).total_seconds(), SHORT_STATES[run.state].style) for run, at in begun
        ]
        usual = facts.usual
        lines = {"p50": usual.median.total_seconds(), "p95": usual.p95.total_seconds()} if usual is not None else {}
        ended = [(run.finished_at - at).total_seconds() for run, at in begun if run.finished_at is not None]
        top = max([*ended, *lines.values()], default=None)
        if usual is not None and top is not None:
            top = min(top, _FAR_BEYOND * max(lines.values()))
        height = _PLOT_LINES if self.app.size.height >= _HIGH else _FEW_PLOT_LINES
        return [(Cell(" "), *line) for line in plot(lengths, lines, width - 2, height, self.terminal, top=top)]

    def _written(self, screen: Terminal) -> list[str | Pieces]:
        seen = self._seen
        if seen is None:
            return []
        facts, times = seen.facts, self.times()
        lines: list[str | Pieces] = [*board.about(facts, self.terminal, times)]
        if said := board.lengths(facts):
            lines += [(Cell("takes     ", "dim"), Cell(said))]
        lines += _section("DECIDED LATELY", list(board.decisions(facts.decisions, times)))
        lines += _section("VERSIONS", list(past.versions(seen.versions, self.terminal, times)))
        lines += _section("DEFINITION", [(Cell(plain(line)),) for line in seen.toml])
        return lines


def _section(title: str, lines: Sequence[Pieces]) -> list[str | Pieces]:
    return ["", (Cell(title, "bold"),), *lines] if lines else []


def _toml(facts: JobFacts) -> tuple[str, ...]:
    from jobrunner.jobfile.edit import spell, write

    if not facts.definition:
        return ()
    lines = [f"{spell(path)} = {write(value)}" for path, value in _pairs(facts)]
    return (f"[jobs.{spell((facts.row.name,))}]", *(one for line in lines for one in line.splitlines()))


def _pairs(facts: JobFacts) -> Iterator[tuple[tuple[str, ...], object]]:
    """Keys and values; each parameter has a line of its own, as people write them."""
    for key, value in facts.definition:
        if key == "params" and isinstance(value, list):
            for param in value:
                yield (key, param["name"]), {name: each for name, each in param.items() if name != "name"}
        else:
            yield (key,), value
