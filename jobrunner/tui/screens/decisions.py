"""Decisions lately: fires that have no run, the reasons, and why in words of the one under the cursor."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from textual import on
from textual.app import ComposeResult

from jobrunner.domain.decision import Decision
from jobrunner.domain.filter_text import DECISIONS
from jobrunner.presentation import answers, decisions
from jobrunner.presentation.counted import counted
from jobrunner.presentation.sanitise import plain
from jobrunner.tui.selection import NOTHING, Selection
from jobrunner.tui.view import View
from jobrunner.tui.widgets.details import Details
from jobrunner.tui.widgets.listing import Line, Listing

if TYPE_CHECKING:
    from textual import events

    from jobrunner.admin import Admin
    from jobrunner.domain.answer import Answer
    from jobrunner.domain.filter import Term
    from jobrunner.domain.filter_completion import Known
    from jobrunner.presentation.screen import Screen as Terminal
    from jobrunner.tui.app import Dashboard

_MOST = 1_000
_LOW = 20
"""Lines of a terminal below which there is no room for what stands under the list."""

_NONE = "Each fire of late has its run.\nPaused, missed, disabled, in a blackout, not unique: such fires are told here."
_NO_MATCH = "No decision matches the filter.\nesc takes it away."


class Seen(NamedTuple):
    """The answer; ``why`` is about the decision under the cursor."""

    found: tuple[Decision, ...]
    of: Decision | None
    why: Answer | None
    known: Known


class Decisions(View):
    """Reached from others; of one job, or of all."""

    name_shown = "Decisions"
    filterable = True
    subject = DECISIONS
    hints = ("open", "states", "run_now", "why")
    states = DECISIONS.states
    CSS = "#beneath { height: 9; border-top: solid $border-blurred; }"

    def __init__(self, job: str | None = None) -> None:
        super().__init__()
        self._terms: tuple[Term, ...] = ()
        self._seen: Seen | None = None
        self._wanted = f"job:{job}" if job is not None and not set(job) & set(' ,"') else ""

    def body(self) -> ComposeResult:
        yield Listing(decisions.COLUMNS, screen=self.terminal, id="decisions", key=_key, empty=_NONE)
        yield Details(screen=self.terminal, id="beneath")

    def detail(self) -> ComposeResult:
        yield Details(screen=self.terminal, id="beside")

    def on_mount(self) -> None:
        super().on_mount()
        if self._wanted:
            self.apply_filter(self._wanted)

    def question(self) -> Callable[[Admin], object]:
        terms, under = self._terms, self._under_cursor()
        return lambda admin: _look(admin, terms, under)

    def show(self, answer: Any) -> None:
        first, self._seen = self._seen is None, answer
        listing = self.query_one(Listing)
        listing.set_empty(_NO_MATCH if self._terms else _NONE)
        listing.show(answer.found, self._row)
        listing.hold()
        self._tell()
        if first and answer.found:
            self.ask()

    def tick(self) -> None:
        self.query_one(Listing).again()

    def status(self) -> str:
        if self._seen is None:
            return ""
        count = len(self._seen.found)
        said = [f"{counted(count, 'decision', more=count == _MOST)}, newest first"]
        said += [f"filter: {plain(self.filter_text)}"] if self.filter_text else []
        return " · ".join(said)

    def selection(self) -> Selection:
        found = self._under_cursor()
        return Selection("job", (found.job,)) if found is not None else NOTHING

    def command(self) -> Sequence[str]:
        found = self._under_cursor()
        return ["why", found.job, "--at", found.first_fire.isoformat()] if found is not None else []

    def filter(self, text: str) -> None:
        terms = self.app.admin.decision_terms(text)
        if terms != self._terms or not self._seen:
            self._terms = terms
            self.ask(interrupt=True)

    def on_resize(self, event: events.Resize) -> None:
        super().on_resize(event)
        self.query_one("#beneath").display = not self.wide and event.size.height >= _LOW
        self._tell()

    def action_why(self) -> None:
        from jobrunner.tui.screens.why import WhyJob

        found = self._under_cursor()
        if found is not None:
            self.app.open(WhyJob(found.job, found.first_fire))

    @on(Listing.Chosen)
    def _chosen(self) -> None:
        self.action_why()

    @on(Listing.Moved)
    def _moved(self) -> None:
        self._tell()
        self.ask()

    def _under_cursor(self) -> Decision | None:
        row = self.query_one(Listing).cursor_row if self._seen is not None else None
        return row if isinstance(row, Decision) else None

    def _row(self, value: Decision) -> Line:
        return Line(_key(value), decisions.row(value, self.terminal, self.times()))

    def _tell(self) -> None:
        self.query_one("#beside", Details).show(self._written, keep=False)
        self.query_one("#beneath", Details).show(lambda screen: self._why(screen) or self._written(screen), keep=False)

    def _written(self, screen: Terminal) -> list[str]:
        found = self._under_cursor()
        if found is None:
            return []
        why = self._why(screen)
        return [*decisions.decision(found, screen, self.times()), *([""] if why else []), *why]

    def _why(self, screen: Terminal) -> list[str]:
        seen = self._seen
        if seen is None or seen.why is None or seen.of != self._under_cursor():
            return []
        return list(answers.answer(seen.why, screen, self.times()))


def open_decisions(app: Dashboard, selection: Selection) -> None:
    """Of the job that is selected, or that the run is of; else of all."""
    names = selection.ids if selection.kind == "job" else selection.jobs
    app.open(Decisions(str(names[0]) if len(names) == 1 else None))


def _look(admin: Admin, terms: Sequence[Term], under: Decision | None) -> Seen:
    from jobrunner.errors import ConfigError, NotFound

    found = admin.decisions_like(terms, _MOST)
    of = under if under in found else next(iter(found), None)
    try:
        why = admin.why_job(of.job, of.first_fire) if of is not None else None
    except (NotFound, ConfigError):
        why = None
    return Seen(found, of, why, admin.names_at_hand())


def _key(value: Decision) -> tuple[str, str]:
    return value.job, value.first_fire.isoformat()
