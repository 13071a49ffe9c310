"""One thing that a person can do: what it applies to, how it is confirmed, and the same as a command."""

from __future__ import annotations

from collections.abc import Callable
from enum import IntEnum
from typing import NamedTuple

from jobrunner.tui.actions.brief import Brief
from jobrunner.tui.actions.hands import Done, Hands
from jobrunner.tui.fields import Field, Values
from jobrunner.tui.possible import BY_STATE
from jobrunner.tui.selection import Kind, Selection

MANY = 5
"""More than so many things at once are confirmed by typing how many."""


class Tier(IntEnum):
    """How an action is confirmed: not at all, by a line y/N, by a dialog, by typing the name or the count."""

    NONE = 0
    LINE = 1
    DIALOG = 2
    TYPED = 3


Command = Callable[[Selection, Values, Brief], "list[list[str]]"]


class Action(NamedTuple):
    """``words`` begin what it is called; ``verb`` is what a button says. ``many``: it acts on several things at once.

    ``tier`` is the least that it is confirmed by; more, and a production store, raise it. ``command`` gives the
    arguments of the program that do the same, one list for each call. ``single`` False: it needs several. ``apart``: it
    may take as long as a run, and holds up nothing else.
    """

    id: str
    words: str
    verb: str
    kinds: frozenset[Kind | None]
    command: Command
    perform: Callable[[Hands, Selection, Values, Brief], Done]
    tier: Callable[[Selection, Brief], Tier] = lambda _, __: Tier.NONE
    fields: Callable[[Brief], tuple[Field, ...]] | None = None
    faults: Callable[[Brief, Values, Hands], dict[str, str]] = lambda _, __, ___: {}
    many: bool = True
    single: bool = True
    looks: bool = False
    apart: bool = False

    def applies(self, selection: Selection) -> bool:
        """Whether it can be done with what is selected, as that is known to stand."""
        return self.fits(selection) and (
            selection.possible is None or self.id not in BY_STATE or self.id in selection.possible
        )

    def fits(self, selection: Selection) -> bool:
        """Whether it can be done with such things, and so many."""
        if not self.single and selection.kind != "batch" and len(selection.ids) < 2:
            return False
        if selection.kind not in self.kinds and None not in self.kinds:
            return False
        return None in self.kinds or (bool(selection.ids) and (self.many or len(selection.ids) == 1))

    def confirmation(self, selection: Selection, brief: Brief, *, production: bool) -> Tier:
        """How it has to be confirmed."""
        if self.looks:
            return Tier.NONE
        if production or (None not in self.kinds and len(selection.ids) > MANY):
            return Tier.TYPED
        return self.tier(selection, brief)
