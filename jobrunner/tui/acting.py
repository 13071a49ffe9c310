"""From a key to something done: what is known is asked, what has to be said is asked for, it is confirmed, and done.

Between the steps the screen goes on. The ids are those of the moment at which it was asked for, whatever comes later.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from jobrunner.tui import texts
from jobrunner.tui.actions.action import Action, Tier
from jobrunner.tui.actions.brief import Brief, brief
from jobrunner.tui.actions.calls import command_line
from jobrunner.tui.actions.hands import Done, Hands, Undo
from jobrunner.tui.actions.table import ACTIONS
from jobrunner.tui.fields import Values
from jobrunner.tui.selection import Selection

if TYPE_CHECKING:
    from jobrunner.tui.app import Dashboard

_MOST_UNDOS = 50


class Acting:
    """Does actions for a dashboard, and takes back the last that can be taken back."""

    def __init__(self, app: Dashboard) -> None:
        self._app = app
        self._undos: list[Undo] = []
        self.last_command = ""

    def available(self, of: Callable[[str], Selection]) -> list[tuple[Action, Selection]]:
        """What can be done, in the order of menus, and with what: ``of`` gives what an action acts on, by its id."""
        if self._app.setting.read_only:
            return []
        found = [(action, of(action.id)) for action in ACTIONS.values()]
        return [(action, selection) for action, selection in found if action.applies(selection)]

    def start(self, id: str, selection: Selection, *, first: str | None = None) -> None:
        """Begins an action; ``first`` is the field of its form to begin with."""
        action = ACTIONS[id]
        if self._app.setting.read_only and not action.looks:
            self._app.say("refused: the dashboard was opened with --read-only", error=True)
        elif not (action.fits(selection) if self._app.frozen else action.applies(selection)):
            self._app.say(texts.not_here(action, selection), error=True)
        else:
            self._app.performer.do(
                lambda hands: brief(hands, selection),
                lambda known: self._known(action, selection, known, first),
                self._failed,
            )

    def undo(self) -> None:
        """Takes back the last pause, enable or edit of this dashboard."""
        if self._app.setting.read_only or not self._undos:
            self._app.say("nothing to undo")
            return
        last = self._undos.pop()

        def failed(text: str) -> None:
            self.remember(last)
            self._failed(f"not undone: {text}")

        self._app.performer.do(last.perform, lambda done: self._done(done, f"undone: {last.words}", ""), failed)

    def remember(self, undo: Undo) -> None:
        """Keeps how to take something back."""
        self._undos.append(undo)
        del self._undos[:-_MOST_UNDOS]

    def say_values(self, action: Action, selection: Selection, known: Brief, values: Values) -> None:
        """Goes on with values that somebody else has asked for."""
        self._said(action, selection, known, values)

    def command(self, action: Action, selection: Selection, values: Values, known: Brief) -> str:
        """The command that does the same."""
        return command_line(action.command(selection, values, known), self._app.setting.config)

    def _known(self, action: Action, selection: Selection, known: Brief, first: str | None) -> None:
        if action.id == "pause" and known.is_paused:
            action = ACTIONS["resume"]
        if action.id == "run_now" and texts.needs_parameters(known):
            action = ACTIONS["run_with"]
        if action.fields is None:
            self._said(action, selection, known, {})
            return
        from jobrunner.tui.dialogs.form import Form

        hands, faults = self._app.performer.hands, action.faults
        form = Form(
            self._app.look.screen,
            title=texts.question(action, selection, known),
            verb=action.verb,
            fields=action.fields(known),
            faults=lambda values: faults(known, values, hands),
            command=lambda values: self.command(action, selection, values, known),
            first=first or ("when" if action.id == "run_later" else None),
        )

        def filled(values: Values | None) -> None:
            if values is not None:
                self._said(action, selection, known, values)

        self._app.push_screen(form, filled)

    def _said(self, action: Action, selection: Selection, known: Brief, values: Values) -> None:
        """Everything has been said: confirms it, where that has to be."""
        from jobrunner.tui.dialogs.confirm import AskLine, Confirm

        production = self._app.admin.settings.production
        command = self.command(action, selection, values, known)
        tier = action.confirmation(selection, known, production=production)

        def confirmed(yes: bool | None) -> None:
            if yes:
                self._do(action, selection, known, values, command)

        screen, question = self._app.look.screen, texts.question(action, selection, known)
        if tier is Tier.NONE:
            confirmed(True)
        elif tier is Tier.LINE:
            self._app.push_screen(AskLine(screen, question, command), confirmed)
        else:
            confirm = Confirm(
                screen,
                question=question,
                verb=texts.button(action, selection),
                jobs=known.jobs if selection.kind == "run" else {},
                notes=texts.notes(action, selection, known, production=production),
                command=command,
                typed=texts.typed(action, selection) if tier is Tier.TYPED else None,
            )
            self._app.push_screen(confirm, confirmed)

    def _do(self, action: Action, selection: Selection, known: Brief, values: Values, command: str) -> None:
        self._app.say(f"{action.words} …" if self._app.look.screen.unicode else f"{action.words} ...")

        def work(hands: Hands) -> Done:
            return action.perform(hands, selection, values, known)

        self._app.performer.do(
            work, lambda done: self._done(done, done.text, command), self._failed, apart=action.apart
        )

    def _done(self, done: Done, text: str, command: str) -> None:
        self.last_command = command
        if done.undo is not None:
            self.remember(done.undo)
        undo = f" {self._dot} u undoes it" if done.undo is not None else ""
        refused = f"; refused: {'; '.join(done.refused)}" if done.refused else ""
        same = f"   {command}" if command else ""
        self._app.say(f"{text}{refused}{undo}{same}", error=bool(done.refused))
        if self._app.view is not None:
            self._app.view.ask()

    @property
    def _dot(self) -> str:
        return "·" if self._app.look.screen.unicode else "-"

    def _failed(self, text: str) -> None:
        self._app.say(text, error=True)
