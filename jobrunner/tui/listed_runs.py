"""What screens with a list of runs have in common: a stretch of them in memory, filtered, and one of them in detail."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual import on

from jobrunner.domain.filter_text import RUNS
from jobrunner.domain.state import RunState
from jobrunner.presentation import details
from jobrunner.presentation.sanitise import plain
from jobrunner.presentation.table import Cell
from jobrunner.tui.stretch import NEWEST, Stretch
from jobrunner.tui.view import View
from jobrunner.tui.widgets.ink import Pieces
from jobrunner.tui.widgets.listing import Listing

if TYPE_CHECKING:
    from jobrunner.admin import Admin
    from jobrunner.domain.change import Ran
    from jobrunner.domain.filter import Term
    from jobrunner.domain.run import Run
    from jobrunner.presentation.screen import Screen as Terminal

NO_MATCH = "No run matches the filter.\nesc takes it away."


class ListedRuns(View):
    """A view whose only list is one of runs: ``terms`` are its filter, ``stretch`` is what is in memory of it, and
    ``wanted`` on which side of that more is wanted."""

    filterable = True
    subject = RUNS
    states = tuple(RunState)

    def __init__(self) -> None:
        super().__init__()
        self.terms: tuple[Term, ...] = ()
        self.stretch: Stretch = NEWEST
        self.wanted: str | None = None

    def filter(self, text: str) -> None:
        terms = self.app.admin.terms(text)
        if terms != self.terms:
            self.begin_anew(terms)
            self.ask(interrupt=True)

    def begin_anew(self, terms: tuple[Term, ...]) -> None:
        """Another filter: from its newest run on."""
        self.terms, self.stretch, self.wanted = terms, NEWEST, None

    def action_back(self) -> None:
        if not self.query_one(Listing).clear_marks():
            super().action_back()

    @on(Listing.Chosen)
    def _run_chosen(self, event: Listing.Chosen) -> None:
        self.app.open_thing("run", int(str(event.key)))

    @on(Listing.Wanted)
    def _more_wanted(self, event: Listing.Wanted) -> None:
        self.wanted = event.which
        self.ask()


def run_id(run: Run) -> int:
    """The key of a run in a list."""
    return run.id


def one_run(admin: Admin, number: int | None) -> tuple[Run | None, Ran | None]:
    """A run, and with which versions it ran; neither, where it has just been removed."""
    from jobrunner.errors import NotFound

    try:
        run = admin.run(number) if number is not None else None
        return (run, admin.ran(run)) if run is not None else (None, None)
    except NotFound:
        return None, None


def written(row: Run | None, run: Run | None, ran: Ran | None, screen: Terminal, view: View) -> list[str | Pieces]:
    """The run under the cursor in detail; its name alone, as long as it is another one that was asked for."""
    if row is None:
        return []
    if run is None or ran is None or run.id != row.id:
        return [(Cell(f"run {row.id} of {plain(row.job)}", "bold"),)]
    return list(details.run(run, ran, screen, view.times()))
