"""All runs, newest first: a stretch of them in memory, however many there are; filtered, marked, one in detail."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

from textual import on
from textual.app import ComposeResult

from jobrunner.admin.paging import SEARCH_SECONDS
from jobrunner.presentation import runlist
from jobrunner.presentation.counted import counted
from jobrunner.presentation.sanitise import plain
from jobrunner.presentation.table import Column
from jobrunner.tui import possible
from jobrunner.tui.listed_runs import NO_MATCH, ListedRuns, one_run, run_id, written
from jobrunner.tui.selection import NOTHING, Selection
from jobrunner.tui.stretch import Held, held
from jobrunner.tui.widgets.details import Details
from jobrunner.tui.widgets.ink import Pieces
from jobrunner.tui.widgets.listing import Line, Listing

if TYPE_CHECKING:
    from jobrunner.admin import Admin
    from jobrunner.domain.change import Ran
    from jobrunner.domain.filter import Term
    from jobrunner.domain.filter_completion import Known
    from jobrunner.domain.run import Run
    from jobrunner.presentation.screen import Screen as Terminal
    from jobrunner.tui.actions.hands import Hands

_NONE = "There are no runs yet.\nr on a job of screen 2 runs it now."
_SEARCHING = "No run matches so far.\nThe search goes on further back."
_SEARCHED = "No run matches as far back as was searched.\nsince: or job: makes the search a shorter one."

MOST_MARKED = 10_000
"""Runs that are marked at once where the filter shows more."""

_MARKING_STEP = 2_000
_LONGEST_SEARCH = 8.0
_LONGER = 4
"""A search that found less than a screenful goes on, so many times as long as before."""


class Seen(NamedTuple):
    """The answer to the question of this screen; ``run`` and ``ran`` are of the run under the cursor."""

    held: Held
    about: int
    known: Known
    run: Run | None
    ran: Ran | None


class Runs(ListedRuns):
    """Screen 3."""

    name_shown = "Runs"
    number = "3"
    hints = ("open", "retry", "cancel", "output", "states", "dead_letters", "mark", "discard", "top")
    all_columns = tuple(column.title for column in runlist.COLUMNS if column.title != "ID")

    def __init__(self) -> None:
        super().__init__()
        self._seconds = SEARCH_SECONDS
        self._seen: Seen | None = None
        self._of: int | None = None
        self._jobs: Mapping[int, str] = {}

    def body(self) -> ComposeResult:
        yield Listing(self._columns, screen=self.terminal, id="runs", key=run_id, empty=_NONE)

    def detail(self) -> ComposeResult:
        yield Details(screen=self.terminal, id="what")

    # --- asking and showing -------------------------------------------------------------------------------------------

    def question(self) -> Callable[[Admin], object]:
        terms, stretch, which = self.terms, self.stretch, self.wanted
        cursor = self.query_one(Listing).cursor_key if self.wide else None
        wide, seconds = self.wide, self._seconds

        def look(admin: Admin) -> Seen:
            from jobrunner.domain.filter import RunFilter

            found = held(admin, RunFilter(terms=terms), stretch, which, seconds)
            first = found.page.rows[0].id if found.page.rows else None
            run, ran = one_run(admin, first if cursor is None else int(str(cursor))) if wide else (None, None)
            return Seen(found, admin.runs_about(), admin.names_at_hand(), run, ran)

        return look

    def show(self, answer: Any) -> None:
        self._seen = answer
        self.stretch, self.wanted = answer.held.stretch, None
        page, listing = answer.held.page, self.query_one(Listing)
        listing.set_empty(self._empty())
        listing.show(page.rows, self._line, more_before=page.more_before, more_after=page.more_after)
        self._detail()
        if page.searched_to is not None and len(page.rows) < listing.size.height and self._seconds < _LONGEST_SEARCH:
            self._seconds *= _LONGER
            self.ask()

    def tick(self) -> None:
        if self._seen is not None:
            self.query_one(Listing).again()
            self._detail()

    def status(self) -> str:
        if self._seen is None:
            return ""
        page, listing = self._seen.held.page, self.query_one(Listing)
        said = [self._count()]
        said += [f"filter: {plain(self.filter_text)}"] if self.filter_text else ["newest first"]
        if page.searched_back_to is not None:
            said += [f"searched back to {self.times().short(page.searched_back_to)}, more"]
        said += [runlist.by_job(page.rows)] if self._dead and page.rows else []
        said += [f"{len(listing.marked):,} marked"] if listing.marked else []
        said += [f"{new:,} new above"] if (new := listing.new_above) else []
        return " · ".join(said)

    def selection(self) -> Selection:
        listing = self.query_one(Listing)
        ids = tuple(int(str(key)) for key in listing.chosen)
        if not ids:
            return NOTHING
        rows = self._seen.held.page.rows if self._seen is not None else ()
        jobs = {**self._jobs, **{run.id: run.job for run in rows}}
        known = tuple(jobs[id] for id in ids) if all(id in jobs for id in ids) else ()
        standing = {run.id: run for run in rows}
        return Selection("run", ids, bool(listing.marked), known, possible.with_runs(map(standing.get, ids)))

    def command(self) -> Sequence[str]:
        from jobrunner.domain.filter_text import term_text

        return ("runs", *map(term_text, self.terms))

    # --- finding ------------------------------------------------------------------------------------------------------

    def begin_anew(self, terms: tuple[Term, ...]) -> None:
        super().begin_anew(terms)
        self._seconds = SEARCH_SECONDS

    def columned(self) -> None:
        self.query_one(Listing).set_columns(self._columns)

    # --- where it leads -----------------------------------------------------------------------------------------------

    @on(Listing.Moved)
    def _moved(self, event: Listing.Moved) -> None:
        self.restate()
        if self.wide:
            self.ask()

    @on(Listing.AllWanted)
    def _all_wanted(self, event: Listing.AllWanted) -> None:
        """Marks what the filter shows also beyond the stretch; once more takes the marks away."""
        terms, listing = self.terms, event.listing
        if listing.clear_marks():
            return

        def mark(found: Mapping[int, str]) -> None:
            if terms == self.terms and self.is_attached:
                self._jobs = found
                listing.mark(found)
                self.say(f"{'the newest ' * (len(found) >= MOST_MARKED)}{len(found):,} are marked")

        say = partial(self.app.say, error=True)
        self.app.performer.do(lambda hands: _all_of(hands, terms), mark, say, apart=True)

    @on(Listing.Marked)
    def _marked(self, event: Listing.Marked) -> None:
        self.restate()

    def on_resize(self, event: Any) -> None:
        super().on_resize(event)
        self.ask()

    # --- how it is written --------------------------------------------------------------------------------------------

    @property
    def _columns(self) -> Sequence[Column]:
        return [column for column in runlist.COLUMNS if column.title not in self.hidden]

    @property
    def _dead(self) -> bool:
        return any(term.field == "dead" and not term.negated for term in self.terms)

    def _count(self) -> str:
        assert self._seen is not None
        page = self._seen.held.page
        more = page.more_before or page.more_after
        if more and not self.terms:
            return f"about {counted(self._seen.about, 'run')}"
        return counted(len(page.rows), "run", more=more or page.searched_to is not None)

    def _empty(self) -> str:
        assert self._seen is not None
        if self._seen.held.page.searched_to is not None:
            return _SEARCHING if self._seconds < _LONGEST_SEARCH else _SEARCHED
        return NO_MATCH if self.terms else _NONE

    def _line(self, run: Run) -> Line:
        found = runlist.cells(run, self.terminal, self.times())
        return Line(run.id, tuple(found[column.title] for column in self._columns))

    def _detail(self) -> None:
        if self.wide and self._seen is not None:
            run = self._seen.run
            number = run.id if run is not None else None
            self.query_one("#what", Details).show(self._written, keep=number == self._of)
            self._of = number

    def _written(self, screen: Terminal) -> list[str | Pieces]:
        seen = self._seen
        if seen is None:
            return []
        return written(self.query_one(Listing).cursor_row, seen.run, seen.ran, screen, self)


def _all_of(hands: Hands, terms: Sequence[Term]) -> dict[int, str]:
    """The runs that a filter asks for, with their jobs; the newest of them where they are too many."""
    from jobrunner.domain.filter import RunFilter

    found = dict[int, str]()
    last: int | None = None
    while len(found) < MOST_MARKED and not hands.stopped():
        page = hands.admin.page(RunFilter(terms=tuple(terms)), older_than=last, n=_MARKING_STEP, seconds=None)
        found.update((run.id, run.job) for run in page.rows)
        if not page.rows or not page.more_after:
            break
        last = page.rows[-1].id
    return found
