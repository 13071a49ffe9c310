"""Keys one after another. What a key does may move the focus, and the next one is for whoever has it then: somebody who
types fast, or over a slow line, sends several at once, and ``/report`` must not run anything.

A key that acts waits for the rows that were asked for too: after ``/report``, enter, ``r`` a report runs, and
not what stood under the cursor before.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING

from textual import events

if TYPE_CHECKING:
    from textual.app import App
    from textual.dom import DOMNode
    from textual.timer import Timer

ROUNDS = 3
"""A key makes a widget send a message, and that another one: each is on the same way one round later."""

MOST_SECONDS = 0.3
"""A key is not waited for longer: whoever had it may be gone."""

MOST_HELD_SECONDS = 3.0
"""Keys that wait for rows are given up after that."""

AT_ONCE = frozenset({"escape", "ctrl+c", "ctrl+q"})
"""What ends the waiting, and is done in the place of what has waited."""


class KeyOrder:
    """Hands an app its keys when the one before has been through everybody who might do something about it.

    ``hold`` says whether a key would act on rows that are not there yet; it and those behind it are handed on after
    ``release``, or given up, which ``given_up`` is told.
    """

    def __init__(
        self,
        app: App[None],
        handle: Callable[[events.Key], Awaitable[None]],
        *,
        hold: Callable[[events.Key], bool],
        given_up: Callable[[], None],
    ) -> None:
        self._app = app
        self._handle = handle
        self._hold = hold
        self._given_up = given_up
        self._waiting = deque[events.Key]()
        self._serial = 0
        self._under_way = False
        self._held: Timer | None = None

    async def take(self, key: events.Key) -> None:
        """Handles a key now, or when it is its turn."""
        if self._held is not None and key.key in AT_ONCE:
            self._waiting.clear()
            self._end_holding()
        if self._held is not None:
            self._waiting.append(key)
            return
        if self._under_way:
            if not self._waiting:
                self._hurry()
            self._waiting.append(key)
            return
        if self._hold(key):
            self._waiting.appendleft(key)
            self._held = self._app.set_timer(MOST_HELD_SECONDS, self._give_up)
            return
        self._under_way = True
        self._serial += 1
        way = [*(self._app.focused or self._app.screen).ancestors_with_self]
        await self._handle(key)
        self._follow(self._serial, way * ROUNDS)
        if self._waiting:
            self._hurry()

    async def release(self) -> None:
        """Hands on what was held: the rows have come."""
        if self._held is not None:
            self._end_holding()
            await self._go_on()

    def _end_holding(self) -> None:
        if self._held is not None:
            self._held.stop()
            self._held = None

    def _give_up(self) -> None:
        self._held = None
        self._waiting.clear()
        self._given_up()

    def _follow(self, serial: int, way: Sequence[DOMNode]) -> None:
        """Goes the way that a key goes, behind it."""
        for place, node in enumerate(way):
            if node.call_later(self._follow, serial, way[place + 1 :]):
                return
        self._app.call_later(self._next, serial)

    def _hurry(self) -> None:
        serial = self._serial
        self._app.set_timer(MOST_SECONDS, lambda: self._app.call_later(self._next, serial))

    async def _next(self, serial: int) -> None:
        if serial != self._serial or not self._under_way:
            return
        self._under_way = False
        await self._go_on()

    async def _go_on(self) -> None:
        if self._waiting and self._held is None:
            await self.take(self._waiting.popleft())
