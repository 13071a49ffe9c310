"""What screens of several lists have in common: which of them is meant, and how many lines each has."""

from __future__ import annotations

from typing import Any

from jobrunner.tui.view import View
from jobrunner.tui.widgets.listing import Listing


class Panes(View):
    """A view of several lists, one below the other; ``tab`` goes from one to the next."""

    def redraw(self) -> None:
        """Draws what stands between and beside the lists."""

    def listing(self, id: str) -> Listing:
        return self.query_one(f"#{id}", Listing)

    @property
    def focused_list(self) -> Listing:
        """The list that has the keys, else the first."""
        return self.focused if isinstance(self.focused, Listing) else self.query(Listing).first()

    def give_lines(self, id: str, height: int) -> None:
        """How many lines a list has, its titles included."""
        styles = self.listing(id).styles
        if styles.height is None or styles.height.value != height:
            styles.height = height

    def tick(self) -> None:
        for listing in self.query(Listing):
            listing.again()
        self.redraw()

    def action_next_pane(self) -> None:
        self.focus_next(Listing)

    def action_back(self) -> None:
        if not self.focused_list.clear_marks():
            super().action_back()

    def on_descendant_focus(self, event: Any) -> None:
        if self.answered:
            self.redraw()
            self.restate()
