"""Keys as a terminal sends them, waited for by what they do: Pilot's own ``press`` waits twice until the process is
idle after each of them, which takes longer than all that a key does."""

from __future__ import annotations

import unicodedata

from textual.events import Key
from textual.keys import REPLACED_KEYS, _character_to_key, _get_unicode_name_from_key
from textual.pilot import Pilot

ROUNDS = 3
"""A key makes a widget send a message, and that another one, and what is mounted for it has messages of its own."""


async def press(pilot: Pilot[None], *pressed: str) -> None:
    """Sends keys one after another, each when everybody has dealt with what the one before made them send."""
    for key in pressed:
        pilot.app.post_message(_event(key))
        for _ in range(ROUNDS):
            await pilot.pause(0)


def _event(key: str) -> Key:
    """The event of a key, which is called as in Pilot's ``press``."""
    name = _character_to_key(key) if len(key) == 1 and not key.isalnum() else key
    try:
        return Key(name, unicodedata.lookup(_get_unicode_name_from_key(REPLACED_KEYS.get(name, name))))
    except KeyError:
        return Key(name, name if len(name) == 1 else None)
