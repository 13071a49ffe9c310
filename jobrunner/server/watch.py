"""Noticing that jobs.toml or a file that it includes has changed, in a thread of its own. Used by ``reloader``."""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path

from jobrunner.jobfile.include import expand

log = logging.getLogger("jobrunner.server")

_SETTLE_SECONDS = 0.1
_LONGEST_SETTLING = 2.0
_LOOK_MS = 5000

Signature = tuple[tuple[str, int, int, int], ...]
"""Each file's path, time of change, size and inode."""


class FileWatch:
    """Calls ``changed`` when the files are others than before, once they have settled.

    The kernel tells of changes in their folders. Every five seconds it looks by itself: the kernel says nothing of
    network file systems, and of folders deep below an ``include``.
    """

    def __init__(self, path: Path, includes: Sequence[str], changed: Callable[[], None], *, since: datetime) -> None:
        self._since = since
        self._path = path
        self._includes = tuple(includes)
        self._changed = changed
        self._stop = threading.Event()
        self._again = threading.Event()
        self._thread = threading.Thread(target=self._run, name="file watch", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def include(self, includes: Sequence[str], since: datetime) -> None:
        """The patterns have become these, in a file that began to be read at ``since``."""
        if tuple(includes) != self._includes:
            self._includes, self._since = tuple(includes), since
            self._again.set()

    def stop(self) -> None:
        """Ends the thread soon; does not wait for it."""
        self._stop.set()
        self._again.set()

    def _run(self) -> None:
        while not self._stop.is_set():
            self._again.clear()
            known = self._begin()
            try:
                self._watch(known)
            except Exception:
                log.exception("fault while watching files; looking every few seconds")
                self._stop.wait(_LOOK_MS / 1000)
                self._look(known)

    def _begin(self) -> Signature:
        """What is there now; what was written since the file began to be read may not have been read."""
        found = signature(self._path, self._includes)
        if any(changed >= self._since.timestamp() * 1e9 for _, changed, _, _ in found):
            self._changed()
        return found

    def _watch(self, known: Signature) -> None:
        from watchfiles import watch

        for _ in watch(
            *folders(self._path, self._includes),
            watch_filter=lambda _, path: path.endswith(".toml") or path == os.path.realpath(self._path),
            step=50,
            rust_timeout=_LOOK_MS,
            yield_on_timeout=True,
            stop_event=self._again,
            raise_interrupt=False,
            recursive=False,
            ignore_permission_denied=True,
        ):
            known = self._look(known)

    def _look(self, known: Signature) -> Signature:
        found = signature(self._path, self._includes)
        if found == known:
            return known
        waited = 0.0
        while waited < _LONGEST_SETTLING and not self._stop.wait(_SETTLE_SECONDS):
            # Whoever writes in place is not done yet.
            waited += _SETTLE_SECONDS
            before, found = found, signature(self._path, self._includes)
            if before == found:
                break
        self._changed()
        return found


def signature(path: Path, includes: Sequence[str]) -> Signature:
    """What tells whether any of the files is another than before; a missing one is in it, too."""
    found = []
    for name in (str(path), *(file for include in includes for file in expand(include, str(path.parent)))):
        try:
            stat = os.stat(name)
            found.append((name, stat.st_mtime_ns, stat.st_size, stat.st_ino))
        except OSError:
            found.append((name, 0, 0, 0))
    return tuple(found)


def folders(path: Path, includes: Sequence[str]) -> list[str]:
    """The folders that are there and in which a change is to be heard of, those behind symbolic links, too."""
    files = [str(path), *(file for include in includes for file in expand(include, str(path.parent)))]
    found = {os.path.dirname(place) for file in files for place in (os.path.abspath(file), os.path.realpath(file))}
    found |= {os.path.dirname(os.path.join(path.parent, include)) for include in includes}
    return sorted(folder for folder in found if os.path.isdir(folder))
