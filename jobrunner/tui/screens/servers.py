"""The servers and what each runs; below them what happened lately, or who did what."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from textual import on
from textual.app import ComposeResult

from jobrunner.domain.event import Happened
from jobrunner.domain.row_filter import EVENTS, Test, of_event, row_test
from jobrunner.domain.server import odd_configurations
from jobrunner.presentation import lists, work
from jobrunner.presentation.sanitise import plain
from jobrunner.presentation.table import Cell
from jobrunner.presentation.times import elapsed
from jobrunner.tui.panes import Panes
from jobrunner.tui.selection import NOTHING, Selection
from jobrunner.tui.widgets.chart import Chart
from jobrunner.tui.widgets.details import Details
from jobrunner.tui.widgets.ink import Pieces
from jobrunner.tui.widgets.listing import Line, Listing
from jobrunner.tui.widgets.rule import rule

if TYPE_CHECKING:
    from jobrunner.admin import Admin
    from jobrunner.domain.at_work import ServerAtWork
    from jobrunner.domain.event import Event
    from jobrunner.domain.filter import Term
    from jobrunner.domain.filter_completion import Known
    from jobrunner.presentation.screen import Screen as Terminal

_EVENTS, _MOST_EVENTS = 300, 2_000
"""The newest that are looked at: without a filter, and with one."""

_NOTHING = "Nothing has happened."
_NO_MATCH = f"Nothing of the newest {_MOST_EVENTS:,} matches the filter.\nesc takes it away."
_MOST_SERVERS = 9
_EVERYTHING, _AUDIT = "events", "audit"


class Seen(NamedTuple):
    """The answer to the question of this screen."""

    servers: tuple[ServerAtWork, ...]
    events: tuple[Event, ...]
    known: Known


class Servers(Panes):
    """Screen 6. ``s`` chooses between all that happened and what people did."""

    name_shown = "Servers"
    number = "6"
    filterable = True
    subject = EVENTS
    states = tuple(Happened)
    hints = ("open", "next_pane", "order", "states", "reload")
    orders = {_EVERYTHING: "Events: all that happened", _AUDIT: "Audit: who did what"}  # noqa: RUF012

    def __init__(self) -> None:
        super().__init__()
        self._seen: Seen | None = None
        self._differing: frozenset[str] = frozenset()
        self._terms: tuple[Term, ...] = ()
        self._fits: Test = row_test(())

    def body(self) -> ComposeResult:
        screen = self.terminal
        yield Listing(
            work.SERVER_COLUMNS,
            screen=screen,
            id="servers",
            key=lambda value: value.server.id,
            empty="No server has run.\njobrunner run starts one.",
        )
        yield Chart(screen, self._events_head, id="events-head")
        yield Listing(work.EVENT_COLUMNS, screen=screen, id="events", key=lambda event: event.key, empty=_NOTHING)

    def detail(self) -> ComposeResult:
        yield Details(screen=self.terminal, id="what")

    def question(self) -> Callable[[Admin], object]:
        order, n = self.order, _MOST_EVENTS if self._terms else _EVENTS

        def look(admin: Admin) -> Seen:
            events = admin.acts(n) if order == _AUDIT else admin.events(n)
            return Seen(admin.servers_at_work(), events, admin.names_at_hand())

        return look

    def show(self, answer: Any) -> None:
        self._seen = answer
        self._differing = odd_configurations([value.server for value in answer.servers])
        self.listing("servers").show(answer.servers, self._server_row)
        self._show_events()
        self._share_room()
        self.redraw()

    def selection(self) -> Selection:
        listing = self.focused_list
        row = listing.cursor_row
        if row is None:
            return NOTHING
        if listing.id == "servers":
            return Selection("server", (row.server.name,))
        kind, id = row.subject
        return Selection(kind, (id,)) if kind in ("job", "run", "queue", "batch") else NOTHING

    def filter(self, text: str) -> None:
        terms = self.app.admin.event_terms(text)
        if terms != self._terms:
            self._terms, self._fits = terms, row_test(terms)
            self._show_events()
            self.ask()

    def ordered(self) -> None:
        self.ask(interrupt=True)

    def status(self) -> str:
        if self._seen is None:
            return ""
        live = [value.server for value in self._seen.servers if value.server.live]
        busy, workers = sum(server.busy for server in live), sum(server.workers for server in live)
        said = [f"{len(live):,} of {len(self._seen.servers):,} servers live", f"{busy}/{workers} workers busy"]
        said += list(lists.remarks_on_servers(live))[:1]
        said += [f"filter: {plain(self.filter_text)}"] if self.filter_text else []
        return " · ".join(said)

    def command(self) -> Sequence[str]:
        if self.focused_list.id == "servers":
            return ("servers",)
        return ("audit",) if self.order == _AUDIT else ()

    def on_resize(self, event: Any) -> None:
        super().on_resize(event)
        self._share_room()

    @on(Listing.Chosen)
    def _chosen(self, event: Listing.Chosen) -> None:
        row = event.listing.cursor_row
        if row is None:
            return
        if event.listing.id == "servers":
            self.app.open_filtered("3", f"server:{row.server.name}")
            return
        kind, id = row.subject
        if kind in ("job", "run", "batch"):
            self.app.open_thing(kind, id)
        elif kind in ("queue", "file"):
            self.app.open_number("4" if kind == "queue" else "7")
        elif kind == "server":
            self.app.open_filtered("3", f"server:{id}")

    @on(Listing.Moved)
    def _moved(self, event: Listing.Moved) -> None:
        self.redraw()
        self.restate()

    # --- how it is drawn ----------------------------------------------------------------------------------------------

    def _show_events(self) -> None:
        if self._seen is not None:
            found = [one for one in self._seen.events if self._fits(of_event(one))]
            self.listing("events").set_empty(_NO_MATCH if self._terms else _NOTHING)
            self.listing("events").show(found, self._event_row)

    def redraw(self) -> None:
        self.query_one("#events-head", Chart).show(self._events_head)
        if self.wide and self._seen is not None:
            self.query_one("#what", Details).show(self._written)

    def _share_room(self) -> None:
        if self._seen is None:
            return
        room = max(self.query_one("#body").size.height - 1, 4)
        height = min(max(len(self._seen.servers), 2) + 1, _MOST_SERVERS + 1, room // 2)
        self.give_lines("servers", height)

    def _server_row(self, value: ServerAtWork) -> Line:
        return Line(value.server.id, work.server(value, self._differing, self.terminal, self.times()))

    def _event_row(self, event: Event) -> Line:
        return Line(event.key, work.event(event, self.terminal, self.times()))

    def _events_head(self, width: int) -> Sequence[Pieces]:
        title = "WHO DID WHAT" if self.order == _AUDIT else "WHAT HAPPENED"
        return (rule(title, width, self.terminal, right="s changes"),)

    def _written(self, screen: Terminal) -> list[str | Pieces]:
        listing, times = self.focused_list, self.times()
        row = listing.cursor_row
        if row is None:
            return []
        if listing.id == "events":
            return [
                (Cell(plain(row.words), "bold"),),
                "",
                (Cell("when  ", "dim"), Cell(times.full(row.at))),
                (Cell("who   ", "dim"), Cell(plain(row.who))),
            ]
        it = row.server
        lines: list[str | Pieces] = [(Cell(f"{it.name} on {it.host}", "bold"),), ""]
        lines += [(Cell("started  ", "dim"), Cell(times.full(it.started_at)))]
        lines += [(Cell("queues   ", "dim"), Cell(", ".join(it.queues)))]
        lines += [(Cell("config   ", "dim"), Cell(it.config_hash))]
        if it.config_error:
            lines += ["", (Cell("It goes on with an older file:", "bold red"),), plain(it.config_error)]
        lines += ["", (Cell(f"RUNNING ({len(row.runs):,})", "dim"),)]
        for each in row.runs:
            run = each.run
            took = (times.now - run.started_at).total_seconds() if run.started_at is not None else None
            lines += [(Cell(f"{elapsed(took):>7}  "), Cell(plain(run.job)), Cell(f"  {run.id}", "dim"))]
        return lines
