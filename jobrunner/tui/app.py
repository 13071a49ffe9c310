"""The dashboard: which views there are and were, who asks, what is done, and what the terminal has to be given back."""

from __future__ import annotations

import traceback
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from importlib import import_module
from typing import TYPE_CHECKING, ClassVar

from textual import events
from textual.app import App
from textual.binding import Binding
from textual.message import Message

from jobrunner.presentation.table import Cell
from jobrunner.presentation.times import Times
from jobrunner.tui import keys
from jobrunner.tui.keys import Key
from jobrunner.tui.look import THEMES, AsciiOnly, Look, NoColours
from jobrunner.tui.pulse import Pulse, pulse
from jobrunner.tui.reader import Reader, Told
from jobrunner.tui.selection import Kind, Selection
from jobrunner.tui.view import View
from jobrunner.tui.widgets.header import Part

if TYPE_CHECKING:
    from collections.abc import Mapping

    from textual.driver import Driver
    from textual.filter import LineFilter

    from jobrunner.admin import Admin
    from jobrunner.domain.clock import Clock

VIEWS: dict[str, tuple[str, str]] = {
    "1": ("Overview", "overview:Overview"),
    "6": ("Servers", "servers:Servers"),
}
"""The numbered screens: name, and the module of ``screens`` with the class. Imported when first shown."""

THINGS: dict[Kind, str] = {}
"""The view of one thing, reached from others: the module of ``screens`` with the class, made with its id."""

MOST_VIEWS = 30
"""Views that ``[`` goes back through; older ones are closed."""

_TIMES = ("relative", "local", "UTC")


@dataclass(frozen=True, kw_only=True)
class Setting:
    """What a dashboard is opened with. ``config`` is the file that was named on the command line, None for the found
    one; ``read_only``: nothing may be changed; ``host`` is this one."""

    admin: Admin
    clock: Clock
    look: Look
    keys: Mapping[str, Key]
    host: str
    config: str | None = None
    read_only: bool = False
    debug: bool = False
    start: str | None = None


class Reported(Message):
    """What the reader was told, brought to the UI thread."""

    def __init__(self, told: Told) -> None:
        super().__init__()
        self.told = told


class Dashboard(App[None], inherit_bindings=False):
    """``jobrunner tui``. Ends with ``return_code``; ``crash`` is the fault of ours that ended it, if one did."""

    TITLE = "jobrunner"
    CSS_PATH = "jobrunner.tcss"
    ENABLE_COMMAND_PALETTE = False
    ALLOW_SELECT = False
    BINDINGS: ClassVar = [
        Binding("ctrl+c", "interrupt", show=False, priority=True),
        *keys.bindings("quit"),
    ]

    def __init__(self, setting: Setting, driver_class: type[Driver] | None = None) -> None:
        super().__init__(driver_class=driver_class)
        self.setting = setting
        self.admin = setting.admin
        self.look = setting.look
        self.keys = setting.keys
        self.crash: BaseException | None = None
        self.tracebacks: list[str] = []
        self.frozen = False
        self.pulse: Pulse | None = None
        self._heard_at: datetime | None = None
        self._away = ""
        self._times = _TIMES[0]
        self._seen: list[View] = []
        self._place = -1
        self._numbered: dict[str, View] = {}
        self.set_keymap(keys.keymap(setting.keys))
        for theme in THEMES:
            self.register_theme(theme)
        self.reader = Reader(
            setting.admin,
            clock=setting.clock,
            pulse=pulse,
            tell=self._bring,
            unexpected=self.note_fault,
        )

    def get_line_filters(self) -> Sequence[LineFilter]:
        """What every line passes on its way to the terminal."""
        colour, unicode = self.look.screen.colour, self.look.screen.unicode
        filters = list(super().get_line_filters()) if colour else [NoColours()]
        return filters if unicode else [*filters, AsciiOnly()]

    # --- life ---------------------------------------------------------------------------------------------------------

    def on_mount(self) -> None:
        self.theme = self.look.theme
        self.reader.start()
        self.set_interval(1.0, self._tick)
        self.open_number(self.setting.start if self.setting.start in VIEWS else next(iter(VIEWS)))

    def on_unmount(self) -> None:
        self.reader.stop()

    def on_app_blur(self, event: events.AppBlur) -> None:
        self.reader.calm(True)

    def on_app_focus(self, event: events.AppFocus) -> None:
        self.reader.calm(False)

    def _bring(self, told: Told) -> None:
        self.post_message(Reported(told))

    def note_fault(self, error: BaseException) -> None:
        """Keeps the traceback of an exception that is a fault of ours; ``--debug`` shows it at the end. Any thread."""
        self.tracebacks.append("".join(traceback.format_exception(error)))
        del self.tracebacks[:-20]

    def _handle_exception(self, error: Exception) -> None:
        """A fault of ours that nothing else has caught ends the dashboard; it is told when the terminal is back."""
        self._return_code = 1
        if self._exception is None:
            self._exception = error
            self._exception_event.set()
        self.crash = self.crash or error
        self._close_messages_no_wait()

    def _tick(self) -> None:
        view = self.view
        if view is not None and not self.frozen:
            view.tick()
            view.restate()

    # --- views --------------------------------------------------------------------------------------------------------

    @property
    def view(self) -> View | None:
        """The view that is shown, also where a dialog stands before it."""
        return self._seen[self._place] if self._place >= 0 else None

    @property
    def tabs(self) -> Sequence[tuple[str, str]]:
        return [(number, name) for number, (name, _) in VIEWS.items()]

    def open_number(self, number: str) -> None:
        """Goes to a numbered screen, as it was left."""
        if number not in VIEWS:
            return
        if number not in self._numbered:
            module, _, name = VIEWS[number][1].partition(":")
            view: View = getattr(import_module(f"jobrunner.tui.screens.{module}"), name)()
            self._numbered[number] = view
            self.install_screen(view, name=f"screen-{number}")
        self._go(self._numbered[number])

    def open_thing(self, kind: Kind, id: str | int) -> None:
        """Goes to the view of one thing: a job by name, a run or batch by number."""
        if kind in THINGS:
            module, _, name = THINGS[kind].partition(":")
            self.open(getattr(import_module(f"jobrunner.tui.screens.{module}"), name)(id))

    def open_filtered(self, number: str, text: str) -> None:
        """Goes to a numbered screen with this filter on."""
        self.open_number(number)
        if self.view is not None and self.view.number == number:
            self.view.apply_filter(text)

    def open(self, view: View) -> None:
        """Goes to a view that was reached from the one that is shown; ``esc`` leads back to that."""
        view.opener = self.view
        self.install_screen(view, name=f"view-{id(view)}")
        self._go(view)

    def back(self) -> None:
        """To the view that this one was opened from."""
        if self.view is not None and self.view.opener is not None:
            self._go(self.view.opener)

    def action_earlier(self) -> None:
        if self._place > 0:
            self._place -= 1
            self._turn_to(self._seen[self._place])

    def action_later(self) -> None:
        if self._place + 1 < len(self._seen):
            self._place += 1
            self._turn_to(self._seen[self._place])

    def _go(self, view: View) -> None:
        if view is self.view:
            return
        del self._seen[self._place + 1 :]
        self._seen.append(view)
        self._place = len(self._seen) - 1
        self._turn_to(view)
        self._forget()

    def _turn_to(self, view: View) -> None:
        if len(self.screen_stack) > 1:
            self.switch_screen(view)
        else:
            self.push_screen(view)

    def _forget(self) -> None:
        """Closes views that no way leads to any more."""
        if len(self._seen) > MOST_VIEWS:
            self._place -= len(self._seen) - MOST_VIEWS
            del self._seen[:-MOST_VIEWS]
        kept = {id(view) for view in [*self._seen, *self._numbered.values()]}
        for view in list(self._seen):
            opener = view.opener
            while opener is not None:
                kept.add(id(opener))
                opener = opener.opener
        for name, screen in list(self._installed_screens.items()):
            if isinstance(screen, View) and id(screen) not in kept and screen not in self.screen_stack:
                self.uninstall_screen(name)
                screen.remove()

    # --- what is told -------------------------------------------------------------------------------------------------

    def on_reported(self, message: Reported) -> None:
        told = message.told
        away = told.trouble.text if told.trouble is not None and told.trouble.away else ""
        if told.pulse is not None:
            self.pulse, self._heard_at = told.pulse, told.at
        self._away = away
        view = self.view
        if view is not None and told.asked.view is view:
            view.told(told)
        elif view is not None:
            view.restate()

    def heading(self) -> tuple[tuple[Part, ...], Cell]:
        """The header: its parts, and the clock."""
        now = self.times().now
        clock = now.astimezone(UTC if self._times == "UTC" else self._zone())
        return tuple(self._parts()), Cell(clock.strftime("%H:%M:%S %Z"))

    def _parts(self) -> Sequence[Part]:
        setting, beat = self.setting, self.pulse
        parts = [Part(Cell(setting.host, "bold"), leaves=3)]
        if self.admin.settings.production:
            parts.append(Part(Cell("PRODUCTION", "bold yellow")))
        if setting.read_only:
            parts.append(Part(Cell("READ-ONLY", "bold magenta")))
        if beat is None:
            return parts
        running, queued, failed = "▶◌✗" if self.look.screen.unicode else ">.X"
        parts += [
            Part(Cell(f"{running} {beat.running:,} running", "cyan" if beat.running else ""), leaves=5),
            Part(Cell(f"{queued} {beat.queued:,} queued", "blue" if beat.queued else ""), leaves=4),
            Part(Cell(f"{failed} {beat.dead:,} dead", "bold red" if beat.dead else "")),
            Part(Cell(f"{beat.busy}/{beat.workers} workers"), leaves=2),
        ]
        if beat.problem:
            parts.append(Part(Cell(f"! {beat.problem}", "bold yellow")))
        return parts

    def tiny_status(self) -> str:
        """All that is said where there is room for one line."""
        beat = self.pulse
        if beat is None:
            return self._away or "…"
        words = f">{beat.running} .{beat.queued} X{beat.dead} {beat.busy}/{beat.workers}"
        return f"{words} {beat.problem}".strip()

    def freshness(self) -> Cell:
        """How fresh what is shown is: live, frozen, or since when it is not."""
        if self._away:
            since = self._heard_at.astimezone(self._zone()).strftime("%H:%M:%S") if self._heard_at else "the start"
            return Cell(f"STALE since {since}", "bold red")
        if self.frozen:
            return Cell("FROZEN", "bold magenta")
        return Cell("live" if self.pulse is not None else "asking", "dim")

    # --- times --------------------------------------------------------------------------------------------------------

    def times(self, zone: tzinfo | None = None) -> Times:
        """How instants are written now; ``zone`` in the place of the configuration's."""
        shown = UTC if self._times == "UTC" else zone or self._zone()
        return Times(now=self.setting.clock.now(), zone=shown, relative=self._times == "relative")

    def _zone(self) -> tzinfo:
        return self.admin.zone()

    def action_times(self) -> None:
        self._times = _TIMES[(_TIMES.index(self._times) + 1) % len(_TIMES)]
        if self.view is not None:
            self.view.tick()
            self.view.say(f"times: {self._times}")
            self.view.restate()

    # --- keys ---------------------------------------------------------------------------------------------------------

    def hints(self, view: View) -> list[tuple[str, str, str]]:
        """What the last line says for a view: ids, keys, words."""
        wanted = [*view.hints, "filter", "palette", "help"] if view.filterable else [*view.hints, "palette", "help"]
        return [(id, keys.shown(self.keys[id].keys[0]), self.keys[id].words) for id in dict.fromkeys(wanted)]

    async def action_quit(self) -> None:
        self.exit()

    def action_interrupt(self) -> None:
        self.exit(return_code=130)

    def action_freeze(self) -> None:
        self.frozen = not self.frozen
        self.reader.freeze(self.frozen)
        if self.view is not None:
            self.view.restate()

    def action_suspend(self) -> None:
        self.action_suspend_process()

    def action_open_number(self, number: str) -> None:
        self.open_number(number)

    def act(self, id: str, selection: Selection) -> None:
        """Does an action on a selection, asking first where it has to be asked."""

    def touched(self) -> None:
        """A key was pressed."""
