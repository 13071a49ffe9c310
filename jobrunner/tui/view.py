"""What all screens of the dashboard have in common: their lines, the question they ask, and the keys that work in each.

A screen is a ``View`` with a body. It asks admin in the reader's thread and shows what comes back.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from textual import events, on
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.reactive import var
from textual.screen import Screen
from textual.timer import Timer
from textual.widget import Widget

from jobrunner.domain.filter import Field
from jobrunner.domain.filter_text import Subject, values_of, with_values
from jobrunner.presentation.table import Cell
from jobrunner.tui import keys
from jobrunner.tui.actions.table import ACTIONS
from jobrunner.tui.dialogs.menu import Marks, Menu
from jobrunner.tui.editor import editable
from jobrunner.tui.reader import Asked, Told
from jobrunner.tui.selection import NOTHING, Selection
from jobrunner.tui.widgets.filterline import FilterLine
from jobrunner.tui.widgets.header import Header
from jobrunner.tui.widgets.hints import Hints
from jobrunner.tui.widgets.listing import Listing
from jobrunner.tui.widgets.picklist import Pick
from jobrunner.tui.widgets.statusline import StatusLine
from jobrunner.tui.widgets.tabs import Tabs

if TYPE_CHECKING:
    from jobrunner.admin import Admin
    from jobrunner.presentation.screen import Screen as Terminal
    from jobrunner.presentation.times import Times
    from jobrunner.tui.app import Dashboard

WIDE_COLUMNS = 120
"""From here on list and detail stand side by side."""

LOW_LINES = 18
"""Below this the hints go."""

LEAST_COLUMNS, LEAST_LINES = 40, 10
"""Below either of them one line of status is all that stays."""

_MOST_FILTERS = 50
_LOOKING = frozenset({"output", "mark", "range", "mark_all"})
"""What may be done where nothing may be changed."""


class View(Screen[None]):
    """Base of every screen. ``number`` is its place among the tabs, None for those reached from others.

    ``filterable``: ``/`` opens the filter line. ``hints`` are the ids of keys for the last line, most needed first.
    """

    app: Dashboard

    name_shown: ClassVar[str] = ""
    number: ClassVar[str | None] = None
    filterable: ClassVar[bool] = False
    hints: ClassVar[tuple[str, ...]] = ()

    BINDINGS: ClassVar = [
        *keys.bindings(*keys.OF_VIEW),
        *keys.bindings(*keys.OF_APP, action="app.{}"),
        *keys.bindings(*keys.SCREENS, action="open_screen('{}')"),
        *keys.bindings(*keys.FINDING),
        *keys.bindings(*keys.ACTING, action="act('{}')"),
    ]

    AUTO_FOCUS = "#body *"

    remark_seconds: ClassVar[float] = 8.0
    """After which a remark goes away."""

    wide = var(False)
    """Whether list and detail stand side by side; a detail pane is hidden where it is not set."""

    tiny = var(False)
    """Whether nothing but one line of status is shown."""

    def __init__(self) -> None:
        super().__init__()
        self.filter_text = ""
        self.opener: View | None = None
        self._serial = 0
        self._last = 0
        self._awaited = 0
        self._troubled = False
        self._told: Told | None = None
        self._remark_timer: Timer | None = None
        self._focus_before: Widget | None = None

    # --- what a screen says of itself ---------------------------------------------------------------------------------

    def body(self) -> ComposeResult:
        """The widgets between tabs and status line."""
        yield from ()

    def detail(self) -> ComposeResult:
        """The widgets beside the body in a wide terminal."""
        yield from ()

    def question(self) -> Callable[[Admin], object]:
        """What is asked, made on the UI thread of what is on the screen, and run in the reader's."""
        return lambda _: None

    def show(self, answer: Any) -> None:
        """Shows an answer: cheap, and the same when it is shown again."""

    def selection(self) -> Selection:
        """What actions act on: what is marked, or else what is under the cursor."""
        return NOTHING

    def selection_for(self, id: str) -> Selection:
        """What an action acts on, where that depends on which it is: a job is paused, its last run is retried."""
        return self.selection()

    def status(self) -> str:
        """What is shown of how much, and the filter that is on."""
        return ""

    def way(self) -> Sequence[str]:
        """How one got here, for views without a number: ``("Runs", "1042 backup")``."""
        return (self.name_shown,)

    def remark(self) -> str:
        """What stands at the right end of the tabs."""
        return ""

    def left(self) -> None:
        """Called when another view takes its place: it may be gone back to, and gives up what is large until then."""

    def tick(self) -> None:
        """Called once a second while it is on top, for times that are relative to now. Asks nothing."""

    def filter(self, text: str) -> None:
        """Applies what was typed after ``/``; raises UsageError for what cannot be read."""

    def completions(self, text: str) -> Sequence[str]:
        """Whole filters that the text could become, best first."""
        return ()

    def command(self) -> Sequence[str]:
        """The arguments of the program that say the same as this screen; empty: there are none."""
        return ()

    orders: ClassVar[Mapping[str, str]] = {}
    """The orders that ``s`` offers: keys and words; the first is the usual one."""

    subject: ClassVar[Subject | None] = None
    """What is filtered, where the filter is of the shared grammar: then it can be built field by field."""

    states: ClassVar[tuple[str, ...]] = ()
    """The states that ``f`` offers."""

    all_columns: ClassVar[tuple[str, ...]] = ()
    """The columns that ``o`` offers, by title."""

    actions: ClassVar[tuple[str, ...]] = ()
    """Ids of keys of actions that are of use here, beside those that apply to what is selected."""

    def ordered(self) -> None:
        """Another order was chosen: it is in ``order``."""

    def columned(self) -> None:
        """Other columns were chosen: those that are hidden are in ``hidden``."""

    # --- what a screen may use ----------------------------------------------------------------------------------------

    @property
    def terminal(self) -> Terminal:
        """What can be shown here, for widgets."""
        return self.app.look.screen

    def times(self, job_zone: Any = None) -> Times:
        """How instants are written now: relative, local or UTC, as the person has chosen."""
        return self.app.times(job_zone)

    @property
    def answered(self) -> bool:
        """Whether anything has been shown yet."""
        return self._told is not None and self._told.answered

    @property
    def up_to_date(self) -> bool:
        """Whether the answer to its latest question, or why there is none, has come."""
        return self._serial > 0 and self._last == self._serial

    @property
    def settling(self) -> bool:
        """Whether other rows have been asked for than those that are shown: nothing is to be done with these."""
        return self._last < self._awaited or any(listing.is_going for listing in self.query(Listing))

    @property
    def order(self) -> str:
        """The order that the person has chosen, else the first."""
        chosen = self.app.remembered.get(f"{self.name_shown}.order", "")
        return chosen if chosen in self.orders else next(iter(self.orders), "")

    @property
    def hidden(self) -> frozenset[str]:
        """The columns that the person has hidden."""
        return frozenset(self.app.remembered.get(f"{self.name_shown}.hidden", []))

    def has_key(self, id: str) -> bool:
        """Whether a key is of use here."""
        group = self.app.keys[id].group
        if group is keys.Group.FIND:
            return self._finds(id)
        if group is keys.Group.ACT:
            return not (self.app.setting.read_only and id not in _LOOKING) and self._acts(id)
        if group in (keys.Group.OUTPUT, keys.Group.EDIT):
            return id in self.hints
        if group is keys.Group.LANES:
            return bool(self.query("Lanes"))
        return not id.startswith("screen_") or id.removeprefix("screen_") in dict(self.app.tabs)

    def can_press(self, key: str) -> bool:
        """Whether a key does here what it stands for; not where letters are typed."""
        return True

    def _finds(self, id: str) -> bool:
        if id in ("why", "decisions"):
            return id in self.hints or (self.selection().kind in ("job", "run") and len(self.selection().ids) == 1)
        if id == "chain":
            return self.selection().kind == "run" and len(self.selection().ids) == 1
        if id == "build_filter":
            return self.subject is not None
        offers = {"order": self.orders, "columns": self.all_columns, "states": self.states}
        return bool(offers[id]) if id in offers else self.filterable

    def _acts(self, id: str) -> bool:
        if id in ACTIONS:
            return ACTIONS[id].applies(self.selection_for(id))
        if id == "edit":
            return editable(self.selection_for(id))
        return id in self.actions or id in self.hints or id in ("undo", "new_job")

    def offered(self) -> list[str]:
        """Ids of keys for menu and palette that are no actions of the table."""
        group = (keys.Group.FIND, keys.Group.ACT)
        found = [id for id, key in self.app.keys.items() if key.group in group and id not in ACTIONS]
        return [id for id in found if self.has_key(id) and id not in keys.MARKING]

    def do(self, id: str) -> None:
        """Does what the key of an id does."""
        if id in keys.SCREENS:
            self.action_open_screen(id)
        elif id in keys.ACTING:
            self.action_act(id)
        else:
            self.call_later(self.run_action, f"app.{id}" if id in keys.OF_APP else id)

    def ask(self, *, interrupt: bool = False) -> None:
        """Asks its question soon; a newer one takes its place.

        ``interrupt``: a person wants to see something else, and does not wait for what is under way.
        """
        if self.is_attached and self.app.view is self:
            self._serial += 1
            if interrupt or self._serial == 1:
                self._awaited = self._serial
            self.app.reader.ask(Asked(self, self._serial, self.question()), interrupt=interrupt)

    def restate(self) -> None:
        """Shows status, tabs and hints anew: when a mark, the cursor or the filter has changed."""
        if not self._is_mounted:
            return
        app = self.app
        status = app.tiny_status() if self.tiny else self.status()
        self.query_one(StatusLine).show(Cell(status), app.freshness())
        self.query_one(Header).show(*app.heading())
        self.query_one(Tabs).show(app.tabs, self.number, way=self.way(), right=self.remark())
        self.query_one(Hints).show(app.hints(self))

    def say(self, text: str, *, error: bool = False) -> None:
        """A remark in the status line, for a while; as soon as there is one."""
        if not self.is_mounted:
            self.call_later(self.say, text, error=error)
            return
        self.query_one(StatusLine).remark(Cell(text, "bold red" if error else "bold"))
        self._keep_remark()
        self._remark_timer = self.set_timer(self.remark_seconds, self._end_remark)

    # --- how it works -------------------------------------------------------------------------------------------------

    def compose(self) -> ComposeResult:
        screen = self.app.look.screen
        yield Header(screen)
        yield Tabs(screen)
        with Horizontal(id="middle"):
            with Vertical(id="body"):
                yield from self.body()
            with Vertical(id="detail"):
                yield from self.detail()
        yield FilterLine(screen)
        yield StatusLine(screen)
        yield Hints(screen)

    def on_mount(self) -> None:
        self._has_detail = bool(self.query_one("#detail").children)
        self._fit(self.app.size.width, self.app.size.height)
        self.restate()

    def on_screen_resume(self) -> None:
        if self.app.view is self:
            self.restate()
            self.ask()

    def on_resize(self, event: events.Resize) -> None:
        self._fit(event.size.width, event.size.height)
        self.restate()

    def _fit(self, width: int, height: int) -> None:
        self.wide = width >= WIDE_COLUMNS
        self.tiny = width < LEAST_COLUMNS or height < LEAST_LINES
        self.set_class(self.tiny, "-tiny")
        self.set_class(height < LOW_LINES, "-low")
        self.query_one("#detail").display = self.wide and getattr(self, "_has_detail", False)

    def told(self, told: Told) -> None:
        """Takes what the reader was told: an answer to an older question is not shown any more."""
        if told.asked.serial != self._serial:
            return
        self._last = told.asked.serial
        line = self.query_one(StatusLine)
        if told.answered:
            self._told = told
            if self._troubled:
                line.remark(Cell(""))
            self.show(told.answer)
        self._troubled = told.trouble is not None and not told.trouble.away
        if told.trouble is not None and self._troubled:
            line.remark(Cell(told.trouble.text, "bold red"))
            self._keep_remark()
        self.restate()

    def _keep_remark(self) -> None:
        if self._remark_timer is not None:
            self._remark_timer.stop()
            self._remark_timer = None

    def _end_remark(self) -> None:
        self.query_one(StatusLine).remark(Cell(""))

    # --- finding ----------------------------------------------------------------------------------------------------

    def action_order(self) -> None:
        def chosen(order: object) -> None:
            if order is not None:
                self.app.remembered.keep(f"{self.name_shown}.order", order)
                self.ordered()
                self.restate()

        if self.orders:
            picks = [Pick(key, words, "now" if key == self.order else "") for key, words in self.orders.items()]
            self.app.push_screen(Menu(self.terminal, "Order", picks), chosen)

    def action_columns(self) -> None:
        def chosen(shown: frozenset[object] | None) -> None:
            if shown is not None:
                hidden = [title for title in self.all_columns if title not in shown]
                self.app.remembered.keep(f"{self.name_shown}.hidden", hidden)
                self.columned()
                self.restate()

        if self.all_columns:
            picks = [Pick(title, title, marked=title not in self.hidden) for title in self.all_columns]
            self.app.push_screen(Marks(self.terminal, "Columns", picks, one=False), chosen)

    def action_states(self) -> None:
        def chosen(states: frozenset[object] | None) -> None:
            if states is not None:
                wanted = [state for state in self.states if state in states]
                self.apply_filter(with_values(self.filter_text, Field.STATE, wanted))

        if self.states:
            on = values_of(self.filter_text, Field.STATE)
            picks = [Pick(state, state, marked=state in on) for state in self.states]
            self.app.push_screen(Marks(self.terminal, "By state", picks, one=not on), chosen)

    def action_build_filter(self) -> None:
        from jobrunner.tui.dialogs.filter_builder import FilterBuilder

        before = self.filter_text

        def built(values: object) -> None:
            if values is None and self.filter_text != before:
                self.apply_filter(before)

        if self.subject is not None:
            now, zone = self.app.setting.clock.now(), self.app.admin.zone()
            builder = FilterBuilder(
                self.terminal, before, subject=self.subject, now=now, zone=zone, applied=self.apply_filter
            )
            self.app.push_screen(builder, built)

    def action_why(self) -> None:
        self.app.act("why", self.selection())

    def action_chain(self) -> None:
        self.app.act("chain", self.selection())

    def action_decisions(self) -> None:
        self.app.act("decisions", self.selection())

    def action_keep_filter(self) -> None:
        if not self.filterable or not self.filter_text:
            return
        kept = list(self.app.remembered.get("filters", []))
        if self.filter_text in kept:
            kept.remove(self.filter_text)
            self.say(f"no longer kept: {self.filter_text}")
        else:
            kept.insert(0, self.filter_text)
            self.say(f"kept for the palette: {self.filter_text}")
        self.app.remembered.keep("filters", kept[:_MOST_FILTERS])

    # --- keys ---------------------------------------------------------------------------------------------------------

    def action_act(self, id: str) -> None:
        """What a key of an action does."""
        self.app.act(id, self.selection_for(id))

    def action_open_screen(self, id: str) -> None:
        self.app.open_number(id.removeprefix("screen_"))

    def action_palette(self) -> None:
        self.app.commands.palette(self)

    def action_menu(self) -> None:
        self.app.commands.menu(self)

    def action_help(self) -> None:
        self.app.commands.help(self)

    def action_copy_id(self) -> None:
        names = self.selection().names
        if names:
            self.app.copy(" ".join(names), "the id" if len(names) == 1 else "the ids")

    def action_copy_command(self) -> None:
        """That of the action that was just done; else the one that says what this screen does."""
        done, self.app.acting.last_command = self.app.acting.last_command, ""
        text = done or (self.app.command_line([self.command()]) if self.command() else "")
        if text:
            self.app.copy(text, "the command")

    def action_filter(self) -> None:
        line = self.query_one(FilterLine)
        if self.filterable and not line.is_open:
            self._focus_before = self.focused
            line.open(self.filter_text)
            line.suggest(self.completions(self.filter_text))

    def action_leave(self) -> None:
        if self.opener is None:
            self.app.exit()
        else:
            self.app.back()

    def action_back(self) -> None:
        if self.filter_text and self.filterable:
            self.apply_filter("")
        else:
            self.app.back()

    def apply_filter(self, text: str) -> None:
        """Filters by a text, as if it had been typed; one that cannot be read leaves the filter that is on.

        Raises:
            UsageError: it cannot be read.
        """
        before, self.filter_text = self.filter_text, text
        try:
            self.filter(text)
        except BaseException:
            self.filter_text = before
            raise
        finally:
            self.restate()

    @on(FilterLine.Changed)
    def _filter_changed(self, event: FilterLine.Changed) -> None:
        from jobrunner.errors import JobrunnerError

        line = self.query_one(FilterLine)
        try:
            self.apply_filter(event.text)
            line.complain("")
        except JobrunnerError as error:
            line.complain(str(error))
        line.suggest(self.completions(event.text))

    @on(FilterLine.Closed)
    def _filter_closed(self) -> None:
        """The keys are for the body again, unless the person has gone elsewhere."""
        before, self._focus_before = self._focus_before, None
        if self.focused is not None and self.query_one(FilterLine) not in self.focused.ancestors_with_self:
            return
        if before is not None and before.is_attached and before.focusable:
            before.focus()
        else:
            self.set_focus(next((one for one in self.query("#body *") if one.focusable), None))

    @on(Tabs.Chosen)
    def _tab_chosen(self, event: Tabs.Chosen) -> None:
        self.app.open_number(event.number)

    @on(Hints.Chosen)
    async def _hint_chosen(self, event: Hints.Chosen) -> None:
        self.app.simulate_key(self.app.keys[event.id].keys[0])
