"""Noticing that jobs.toml or a file that belongs to it has changed, in a thread of its own. Used by ``reloader``.

It looks at the files' times and sizes. To be told by the kernel would be no quicker than a person notices; the kernel
says nothing of network file systems, and much of a store that is written in the same folder.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

from jobrunner.jobfile.include import expand

LOOK_SECONDS = 0.5
"""Between two looks, unless they take long."""

_SHARE = 500
"""Of how much of the time at most one part is spent looking, however many files and folders there are."""

_SETTLE_SECONDS = 0.25
_LONGEST_SETTLING = 5.0

_COARSE_SECONDS = 2.0
"""How much older than it is a file may say that it is: kernels note times by ticks, other hosts by their own clock."""

Signature = tuple[tuple[str, int, int, int], ...]
"""Each file's path, time of change, size and inode."""


class Watched(NamedTuple):
    """The files that are looked at: the main one, the patterns that it includes, and others, by their paths."""

    path: Path
    includes: Sequence[str] = ()
    others: Sequence[str] = ()


class FileWatch:
    """Calls ``changed`` when the files are others than before, once they have settled; or have changed since ``since``,
    when they began to be read."""

    def __init__(self, watched: Watched, changed: Callable[[], None], *, since: datetime) -> None:
        self._watched = watched
        self._changed = changed
        self._since = since
        self._known = signature(watched)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="file watch", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def watch(self, watched: Watched) -> None:
        """Looks at these files from now on; what is another than before is told."""
        self._watched = watched

    def stop(self) -> None:
        """Ends the thread soon; does not wait for it."""
        self._stop.set()

    def _run(self) -> None:
        known = self._known
        # Told at the first look, not at once: the file that was read is being put in force, and a second one beside it
        # takes as much memory again, and holds up the start.
        recent = any(changed >= (self._since.timestamp() - _COARSE_SECONDS) * 1e9 for _, changed, _, _ in known)
        pause = LOOK_SECONDS
        while not self._stop.wait(pause):
            began = time.thread_time()
            found = signature(self._watched)
            pause = max(LOOK_SECONDS, (time.thread_time() - began) * _SHARE)
            if found != known or recent:
                recent = False
                known = settled(self._watched, found, self._stop.wait)
                self._changed()


def settled(watched: Watched, found: Signature, wait: Callable[[float], bool]) -> Signature:
    """What is there when nothing changes any more: whoever writes in place, or has emptied the main file to write it
    anew, is not done yet. ``wait`` waits so many seconds, and is true when there is no time for that."""
    waited = 0.0
    while waited < _LONGEST_SETTLING and not wait(_SETTLE_SECONDS):
        waited += _SETTLE_SECONDS
        before, found = found, signature(watched)
        if before == found and found[0][2]:
            break
    return found


def signature(watched: Watched) -> Signature:
    """What tells whether any of the files is another than before; one that is missing is in it, too."""
    folder = str(watched.path.parent)
    included = (file for include in watched.includes for file in expand(include, folder))
    return tuple(map(_look, (str(watched.path), *included, *watched.others)))


def _look(name: str) -> tuple[str, int, int, int]:
    try:
        stat = os.stat(name)
    except OSError:
        return name, 0, -1, 0
    # The time of change, not of modification: that can be set back.
    return name, stat.st_ctime_ns, stat.st_size, stat.st_ino
