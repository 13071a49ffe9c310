"""Finding in a screen: the filter that is typed, chosen or built, the order and the columns of what is found."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, ClassVar

from textual import on
from textual.widget import Widget

from jobrunner.domain.filter import Field
from jobrunner.domain.filter_text import RUNS, Subject, asks_for_dead, values_of, with_dead, with_values
from jobrunner.errors import JobrunnerError
from jobrunner.tui.frame import Frame
from jobrunner.tui.widgets.filterline import FilterLine

if TYPE_CHECKING:
    from jobrunner.domain.filter_completion import Known

_MOST_FILTERS = 50


class Finding(Frame):
    """A screen of which one may see a part. ``filterable``: ``/`` opens the filter line."""

    filterable: ClassVar[bool] = False

    orders: ClassVar[Mapping[str, str]] = {}
    """The orders that ``s`` offers: keys and words; the first is the usual one."""

    subject: ClassVar[Subject | None] = None
    """What is filtered, where the filter is of the shared grammar: then it can be built field by field."""

    states: ClassVar[tuple[str, ...]] = ()
    """The states that ``f`` offers."""

    all_columns: ClassVar[tuple[str, ...]] = ()
    """The columns that ``o`` offers, by title."""

    def __init__(self) -> None:
        super().__init__()
        self.filter_text = ""
        self._focus_before: Widget | None = None

    # --- what a screen says of itself ---------------------------------------------------------------------------------

    def filter(self, text: str) -> None:
        """Applies what was typed after ``/``; raises UsageError for what cannot be read."""

    def known(self) -> Known | None:
        """The names that a filter can be completed with; None as long as there are none."""
        return None

    def completions(self, text: str) -> Sequence[str]:
        """Whole filters that the text could become, best first."""
        from jobrunner.domain.filter_completion import complete

        known = self.known()
        if known is None or self.subject is None:
            return []
        return [found.text for found in complete(text, len(text), known, subject=self.subject)]

    def ordered(self) -> None:
        """Another order was chosen: it is in ``order``."""

    def columned(self) -> None:
        """Other columns were chosen: those that are hidden are in ``hidden``."""

    # --- what a screen may use ----------------------------------------------------------------------------------------

    @property
    def order(self) -> str:
        """The order that the person has chosen, else the first."""
        chosen = self.app.remembered.get(f"{self.name_shown}.order", "")
        return chosen if chosen in self.orders else next(iter(self.orders), "")

    @property
    def hidden(self) -> frozenset[str]:
        """The columns that the person has hidden."""
        return frozenset(self.app.remembered.get(f"{self.name_shown}.hidden", []))

    def finds(self, id: str) -> bool:
        """Whether a key of finding is of use here."""
        if id == "build_filter":
            return self.subject is not None
        if id == "dead_letters":
            return True
        offers = {"order": self.orders, "columns": self.all_columns, "states": self.states}
        return bool(offers[id]) if id in offers else self.filterable

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

    # --- keys ---------------------------------------------------------------------------------------------------------

    def action_filter(self) -> None:
        line = self.query_one(FilterLine)
        if self.filterable and not line.is_open:
            self._focus_before = self.focused
            line.open(self.filter_text)
            line.suggest(self.completions(self.filter_text))

    def action_order(self) -> None:
        def chosen(order: object) -> None:
            if order is not None:
                self.app.remembered.keep(f"{self.name_shown}.order", order)
                self.ordered()
                self.restate()

        if self.orders:
            from jobrunner.tui.dialogs.menu import Menu
            from jobrunner.tui.widgets.picklist import Pick

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
            from jobrunner.tui.dialogs.menu import Marks
            from jobrunner.tui.widgets.picklist import Pick

            picks = [Pick(title, title, marked=title not in self.hidden) for title in self.all_columns]
            self.app.push_screen(Marks(self.terminal, "Columns", picks, one=False), chosen)

    def action_states(self) -> None:
        def chosen(states: frozenset[object] | None) -> None:
            if states is not None:
                wanted = [state for state in self.states if state in states]
                self.apply_filter(with_values(self.filter_text, Field.STATE, wanted))

        if self.states:
            on = values_of(self.filter_text, Field.STATE)
            from jobrunner.tui.dialogs.menu import Marks
            from jobrunner.tui.widgets.picklist import Pick

            picks = [Pick(state, state, marked=state in on) for state in self.states]
            self.app.push_screen(Marks(self.terminal, "By state", picks, one=not on), chosen)

    def action_dead_letters(self) -> None:
        """Asks of the runs that are listed for dead letters, or no more; from elsewhere it leads to all of them."""
        if self.subject is RUNS:
            self.apply_filter(with_dead(self.filter_text, not asks_for_dead(self.filter_text)))
        else:
            self.leave_for(self.app.open_dead_letters)

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

    # --- how it works -------------------------------------------------------------------------------------------------

    @on(FilterLine.Changed)
    def _filter_changed(self, event: FilterLine.Changed) -> None:
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
