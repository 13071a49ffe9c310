"""What a run follows and what follows it: the way that work takes through runs and batches."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from textual import on
from textual.app import ComposeResult

from jobrunner.presentation import chain
from jobrunner.presentation.sanitise import plain
from jobrunner.tui import possible
from jobrunner.tui.selection import NOTHING, Selection
from jobrunner.tui.view import View
from jobrunner.tui.widgets.listing import Line, Listing

if TYPE_CHECKING:
    from jobrunner.admin import Admin
    from jobrunner.domain.chain import Chain, Link
    from jobrunner.tui.app import Dashboard

_ALONE = "It follows no run, and none follows it.\njobrunner trigger JOB --after RUN makes one that does."


class ChainView(View):
    """The chain of a run. ``enter`` opens what is under the cursor."""

    name_shown = "Before and after"
    hints: ClassVar[tuple[str, ...]] = ("open", "output", "retry", "cancel", "why")

    def __init__(self, number: int) -> None:
        super().__init__()
        self._number = number
        self._seen: Chain | None = None

    def body(self) -> ComposeResult:
        yield Listing(chain.COLUMNS, screen=self.terminal, id="chain", key=_key, empty=_ALONE)

    def question(self) -> Callable[[Admin], object]:
        number = self._number
        return lambda admin: admin.chain(number)

    def show(self, answer: Any) -> None:
        first, self._seen = self._seen is None, answer
        listing = self.query_one(Listing)
        listing.show(answer.links if len(answer.links) > 1 else (), self._line)
        if first:
            listing.go_to(("run", self._number))

    def tick(self) -> None:
        self.query_one(Listing).again()

    def way(self) -> Sequence[str]:
        own = next((link.of for link in self._seen.links if link.depth == 0), None) if self._seen is not None else None
        job = getattr(own, "job", "")
        return ("Before and after", f"run {self._number} {plain(job)}".strip())

    def status(self) -> str:
        if self._seen is None:
            return ""
        before = sum(link.depth < 0 for link in self._seen.links)
        after = sum(link.depth > 0 for link in self._seen.links)
        more = "" if self._seen.whole else "; there are more"
        return f"{before:,} before, {after:,} after{more}"

    def selection(self) -> Selection:
        link = self.query_one(Listing).cursor_row
        if link is None:
            return Selection("run", (self._number,))
        if link.of is None:
            return NOTHING
        if link.step.kind == "batch":
            return Selection("batch", (link.step.id,), possible=possible.with_batches([link.of]))
        return Selection("run", (link.step.id,), jobs=(link.of.job,), possible=possible.with_runs([link.of]))

    def command(self) -> Sequence[str]:
        return ("show", str(self._number))

    def has_key(self, id: str) -> bool:
        return id != "chain" and super().has_key(id)

    @on(Listing.Chosen)
    def _chosen(self, event: Listing.Chosen) -> None:
        link = event.listing.cursor_row
        if link is None or link.of is None:
            return
        self.app.open_thing(link.step.kind.value, link.step.id)

    @on(Listing.Moved)
    def _moved(self) -> None:
        self.restate()

    def _line(self, link: Link) -> Line:
        return Line(_key(link), chain.link(link, self.terminal, self.times()))


def open_chain(app: Dashboard, selection: Selection) -> None:
    """Of the run that is selected."""
    if selection.kind == "run" and len(selection.ids) == 1:
        app.open(ChainView(int(selection.ids[0])))


def _key(link: Link) -> tuple[str, int]:
    return (link.step.kind.value, link.step.id)
