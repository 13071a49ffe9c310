"""What a dashboard is opened with."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, NamedTuple

from jobrunner.tui.keys import Key
from jobrunner.tui.look import Look
from jobrunner.tui.remembered import Remembered

if TYPE_CHECKING:
    from jobrunner.admin import Admin
    from jobrunner.admin.editing import Editor
    from jobrunner.domain.clock import Clock


class Setting(NamedTuple):
    """``config`` is the file that was named on the command line, None for the found one; ``read_only``: nothing may be
    changed; ``host`` is this one."""

    admin: Admin
    editor: Callable[[], AbstractContextManager[Editor]]
    clock: Clock
    look: Look
    keys: Mapping[str, Key]
    host: str
    remembered: Remembered
    config: str | None = None
    read_only: bool = False
    debug: bool = False
    start: str | None = None
