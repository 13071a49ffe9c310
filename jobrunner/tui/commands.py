"""What can be picked by name: the palette, the menu of what can be done here, and help for where one is."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple

from jobrunner.tui import keys, texts
from jobrunner.tui.actions.action import Action
from jobrunner.tui.actions.brief import Brief, brief
from jobrunner.tui.actions.hands import Hands
from jobrunner.tui.actions.table import ACTIONS
from jobrunner.tui.dialogs.help import Help, Section
from jobrunner.tui.dialogs.menu import Menu
from jobrunner.tui.dialogs.palette import Entry, Palette, Steps
from jobrunner.tui.fields import Values
from jobrunner.tui.keys import Group
from jobrunner.tui.selection import Selection
from jobrunner.tui.widgets.picklist import Pick

if TYPE_CHECKING:
    from jobrunner.tui.app import Dashboard
    from jobrunner.tui.view import View

_NOTHING_KNOWN = Brief()
_ON_JOBS = ("run_now", "run_with", "pause")
"""What the palette offers for a job by name, wherever one is."""


class Do(NamedTuple):
    """An action on a selection; ``stepwise``: its arguments are asked for one after another."""

    id: str
    selection: Selection
    stepwise: bool = False


class Press(NamedTuple):
    """What a key does, by its id."""

    id: str


class Go(NamedTuple):
    """To a job's own view."""

    job: str


class Find(NamedTuple):
    """A filter for the view."""

    text: str


class Commands:
    """Opens palette, menu and help for a dashboard, and does what was picked."""

    def __init__(self, app: Dashboard) -> None:
        self._app = app

    def palette(self, view: View) -> None:
        """Everything, found by some letters."""
        dialog = Palette(self._app.look.screen, list(self._entries(view)))
        self._app.push_screen(dialog, self._picked)

        def add(names: Sequence[str]) -> None:
            dialog.add([entry for name in names for entry in self._of_job(name)])

        self._app.performer.do(lambda hands: hands.admin.job_names(), add, lambda _: None)

    def menu(self, view: View) -> None:
        """All that can be done with what is selected."""
        selection = view.selection()
        entries = [entry for entry in self._entries(view) if isinstance(entry.key, Do | Press)]
        entries = [entry for entry in entries if not (isinstance(entry.key, Press) and _moves(entry.key.id))]
        picks = [Pick(entry, entry.words, entry.keys) for entry in entries]
        title = texts.what(selection, _NOTHING_KNOWN) if selection.ids else view.name_shown
        menu = Menu(self._app.look.screen, title, picks, below=_command_of)

        def picked(entry: object) -> None:
            if isinstance(entry, Entry):
                key = entry.key
                self._picked(key._replace(stepwise=False) if isinstance(key, Do) else key)

        self._app.push_screen(menu, picked)

    def help(self, view: View) -> None:
        """The keys that work here."""
        self._app.push_screen(Help(self._app.look.screen, f"Keys in {view.name_shown}", self.sections(view)))

    def sections(self, view: View) -> list[Section]:
        """The keys that work in a view, by what they are for."""
        groups = [Group.ACT, Group.FIND, Group.EDIT, Group.OUTPUT, Group.LANES, Group.MOVE, Group.EVERYWHERE]
        found = list[Section]()
        for group in groups:
            rows = [
                (self._keys(id), key.words) for id, key in self._app.keys.items() if key.group is group and key.keys
            ]
            wanted = [row for row, id in zip(rows, self._ids(group), strict=True) if view.has_key(id)]
            found.append((group.value, wanted))
        return found

    def _ids(self, group: Group) -> list[str]:
        return [id for id, key in self._app.keys.items() if key.group is group and key.keys]

    def _entries(self, view: View) -> Iterator[Entry]:
        for action, on in self._app.acting.available(view.selection_for):
            what = "" if None in action.kinds else f"  {texts.what(on, _NOTHING_KNOWN)}"
            command = self._command(action, on)
            yield Entry(Do(action.id, on, stepwise=True), f"{action.words}{what}", self._keys(action.id), command)
        for id in view.offered():
            yield Entry(Press(id), self._app.keys[id].words, self._keys(id))
        for number, name in self._app.tabs:
            yield Entry(Press(f"screen_{number}"), f"Go to {name}", self._keys(f"screen_{number}"))
        if view.filterable:
            for text in self._app.remembered.get("filters", []):
                yield Entry(Find(text), f"Filter: {text}")
        for id in ("times", "freeze", "copy_command", "help", "quit"):
            yield Entry(Press(id), self._app.keys[id].words, self._keys(id))

    def _of_job(self, name: str) -> Iterator[Entry]:
        selection = Selection("job", (name,))
        if self._app.can_open("job"):
            yield Entry(Go(name), f"Go to job {name}", command=self._line([["show", name]]))
        if not self._app.setting.read_only:
            for id in _ON_JOBS:
                action = ACTIONS[id]
                yield Entry(
                    Do(id, selection, stepwise=True),
                    f"{action.words}  {name}",
                    command=self._command(action, selection),
                )

    def _command(self, action: Action, selection: Selection) -> str:
        return self._app.acting.command(action, selection, {}, _NOTHING_KNOWN)

    def _line(self, calls: Sequence[Sequence[str]]) -> str:
        return self._app.command_line(calls)

    def _keys(self, id: str) -> str:
        found = self._app.keys[id].keys if id in self._app.keys else ()
        return " ".join(map(keys.shown, found))

    def _picked(self, key: object) -> None:
        view = self._app.view
        match key:
            case Do(id, selection, stepwise):
                if stepwise and ACTIONS[id].fields is not None:
                    self._ask_steps(ACTIONS[id], selection)
                else:
                    self._app.acting.start(id, selection)
            case Press(id):
                self._app.press(id)
            case Go(job):
                self._app.open_thing("job", job)
            case Find(text):
                if view is not None:
                    view.apply_filter(text)

    def _ask_steps(self, action: Action, selection: Selection) -> None:
        app, acting = self._app, self._app.acting

        def known(found: Brief) -> None:
            assert action.fields is not None
            if action.id == "pause" and found.is_paused:
                acting.start("resume", selection)
                return
            steps = Steps(
                app.look.screen,
                title=texts.question(action, selection, found),
                fields=action.fields(found),
                faults=lambda values: action.faults(found, values, app.performer.hands),
                command=lambda values: acting.command(action, selection, values, found),
            )

            def said(values: Values | None) -> None:
                if values is not None:
                    acting.say_values(action, selection, found, values)

            app.push_screen(steps, said)

        def ask(hands: Hands) -> Brief:
            return brief(hands, selection)

        app.performer.do(ask, known, lambda text: app.say(text, error=True))


def _moves(id: str) -> bool:
    return id.startswith("screen_") or id in ("times", "freeze", "help", "quit")


def _command_of(pick: Pick) -> str:
    return pick.key.command if isinstance(pick.key, Entry) else ""
