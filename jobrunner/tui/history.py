"""The views that were seen, one after another: what ``[`` and ``]`` go through, and which of them are still kept."""

from __future__ import annotations

from typing import TYPE_CHECKING

from jobrunner.tui.view import View

if TYPE_CHECKING:
    from jobrunner.tui.app import Dashboard

MOST_VIEWS = 12
"""Views that ``[`` goes back through; older ones are closed."""


class History:
    """Shows views in a dashboard, and remembers the way. Numbered ones stay for good, as they were left."""

    def __init__(self, app: Dashboard) -> None:
        self._app = app
        self._seen: list[View] = []
        self._place = -1
        self._numbered: dict[str, View] = {}

    @property
    def view(self) -> View | None:
        """The view that is shown, also where a dialog stands before it."""
        return self._seen[self._place] if self._place >= 0 else None

    def numbered(self, number: str) -> View | None:
        """The view that was added for a number, None before."""
        return self._numbered.get(number)

    def add_numbered(self, number: str, view: View) -> None:
        self._numbered[number] = view
        self._app.install_screen(view, name=f"screen-{number}")

    def add(self, view: View) -> None:
        """Makes a view known that was opened from the one that is shown."""
        view.opener = self.view
        self._app.install_screen(view, name=f"view-{id(view)}")

    def go(self, view: View) -> None:
        """Shows a view that was added; what one had gone back from is given up."""
        if view is self.view:
            return
        del self._seen[self._place + 1 :]
        self._seen.append(view)
        self._place = len(self._seen) - 1
        self._turn_to(view)
        self._forget()

    def step(self, by: int) -> None:
        """So many views earlier or later, where there are so many."""
        if 0 <= self._place + by < len(self._seen):
            self._place += by
            self._turn_to(self._seen[self._place])

    def _turn_to(self, view: View) -> None:
        for other in self._app.screen_stack:
            if isinstance(other, View) and other is not view:
                other.left()
        if len(self._app.screen_stack) > 1:
            self._app.switch_screen(view)
        else:
            self._app.push_screen(view)

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
        for name, screen in list(self._app._installed_screens.items()):
            if isinstance(screen, View) and id(screen) not in kept and screen not in self._app.screen_stack:
                self._app.uninstall_screen(name)
                screen.remove()
