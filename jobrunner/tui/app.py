"""The dashboard: what is shown, who asks, what is done, and what the terminal has to be given back."""

from __future__ import annotations

import gc
import traceback
from collections.abc import Sequence
from datetime import UTC, tzinfo
from functools import cached_property
from typing import TYPE_CHECKING, ClassVar

from textual import events
from textual.app import App
from textual.binding import Binding
from textual.message import Message

from jobrunner.presentation.table import Cell
from jobrunner.presentation.times import Times
from jobrunner.tui import editor, keys
from jobrunner.tui.acting import Acting
from jobrunner.tui.actions.calls import command_line
from jobrunner.tui.actions.hands import Hands
from jobrunner.tui.actions.table import ACTIONS
from jobrunner.tui.history import History
from jobrunner.tui.keyorder import KeyOrder
from jobrunner.tui.look import THEMES, AsciiOnly, NoColours
from jobrunner.tui.performer import Performer
from jobrunner.tui.places import OPENERS, THINGS, VIEWS, load
from jobrunner.tui.reader import Reader, Told
from jobrunner.tui.selection import Kind, Selection
from jobrunner.tui.setting import Setting
from jobrunner.tui.view import View
from jobrunner.tui.vitals import Vitals
from jobrunner.tui.widgets.filterline import FilterLine
from jobrunner.tui.widgets.header import Part

if TYPE_CHECKING:
    from collections.abc import Callable

    from textual.driver import Driver
    from textual.filter import LineFilter

    from jobrunner.tui.commands import Commands

_TIMES = ("relative", "local", "UTC")


class Work(Message):
    """Something to be done on the UI thread."""

    def __init__(self, work: Callable[[], None]) -> None:
        super().__init__()
        self.work = work


class Reported(Message):
    """What the reader was told, brought to the UI thread."""

    def __init__(self, told: Told) -> None:
        super().__init__()
        self.told = told


class Dashboard(App[None], inherit_bindings=False):
    """``jobrunner tui``. Ends with ``return_code``; ``crash`` is the fault of ours that ended it, if one did.

    ``farewell`` is what has to be said when the terminal is back.
    """

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
        self.remembered = setting.remembered
        self._key_order = KeyOrder(
            self,
            super().on_event,
            hold=self._waits_for_rows,
            given_up=lambda: self.say("no answer yet: what was typed since is given up", error=True),
        )
        on_rows = [key for key in setting.keys.values() if key.group is keys.Group.ACT or key.id in keys.ON_ROWS]
        self._keys_on_rows = frozenset(name for key in on_rows for name in key.keys)
        self.crash: BaseException | None = None
        self.tracebacks: list[str] = []
        self.farewell: list[str] = []
        self.frozen = False
        self.vitals = Vitals(setting)
        self._begun = False
        self._times = _TIMES[0]
        self._history = History(self)
        self.set_keymap(keys.keymap(setting.keys))
        for theme in THEMES:
            self.register_theme(theme)
        self.theme = self.look.theme  # before anything is styled: to change it parses all styles again
        self.reader = Reader(
            setting.admin,
            clock=setting.clock,
            tell=self._bring,
            unexpected=self.note_fault,
        )
        self.performer = Performer(
            Hands(
                setting.admin,
                setting.editor,
                setting.clock.now,
                say=lambda text: self._bring_work(lambda: self.say(text)),
                stopped=lambda: not self.is_running,
            ),
            bring=self._bring_work,
            unexpected=self.note_fault,
        )
        self.acting = Acting(self)

    def get_line_filters(self) -> Sequence[LineFilter]:
        """What every line passes on its way to the terminal."""
        colour, unicode = self.look.screen.colour, self.look.screen.unicode
        filters = list(super().get_line_filters()) if colour else [NoColours()]
        return filters if unicode else [*filters, AsciiOnly()]

    # --- life ---------------------------------------------------------------------------------------------------------

    def on_mount(self) -> None:
        self.admin.put_off()
        self.reader.start()
        self.performer.start()
        self.set_interval(1.0, self._tick)
        wanted = self.setting.start or self.remembered.get("screen", "")
        self.open_number(wanted if wanted in VIEWS else next(iter(VIEWS)))

    def on_unmount(self) -> None:
        self.performer.stop()
        self.reader.stop()

    async def on_event(self, event: events.Event) -> None:
        if isinstance(event, events.Key) and not event.is_forwarded:
            await self._key_order.take(event)
        else:
            await super().on_event(event)

    def _waits_for_rows(self, event: events.Key) -> bool:
        """Whether a key acts on rows, and others than those in sight have been asked for."""
        view = self.view
        if view is None or view is not self.screen or event.key not in self._keys_on_rows:
            return False
        typed = self.focused is not None and self.focused.check_consume_key(event.key, event.character)
        return view.settling and not typed and not view.query_one(FilterLine).is_open

    def on_app_blur(self, event: events.AppBlur) -> None:
        self.reader.calm(True)

    def on_app_focus(self, event: events.AppFocus) -> None:
        self.reader.calm(False)

    def _bring(self, told: Told) -> None:
        self.post_message(Reported(told))

    def _bring_work(self, work: Callable[[], None]) -> None:
        self.post_message(Work(work))

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
        if not self.frozen and self.is_running:
            self._tell_times()

    # --- views --------------------------------------------------------------------------------------------------------

    @property
    def view(self) -> View | None:
        """The view that is shown, also where a dialog stands before it."""
        return self._history.view

    @property
    def tabs(self) -> Sequence[tuple[str, str]]:
        return [(number, name) for number, (name, _) in VIEWS.items()]

    @cached_property
    def commands(self) -> Commands:
        """What can be picked by name."""
        from jobrunner.tui.commands import Commands

        return Commands(self)

    def open_number(self, number: str) -> None:
        """Goes to a numbered screen, as it was left."""
        if number not in VIEWS:
            return
        view = self._history.numbered(number)
        if view is None:
            view = load(VIEWS[number][1])()
            self._history.add_numbered(number, view)
        self.remembered.keep("screen", number)
        self._history.go(view)

    def can_open(self, kind: Kind) -> bool:
        """Whether there is a view of one such thing."""
        return kind in THINGS

    def open_thing(self, kind: Kind, id: str | int) -> None:
        """Goes to the view of one thing: a job by name, a run or batch by number."""
        if kind in THINGS:
            self.open(load(THINGS[kind])(id))

    def open_filtered(self, number: str, text: str) -> None:
        """Goes to a numbered screen with this filter on."""
        self.open_number(number)
        if self.view is not None and self.view.number == number:
            self.view.apply_filter(text)

    def open_dead_letters(self) -> None:
        """Goes to the runs that nobody has retried or discarded since they failed for good."""
        self.open_filtered("3", "dead")

    def open(self, view: View) -> None:
        """Goes to a view that was reached from the one that is shown; ``esc`` leads back to that."""
        self._history.add(view)
        self._history.go(view)

    def back(self) -> None:
        """To the view that this one was opened from."""
        if self.view is not None and self.view.opener is not None:
            self._history.go(self.view.opener)

    def action_earlier(self) -> None:
        self._history.step(-1)

    def action_later(self) -> None:
        self._history.step(1)

    # --- what is told -------------------------------------------------------------------------------------------------

    async def on_reported(self, message: Reported) -> None:
        if not self.is_running:
            return  # the widgets are taken away one by one
        if not self._begun:
            self._begun = True
            self.call_after_refresh(self._shown_first)
        told = message.told
        self.vitals.hear(told)
        view = self.view
        if view is not None and told.asked.view is view:
            view.told(told)
        elif view is not None:
            view.restate()
        if view is None or not view.settling:
            await self._key_order.release()

    def _shown_first(self) -> None:
        _collect_garbage()
        self.admin.go_on()

    def heading(self) -> tuple[tuple[Part, ...], Cell]:
        """The header: its parts, and the clock."""
        now = self.times().now
        clock = now.astimezone(UTC if self._times == "UTC" else self._zone())
        return tuple(self.vitals.parts()), Cell(clock.strftime("%H:%M:%S %Z"))

    def freshness(self) -> Cell:
        """How fresh what is shown is."""
        return self.vitals.freshness(frozen=self.frozen, zone=self._zone())

    # --- times --------------------------------------------------------------------------------------------------------

    def times(self, zone: tzinfo | None = None) -> Times:
        """How instants are written now; ``zone`` in the place of the configuration's."""
        shown = UTC if self._times == "UTC" else zone or self._zone()
        return Times(now=self.setting.clock.now(), zone=shown, relative=self._times == "relative")

    def _zone(self) -> tzinfo:
        return self.admin.zone()

    def action_times(self) -> None:
        self._times = _TIMES[(_TIMES.index(self._times) + 1) % len(_TIMES)]
        self.say(f"times: {self._times}")
        self._tell_times()

    def _tell_times(self) -> None:
        """Has the view write anew what is relative to now; one that is still being made of its parts has none yet."""
        if self.view is not None and self.view.is_mounted:
            self.view.tick()
            self.view.restate()

    # --- keys ---------------------------------------------------------------------------------------------------------

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

    # --- doing --------------------------------------------------------------------------------------------------------

    def say(self, text: str, *, error: bool = False) -> None:
        """A remark in the status line of the view."""
        if self.view is not None:
            self.view.say(text, error=error)

    def command_line(self, calls: Sequence[Sequence[str]]) -> str:
        """Calls of the program as a line for a shell, with the configuration that was named."""
        return command_line(calls, self.setting.config)

    def copy(self, text: str, what: str) -> None:
        """To the terminal's clipboard (OSC 52)."""
        self.copy_to_clipboard(text)
        self.say(f"copied {what}: {text}")

    def act(self, id: str, selection: Selection) -> None:
        """Does an action on a selection, asking first where it has to be asked."""
        if id == "undo":
            self.acting.undo()
        elif id == "edit":
            editor.edit(self, selection)
        elif id in OPENERS:
            load(OPENERS[id])(self, selection)
        elif id in ACTIONS:
            self.acting.start(id, selection)

    def press(self, id: str) -> None:
        """Does what the key of an id does, in the view that is shown."""
        if self.view is not None:
            self.view.do(id)

    def on_work(self, message: Work) -> None:
        if self.is_running:
            message.work()


def _collect_garbage() -> None:
    """From the first picture on, where the start went without.

    What was made until then stays for good, and is not looked through any more: that would hold up a key now and then.
    """
    if not gc.isenabled():
        gc.collect()
        gc.freeze()
        gc.enable()
