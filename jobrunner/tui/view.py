"""What all screens of the dashboard have in common beside their looks: the question they ask, and the keys that work.

A screen is a ``View`` with a body. It asks admin in the reader's thread and shows what comes back.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Protocol, runtime_checkable

from jobrunner.presentation.table import Cell
from jobrunner.tui import keys
from jobrunner.tui.actions.table import ACTIONS
from jobrunner.tui.editor import editable
from jobrunner.tui.finding import Finding
from jobrunner.tui.reader import Asked, Told, Trouble
from jobrunner.tui.selection import NOTHING, Selection
from jobrunner.tui.widgets.listing import Listing
from jobrunner.tui.widgets.notice import Notice
from jobrunner.tui.widgets.statusline import StatusLine

if TYPE_CHECKING:
    from jobrunner.admin import Admin
    from jobrunner.domain.filter_completion import Known
    from jobrunner.presentation.times import Times

_LOOKING = frozenset({"output", "mark", "range", "mark_all"})
"""What may be done where nothing may be changed."""

_ON_ROWS = frozenset({"open", "top", "bottom", "page_down", "page_up", "up", "down"})
"""What goes through rows."""


@runtime_checkable
class WithNames(Protocol):
    """An answer that has the names for completing a filter of what it is about."""

    @property
    def known(self) -> Known: ...


class View(Finding):
    """Base of every screen. ``hints`` are the ids of keys for the last line, most needed first."""

    hints: ClassVar[tuple[str, ...]] = ()

    BINDINGS: ClassVar = [
        *keys.bindings(*keys.OF_VIEW),
        *keys.bindings(*keys.OF_APP, action="app.{}"),
        *keys.bindings(*keys.SCREENS, action="open_screen('{}')"),
        *keys.bindings(*keys.FINDING),
        *keys.bindings(*keys.ACTING, action="act('{}')"),
    ]

    actions: ClassVar[tuple[str, ...]] = ()
    """Ids of keys of actions that are of use here, beside those that apply to what is selected."""

    def __init__(self) -> None:
        super().__init__()
        self.opener: View | None = None
        self._serial = 0
        self._last = 0
        self._awaited = 0
        self._troubled = False
        self._told: Told | None = None

    # --- what a screen says of itself ---------------------------------------------------------------------------------

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

    def left(self) -> None:
        """Called when another view takes its place: it may be gone back to, and gives up what is large until then."""

    def tick(self) -> None:
        """Called once a second while it is on top, for times that are relative to now. Asks nothing."""

    def command(self) -> Sequence[str]:
        """The arguments of the program that say the same as this screen; empty: there are none."""
        return ()

    def known(self) -> Known | None:
        """Those that came with the answer, where it has any."""
        answer = self._told.answer if self._told is not None else None
        return answer.known if isinstance(answer, WithNames) else None

    # --- what a screen may use ----------------------------------------------------------------------------------------

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

    def has_key(self, id: str) -> bool:
        """Whether a key is of use here."""
        group = self.app.keys[id].group
        if group is keys.Group.FIND:
            return self._finds(id)
        if group is keys.Group.ACT:
            return not (self.app.setting.read_only and id not in _LOOKING) and self._acts(id)
        if id in _ON_ROWS:
            return self._has_rows
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
            return self.selection().kind in ("job", "run") and len(self.selection().ids) == 1
        if id == "chain":
            return self.selection().kind == "run" and len(self.selection().ids) == 1
        return self.finds(id)

    def _acts(self, id: str) -> bool:
        if id in ACTIONS:
            return ACTIONS[id].applies(self.selection_for(id))
        if id == "edit":
            return editable(self.selection_for(id))
        if id in keys.MARKING:
            return id in self.hints and self._has_rows
        return id in ("undo", "new_job") or (id in (*self.actions, *self.hints) and bool(self.selection_for(id).ids))

    @property
    def _has_rows(self) -> bool:
        """Whether there is a row that a key could be for; also where there are no lists, but a thing by itself."""
        lists = self.query(Listing)
        return not lists or any(listing.cursor_key is not None for listing in lists)

    def offered(self) -> list[str]:
        """Ids of keys for menu and palette that are no actions of the table."""
        groups = (keys.Group.ACT, keys.Group.FIND)
        found = [
            id for group in groups for id, key in self.app.keys.items() if key.group is group and id not in ACTIONS
        ]
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

    def hinted(self) -> Sequence[tuple[str, str, str]]:
        wanted = [*self.hints, "filter", "palette", "help"] if self.filterable else [*self.hints, "palette", "help"]
        shown = [self.app.keys[id] for id in dict.fromkeys(wanted) if self.has_key(id)]
        pressed = [(key, [keys.shown(one) for one in key.keys if self.can_press(one)]) for key in shown]
        return [(key.id, names[0], key.hint) for key, names in pressed if names]

    # --- how it works -------------------------------------------------------------------------------------------------

    def on_screen_resume(self) -> None:
        if self.app.view is self and self.app.is_running:  # else the widgets are taken away one by one
            self.restate()
            self.ask()

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
        self.query_one(Notice).say(*self._why_empty(told.trouble))
        self._troubled = told.trouble is not None and not told.trouble.away
        if told.trouble is not None and self._troubled:
            line.remark(Cell(told.trouble.text, "bold red"))
            self._keep_remark()
        self.restate()

    def _why_empty(self, trouble: Trouble | None) -> Sequence[str]:
        """What is said in the place of what has never been shown."""
        if trouble is None or self.answered:
            return ()
        if not trouble.away:
            return (trouble.text,)
        return ("The store cannot be reached.", trouble.text, "It is tried again.")

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

    def action_why(self) -> None:
        self.app.act("why", self.selection())

    def action_chain(self) -> None:
        self.app.act("chain", self.selection())

    def action_decisions(self) -> None:
        self.app.act("decisions", self.selection())

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
