"""Keys one after another. What a key does may move the focus, and the next one is for whoever has it then: somebody who
types fast, or over a slow line, sends several at once, and ``/report`` must not run anything."""

from __future__ import annotations

from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING

from textual import events

if TYPE_CHECKING:
    from textual.app import App
    from textual.dom import DOMNode

ROUNDS = 3
"""A key makes a widget send a message, and that another one: each is on the same way one round later."""

MOST_SECONDS = 0.3
"""A key is not waited for longer: whoever had it may be gone."""


class KeyOrder:
    """Hands an app its keys when the one before has been through everybody who might do something about it."""

    def __init__(self, app: App[None], handle: Callable[[events.Key], Awaitable[None]]) -> None:
        self._app = app
        self._handle = handle
        self._waiting = deque[events.Key]()
        self._serial = 0
        self._under_way = False

    async def take(self, key: events.Key) -> None:
        """Handles a key now, or when it is its turn."""
        if self._under_way:
            if not self._waiting:
                self._hurry()
            self._waiting.append(key)
            return
        self._under_way = True
        self._serial += 1
        way = [*(self._app.focused or self._app.screen).ancestors_with_self]
        await self._handle(key)
        self._follow(self._serial, way * ROUNDS)
        if self._waiting:
            self._hurry()

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
        if self._waiting:
            await self.take(self._waiting.popleft())
