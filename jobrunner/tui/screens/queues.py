"""The queues: what stands in each, in which order it will be taken and when; and how far batches are."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from textual import on
from textual.app import ComposeResult

from jobrunner.domain.row_filter import QUEUES, Test, of_batch, of_queue, row_test
from jobrunner.presentation import details, work
from jobrunner.presentation.counted import counted
from jobrunner.presentation.sanitise import plain
from jobrunner.presentation.table import Cell
from jobrunner.tui import possible
from jobrunner.tui.panes import Panes
from jobrunner.tui.selection import NOTHING, Selection
from jobrunner.tui.widgets import bars
from jobrunner.tui.widgets.chart import Chart
from jobrunner.tui.widgets.details import Details
from jobrunner.tui.widgets.ink import Pieces
from jobrunner.tui.widgets.listing import Line, Listing
from jobrunner.tui.widgets.rule import rule

if TYPE_CHECKING:
    from jobrunner.admin import Admin
    from jobrunner.domain.at_work import BatchAtWork, Standing
    from jobrunner.domain.filter import Term
    from jobrunner.domain.filter_completion import Known
    from jobrunner.domain.queue import Flow, Pause, QueueStatus
    from jobrunner.presentation.screen import Screen as Terminal

_IN_LINE = 200
_BATCHES = 50
_MOST_BATCHES_SEARCHED = 300
_NO_QUEUES = "There are no queues."
_NO_MATCH = "No queue matches the filter."
_BAR = 16
_MOST_QUEUES = 8
_MOST_BATCHES = 6


class Seen(NamedTuple):
    """The answer to the question of this screen: the queues and batches that the filter asks for; ``line`` is that of
    queue ``of``."""

    queues: Sequence[QueueStatus]
    flows: Mapping[str, Flow]
    pauses: Sequence[Pause]
    of: str | None
    line: tuple[Standing, ...]
    batches: tuple[BatchAtWork, ...]
    known: Known


class Queues(Panes):
    """Screen 4."""

    name_shown = "Queues"
    number = "4"
    filterable = True
    subject = QUEUES
    states = QUEUES.states
    hints = ("open", "pause", "cancel", "retry", "next_pane", "states")

    def __init__(self) -> None:
        super().__init__()
        self._seen: Seen | None = None
        self._terms: tuple[Term, ...] = ()
        self._fits: Test = row_test(())

    def body(self) -> ComposeResult:
        screen = self.terminal
        yield Listing(work.QUEUE_COLUMNS, screen=screen, id="queues", key=lambda queue: queue.name, empty=_NO_QUEUES)
        yield Chart(screen, self._line_head, id="line-head")
        yield Listing(
            work.LINE_COLUMNS,
            screen=screen,
            id="line",
            key=lambda standing: standing.run.id,
            empty="Nothing is queued here.",
        )
        yield Chart(screen, self._batches_head, id="batches-head")
        yield Listing(
            work.BATCH_COLUMNS,
            screen=screen,
            id="batches",
            key=lambda batch: batch.batch.id,
            empty="There are no batches.\njobrunner trigger JOB --each FILE makes one.",
        )

    def detail(self) -> ComposeResult:
        yield Details(screen=self.terminal, id="what")

    def question(self) -> Callable[[Admin], object]:
        chosen, fits = self.listing("queues").cursor_key, self._fits
        n = _MOST_BATCHES_SEARCHED if self._terms else _BATCHES

        def look(admin: Admin) -> Seen:
            queues = [queue for queue in admin.queues() if fits(of_queue(queue))]
            names = [queue.name for queue in queues]
            of = chosen if chosen in names else max(queues, key=lambda queue: queue.queued).name if queues else None
            return Seen(
                queues=queues,
                flows=admin.flows(),
                pauses=admin.pauses(),
                of=str(of) if of is not None else None,
                line=admin.line_of(str(of), _IN_LINE) if of is not None else (),
                batches=tuple(at for at in admin.batches_at_work(n) if fits(of_batch(at.batch)))[:_BATCHES],
                known=admin.names_at_hand(),
            )

        return look

    def show(self, answer: Any) -> None:
        first = self._seen is None
        self._seen = answer
        self.listing("queues").set_empty(_NO_MATCH if self._terms else _NO_QUEUES)
        self.listing("queues").show(answer.queues, self._queue_row)
        if first and answer.of is not None:
            self.listing("queues").go_to(answer.of)
        self.listing("line").show(answer.line, self._standing_row)
        self.listing("batches").show(answer.batches, self._batch_row)
        self._share_room()
        self.call_after_refresh(self._share_room)  # what is told before the first layout was shared out blindly
        self.redraw()

    def selection(self) -> Selection:
        listing = self.focused_list
        if not listing.chosen:
            return NOTHING
        if listing.id == "queues":
            names = tuple(map(str, listing.chosen))
            queues = {queue.name: queue for queue in self._seen.queues} if self._seen else {}
            can = possible.with_queues(map(queues.get, names))
            return Selection("queue", names, marked=bool(listing.marked), possible=can)
        ids = tuple(int(str(key)) for key in listing.chosen)
        if listing.id == "batches":
            batches = {at.batch.id: at.batch for at in self._seen.batches} if self._seen else {}
            can = possible.with_batches(map(batches.get, ids))
            return Selection("batch", ids, marked=bool(listing.marked), possible=can)
        runs = {standing.run.id: standing.run for standing in self._seen.line} if self._seen else {}
        known = tuple(runs[run].job for run in ids) if all(run in runs for run in ids) else ()
        can = possible.with_runs(map(runs.get, ids))
        return Selection("run", ids, marked=bool(listing.marked), jobs=known, possible=can)

    def status(self) -> str:
        if self._seen is None:
            return ""
        queued = sum(queue.queued for queue in self._seen.queues)
        under_way = sum(batch.batch.state == "running" for batch in self._seen.batches)
        batches = f"{under_way:,} {'batch' if under_way == 1 else 'batches'} under way"
        said = [counted(len(self._seen.queues), "queue"), f"{queued:,} queued", batches]
        said += [f"filter: {plain(self.filter_text)}"] if self.filter_text else []
        return " · ".join(said)

    def command(self) -> Sequence[str]:
        return ("batches",) if self.focused_list.id == "batches" else ("queues",)

    def filter(self, text: str) -> None:
        terms = self.app.admin.queue_terms(text)
        if terms != self._terms:
            self._terms, self._fits = terms, row_test(terms)
            self.ask(interrupt=True)

    def on_resize(self, event: Any) -> None:
        super().on_resize(event)
        self._share_room()

    @on(Listing.Chosen)
    def _chosen(self, event: Listing.Chosen) -> None:
        match event.listing.id:
            case "queues":
                self.app.open_filtered("3", f"queue:{event.key}")
            case "line":
                self.app.open_thing("run", int(str(event.key)))
            case _:
                self.app.open_thing("batch", int(str(event.key)))

    @on(Listing.Moved)
    def _moved(self, event: Listing.Moved) -> None:
        if event.listing.id == "queues" and self._seen is not None and event.key != self._seen.of:
            self.ask()
        self.redraw()
        self.restate()

    # --- how it is drawn ----------------------------------------------------------------------------------------------

    def redraw(self) -> None:
        self.query_one("#line-head", Chart).show(self._line_head)
        self.query_one("#batches-head", Chart).show(self._batches_head)
        if self.wide and self._seen is not None:
            self.query_one("#what", Details).show(self._written)

    def _share_room(self) -> None:
        """Queues and batches get as many lines as they need, and no more than some; the line gets the rest."""
        if self._seen is None:
            return
        room = max(self.query_one("#body").size.height - 2, 4)
        queues = min(max(len(self._seen.queues), 1) + 1, _MOST_QUEUES + 1, room // 2)
        batches = min(len(self._seen.batches), _MOST_BATCHES, max(room - queues - 4, 0))
        self.give_lines("queues", queues)
        self.give_lines("batches", batches + 1)
        for name in ("#batches", "#batches-head"):
            self.query_one(name).display = batches > 0

    def _queue_row(self, value: QueueStatus) -> Line:
        flow = self._seen.flows.get(value.name) if self._seen is not None else None
        return Line(value.name, work.queue(value, flow, self.terminal))

    def _standing_row(self, value: Standing) -> Line:
        return Line(value.run.id, work.standing(value, self.times()))

    def _batch_row(self, value: BatchAtWork) -> Line:
        bar = bars.progress(value.done, value.batch.total, _BAR, self.terminal)
        return Line(value.batch.id, work.batch(value, bar, self.terminal, self.times()))

    def _line_head(self, width: int) -> Sequence[Pieces]:
        seen = self._seen
        if seen is None or seen.of is None:
            return (rule("QUEUED", width, self.terminal),)
        queued = next((queue.queued for queue in seen.queues if queue.name == seen.of), 0)
        title = f"QUEUED IN {seen.of} ({queued:,})"
        return (rule(title, width, self.terminal, right="as they will be taken"),)

    def _batches_head(self, width: int) -> Sequence[Pieces]:
        batches = len(self._seen.batches) if self._seen is not None else 0
        return (rule(f"BATCHES ({batches:,}{'+' if batches == _BATCHES else ''})", width, self.terminal),)

    def _written(self, screen: Terminal) -> list[str | Pieces]:
        seen, listing = self._seen, self.focused_list
        row = listing.cursor_row
        if seen is None or row is None:
            return []
        if listing.id == "batches":
            return list(details.batch(row.batch, (), screen, self.times()))
        if listing.id == "line":
            return [
                (Cell(f"run {row.run.id}", "bold"), Cell(f" of {row.run.job}")),
                f"It is number {row.position:,} in the line of queue {row.run.queue}.",
                "enter shows it, X withdraws it.",
            ]
        lines: list[str | Pieces] = [(Cell(f"queue {row.name}", "bold"),), ""]
        for pause in seen.pauses:
            if (pause.scope, pause.name) == ("queue", row.name) or pause.scope == "all":
                lines += [f"Paused by {plain(pause.who)} {self.times().when(pause.since)}{_until(pause, self)}"]
                lines += [plain(pause.reason), ""]
        served = "It may run as many at once as there are workers."
        if row.max_running is not None:
            served = f"At most {row.max_running:,} of it run at once, across all servers."
        return [*lines, served, "enter shows its runs, p pauses it."]


def _until(pause: Pause, view: Queues) -> str:
    return f", until {view.times().full(pause.until)}" if pause.until is not None else ""
