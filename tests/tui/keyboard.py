"""Keys as a terminal sends them, waited for by what they do: Pilot's own ``press`` waits twice until the process is
idle after each of them, which takes longer than all that a letter of a text does."""

from __future__ import annotations

import unicodedata

from textual.events import Key
from textual.keys import REPLACED_KEYS, _character_to_key, _get_unicode_name_from_key
from textual.pilot import Pilot

ROUNDS = 3
"""A key makes a widget send a message, and that another one, and what is mounted for it has messages of its own."""


async def press(pilot: Pilot[None], *pressed: str) -> None:
    """Sends keys one after another, each when the one before has done all it does.

    A letter of a text is waited for until everybody has dealt with what it made them send; any other key, and the last,
    until the process is idle: it may ask the store, and a dialog open with the answer.
    """
    typed = False
    for key in pressed:
        event, focused = _event(key), pilot.app.focused
        typed = focused is not None and focused.check_consume_key(event.key, event.character)
        pilot.app.post_message(event)
        for _ in range(ROUNDS):
            await pilot.pause(0)
        if not typed:
            await pilot.pause()
    if typed:
        await pilot.pause()


def _event(key: str) -> Key:
    """The event of a key, which is called as in Pilot's ``press``."""
    name = _character_to_key(key) if len(key) == 1 and not key.isalnum() else key
    try:
        return Key(name, unicodedata.lookup(_get_unicode_name_from_key(REPLACED_KEYS.get(name, name))))
    except KeyError:
        return Key(name, name if len(name) == 1 else None)
