"""A view in which something is typed: it is not left before a person has said what becomes of what is not saved."""

from __future__ import annotations

from collections.abc import Callable

from jobrunner.tui.dialogs.leaving import Answer, Leaving
from jobrunner.tui.view import View


class Unsaved(View):
    """Asks on every way out, where something is not saved: back, to another screen, or out of the dashboard."""

    given_up = False
    """Whether a person has said that what was typed is to be lost."""

    @property
    def dirty(self) -> bool:
        """Whether anything was typed that is not saved."""
        return False

    def catch_up(self) -> None:
        """Takes what was typed until now, where that waits for a moment of rest."""

    def what(self) -> str:
        """What it was typed for."""
        return ""

    def action_save_edit(self) -> None:
        """Saves what was typed."""

    def action_back(self) -> None:
        self.leave_for(self.app.back)

    def action_leave(self) -> None:
        self.leave_for(self.app.back)

    def action_open_screen(self, id: str) -> None:
        self.leave_for(lambda: self.app.open_number(id.removeprefix("screen_")))

    def action_quit_edit(self) -> None:
        self.leave_for(self.app.exit)

    def leave_for(self, then: Callable[[], object]) -> None:
        """Leaves, and asks first where something is not saved."""

        def answered(answer: Answer | None) -> None:
            if answer == "save":
                self.action_save_edit()
            elif answer == "discard":
                self.given_up = True
                then()

        self.catch_up()
        if not self.dirty:
            then()
            return
        self.app.push_screen(Leaving(self.terminal, f"What was typed for {self.what()} is not saved."), answered)
