"""What all screens of the dashboard look like: their lines, and what is shown of them in a small terminal."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, ClassVar

from textual import events, on
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.reactive import var
from textual.screen import Screen
from textual.timer import Timer

from jobrunner.presentation.table import Cell
from jobrunner.tui.widgets.filterline import FilterLine
from jobrunner.tui.widgets.header import Header
from jobrunner.tui.widgets.hints import Hints
from jobrunner.tui.widgets.notice import Notice
from jobrunner.tui.widgets.statusline import StatusLine
from jobrunner.tui.widgets.tabs import Tabs

if TYPE_CHECKING:
    from jobrunner.presentation.screen import Screen as Terminal
    from jobrunner.tui.app import Dashboard

WIDE_COLUMNS = 120
"""From here on list and detail stand side by side."""

LOW_LINES = 18
"""Below this the hints go."""

LEAST_COLUMNS, LEAST_LINES = 40, 10
"""Below either of them one line of status is all that stays."""


class Frame(Screen[None]):
    """A screen with the lines above and below its body. ``number`` is its place among the tabs, None for others."""

    app: Dashboard

    name_shown: ClassVar[str] = ""
    number: ClassVar[str | None] = None

    AUTO_FOCUS = "#body *"

    remark_seconds: ClassVar[float] = 8.0
    """After which a remark goes away."""

    wide = var(False)
    """Whether list and detail stand side by side; a detail pane is hidden where it is not set."""

    tiny = var(False)
    """Whether nothing but one line of status is shown."""

    def __init__(self) -> None:
        super().__init__()
        self._has_detail = False
        self._remark_timer: Timer | None = None

    # --- what a screen says of itself ---------------------------------------------------------------------------------

    def body(self) -> ComposeResult:
        """The widgets between tabs and status line."""
        yield from ()

    def detail(self) -> ComposeResult:
        """The widgets beside the body in a wide terminal."""
        yield from ()

    def status(self) -> str:
        """What is shown of how much, and the filter that is on."""
        return ""

    def way(self) -> Sequence[str]:
        """How one got here, for views without a number: ``("Runs", "1042 backup")``."""
        return (self.name_shown,)

    def remark(self) -> str:
        """What stands at the right end of the tabs."""
        return ""

    def hinted(self) -> Sequence[tuple[str, str, str]]:
        """What the last line says: ids, keys, words."""
        return ()

    def leave_for(self, then: Callable[[], object]) -> None:
        """Goes elsewhere, as soon as nothing would be lost by it."""
        then()

    # --- what a screen may use ----------------------------------------------------------------------------------------

    @property
    def terminal(self) -> Terminal:
        """What can be shown here, for widgets."""
        return self.app.look.screen

    def restate(self) -> None:
        """Shows status, tabs and hints anew: when a mark, the cursor or the filter has changed."""
        if not self._is_mounted:
            return
        app = self.app
        status = app.vitals.line() if self.tiny else self.status()
        self.query_one(StatusLine).show(Cell(status), app.freshness())
        self.query_one(Header).show(*app.heading())
        self.query_one(Tabs).show(app.tabs, self.number, way=self.way(), right=self.remark())
        self.query_one(Hints).show(self.hinted())

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
            yield Notice(screen)
        yield FilterLine(screen)
        yield StatusLine(screen)
        yield Hints(screen)

    def on_mount(self) -> None:
        self._has_detail = bool(self.query_one("#detail").children)
        self._fit(self.app.size.width, self.app.size.height)
        self.restate()

    def on_resize(self, event: events.Resize) -> None:
        self._fit(event.size.width, event.size.height)
        self.restate()

    def _fit(self, width: int, height: int) -> None:
        self.wide = width >= WIDE_COLUMNS
        self.tiny = width < LEAST_COLUMNS or height < LEAST_LINES
        self.set_class(self.tiny, "-tiny")
        self.set_class(height < LOW_LINES, "-low")
        self.query_one("#detail").display = self.wide and self._has_detail

    def _keep_remark(self) -> None:
        if self._remark_timer is not None:
            self._remark_timer.stop()
            self._remark_timer = None

    def _end_remark(self) -> None:
        self.query_one(StatusLine).remark(Cell(""))

    @on(Tabs.Chosen)
    def _tab_chosen(self, event: Tabs.Chosen) -> None:
        self.app.open_number(event.number)

    @on(Header.Chosen)
    def _header_chosen(self, event: Header.Chosen) -> None:
        """What the header counts is shown."""
        if event.part.leads == "dead":
            self.leave_for(self.app.open_dead_letters)

    @on(Hints.Chosen)
    def _hint_chosen(self, event: Hints.Chosen) -> None:
        """As the key does. The app sends it: a key that this screen sent would not come back to it."""
        self.app.call_later(self.app.simulate_key, self.app.keys[event.id].keys[0])
