"""What actions are done with, and what they say of what they have done."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import datetime
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from jobrunner.admin import Admin
    from jobrunner.admin.editing import Editor


class Hands(NamedTuple):
    """What actions are done with, in the thread that does them; ``editor`` opens the file for a change.

    ``say`` tells a person how far it is; ``stopped`` says whether the dashboard is about to end.
    """

    admin: Admin
    editor: Callable[[], AbstractContextManager[Editor]]
    now: Callable[[], datetime]
    say: Callable[[str], None] = lambda _: None
    stopped: Callable[[], bool] = lambda: False


class Undo(NamedTuple):
    """How to take back what was done; ``words`` say what that is."""

    words: str
    perform: Callable[[Hands], Done]


class Done(NamedTuple):
    """What was done, in one line; what was refused, by id, with the reason; how to take it back."""

    text: str
    refused: tuple[str, ...] = ()
    undo: Undo | None = None
