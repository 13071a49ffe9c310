"""One batch: how far it is and how its members stand, what follows it, and the members, those that failed first."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from textual import on
from textual.app import ComposeResult

from jobrunner.domain.filter import Field, RunFilter, Term
from jobrunner.domain.state import RunState
from jobrunner.presentation import batches
from jobrunner.presentation.counted import counted
from jobrunner.presentation.json import batch_name
from jobrunner.presentation.sanitise import plain
from jobrunner.presentation.table import Cell
from jobrunner.tui import possible
from jobrunner.tui.listed_runs import ListedRuns, one_run, run_id, written
from jobrunner.tui.selection import NOTHING, Selection
from jobrunner.tui.stretch import Held, Stretch, held
from jobrunner.tui.widgets import bars
from jobrunner.tui.widgets.chart import Chart
from jobrunner.tui.widgets.details import Details
from jobrunner.tui.widgets.ink import Pieces
from jobrunner.tui.widgets.listing import Line, Listing
from jobrunner.tui.widgets.rule import rule

if TYPE_CHECKING:
    from jobrunner.admin import Admin
    from jobrunner.domain.at_work import BatchFacts
    from jobrunner.domain.change import Ran
    from jobrunner.domain.filter_completion import Known
    from jobrunner.domain.run import Run
    from jobrunner.presentation.screen import Screen as Terminal

_MOST_FAILED = 200
"""Failed members that stand above the others; all of them are shown by ``state:failed``."""

_MOST_FOLLOWING = 3
_BAR = 24
_NO_MATCH = "No run of the batch matches the filter.\nesc takes it away."
_NO_RUNS = "The batch has no runs any more."

_OF_THE_BATCH = frozenset({"retry", "retry_canary", "cancel", "cancel_now"})
"""What is done with the batch as a whole, unless runs of it are marked."""


class Seen(NamedTuple):
    """The answer to the question of this screen; ``failed`` stand above what ``held`` holds. ``run`` and ``ran`` are of
    the member under the cursor."""

    facts: BatchFacts
    failed: tuple[Run, ...]
    held: Held
    known: Known
    run: Run | None
    ran: Ran | None

    @property
    def rows(self) -> tuple[Run, ...]:
        return (*self.failed, *self.held.page.rows)


class BatchView(ListedRuns):
    """A batch, by its number."""

    name_shown = "Batch"
    hints = ("open", "retry", "cancel", "output", "mark", "states", "discard")

    def __init__(self, number: int) -> None:
        super().__init__()
        self._number = int(number)
        self._seen: Seen | None = None
        self._common: Mapping[str, Any] = {}
        self._of: int | None = None

    def body(self) -> ComposeResult:
        yield Chart(self.terminal, self._draw_head, id="head")
        yield Listing(batches.COLUMNS, screen=self.terminal, id="runs", key=run_id, empty=_NO_RUNS)

    def detail(self) -> ComposeResult:
        yield Details(screen=self.terminal, id="what")

    def way(self) -> Sequence[str]:
        name = f" {plain(self._seen.facts.batch.name)}" if self._seen is not None else ""
        return ("Queues", f"{batch_name(self._number)}{name}")

    # --- asking and showing -------------------------------------------------------------------------------------------

    def question(self) -> Callable[[Admin], object]:
        number, terms, stretch, which = self._number, self.terms, self.stretch, self.wanted
        cursor = self.query_one(Listing).cursor_key if self.wide else None
        wide = self.wide

        def look(admin: Admin) -> Seen:
            facts = admin.batch_facts(number)
            failed, rest = _members(admin, number, terms, stretch, which)
            rows = (*failed, *rest.page.rows)
            under = int(str(cursor)) if cursor is not None else next((run.id for run in rows), None)
            run, ran = one_run(admin, under) if wide else (None, None)
            return Seen(facts, failed, rest, admin.names_at_hand(), run, ran)

        return look

    def show(self, answer: Any) -> None:
        self._seen = answer
        self.stretch, self.wanted = answer.held.stretch, None
        self._common = batches.in_common(answer.rows)
        page, listing = answer.held.page, self.query_one(Listing)
        listing.set_empty(_NO_MATCH if self.terms else _NO_RUNS)
        listing.show(answer.rows, self._line, more_before=page.more_before, more_after=page.more_after)
        listing.again()
        self._draw()

    def tick(self) -> None:
        if self._seen is not None:
            self.query_one(Listing).again()
            self._draw()

    def status(self) -> str:
        if self._seen is None:
            return ""
        page, listing = self._seen.held.page, self.query_one(Listing)
        said = [counted(len(self._seen.rows), "run", more=page.more_before or page.more_after)]
        said += [f"filter: {plain(self.filter_text)}"] if self.filter_text else ["failed first"]
        said += [f"{len(listing.marked):,} marked"] if listing.marked else []
        return " · ".join(said)

    def selection(self) -> Selection:
        return self._runs() if self.query_one(Listing).marked else self._whole()

    def selection_for(self, id: str) -> Selection:
        return self.selection() if id in _OF_THE_BATCH else self._runs()

    def _whole(self) -> Selection:
        batch = self._seen.facts.batch if self._seen is not None else None
        return Selection("batch", (self._number,), possible=possible.with_batches([batch]))

    def _runs(self) -> Selection:
        listing = self.query_one(Listing)
        ids = tuple(int(str(key)) for key in listing.chosen)
        if not ids or self._seen is None:
            return NOTHING
        rows = {run.id: run for run in self._seen.rows}
        jobs = tuple(rows[id].job for id in ids) if all(id in rows for id in ids) else ()
        return Selection("run", ids, bool(listing.marked), jobs, possible.with_runs(map(rows.get, ids)))

    def command(self) -> Sequence[str]:
        return ("show", str(batch_name(self._number)))

    # --- finding ------------------------------------------------------------------------------------------------------

    # --- where it leads -----------------------------------------------------------------------------------------------

    @on(Listing.Moved)
    def _moved(self) -> None:
        self.restate()
        if self.wide:
            self.ask()

    @on(Listing.Marked)
    def _marked(self) -> None:
        self.restate()

    def on_resize(self, event: Any) -> None:
        super().on_resize(event)
        self._draw()
        self.ask()

    # --- how it is drawn ----------------------------------------------------------------------------------------------

    def _draw(self) -> None:
        self.query_one("#head", Chart).show(self._draw_head)
        if self.wide and self._seen is not None:
            number = self._seen.run.id if self._seen.run is not None else None
            self.query_one("#what", Details).show(self._written, keep=number == self._of)
            self._of = number

    def _line(self, run: Run) -> Line:
        return Line(run.id, batches.cells(run, self._common, self.terminal, self.times()))

    def _draw_head(self, width: int) -> Sequence[Pieces]:
        seen = self._seen
        if seen is None:
            return ((), (), (), ())
        facts, screen = seen.facts, self.terminal
        bar = bars.progress(facts.done, facts.batch.total, _BAR, screen)
        lines: list[Pieces] = [
            batches.head(facts, bar, screen),
            batches.counts(facts, screen),
            batches.pace(facts, self.times()),
            *batches.following(facts.following[:_MOST_FOLLOWING], screen),
        ]
        if len(facts.following) > _MOST_FOLLOWING:
            lines.append((Cell(f"      and {len(facts.following) - _MOST_FOLLOWING:,} more", "dim"),))
        if self._common:
            whole = len(seen.rows) == facts.batch.total
            label = "all have  " if whole else "these all have  "
            lines.append((Cell(label, "dim"), Cell(batches.params(self._common))))
        titled = rule(f"RUNS ({facts.batch.total:,})", width, screen)
        return [*((Cell(" "), *line) for line in lines), titled]

    def _written(self, screen: Terminal) -> list[str | Pieces]:
        seen = self._seen
        if seen is None:
            return []
        return written(self.query_one(Listing).cursor_row, seen.run, seen.ran, screen, self)


def _members(
    admin: Admin, number: int, terms: tuple[Term, ...], stretch: Stretch, which: str | None
) -> tuple[tuple[Run, ...], Held]:
    """Those that failed, as long as the newest of the others are shown below them; and the stretch of the others."""
    if any(term.field in (Field.STATE, Field.DEAD) for term in terms):
        return (), held(admin, RunFilter(batch=number, terms=terms), stretch, which)
    others = RunFilter(batch=number, terms=(*terms, Term(Field.STATE, (RunState.FAILED.value,), negated=True)))
    rest = held(admin, others, stretch, which)
    if rest.page.more_before:
        return (), rest
    failed = RunFilter(batch=number, terms=terms, states=(RunState.FAILED,))
    return tuple(admin.page(failed, n=_MOST_FAILED).rows), rest
