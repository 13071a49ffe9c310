"""Notices that a module which a warm child has loaded was changed on disk since. Used inside warm children."""

from __future__ import annotations

import os
import sys
import time

_INTERVAL = 0.05


class Sources:
    """The loaded modules below one folder, without installed packages. An empty folder has none."""

    __slots__ = ("_checked", "_counted", "_files", "_folder")

    def __init__(self, folder: str) -> None:
        self._folder = os.path.join(os.path.realpath(folder), "") if folder else ""
        self._files: dict[str, tuple[int, int] | None] = {}
        self._counted = 0
        self._checked = -_INTERVAL

    def note(self) -> None:
        """Remembers what modules loaded since the last call look like on disk."""
        if not self._folder or len(sys.modules) == self._counted:
            return
        self._counted = len(sys.modules)
        for module in tuple(sys.modules.values()):
            path = getattr(module, "__file__", None)
            if isinstance(path, str) and path not in self._files and self._is_ours(path):
                self._files[path] = _look(path)

    def changed(self) -> bool:
        """Whether one of them looks different now. Runs that follow each other within a blink share one look."""
        now = time.monotonic()
        if not self._files or now - self._checked < _INTERVAL:
            return False
        self._checked = now
        return any(_look(path) != seen for path, seen in self._files.items())

    def _is_ours(self, path: str) -> bool:
        return (
            os.path.realpath(path).startswith(self._folder)
            and f"{os.sep}site-packages{os.sep}" not in path
            and not path.startswith(os.path.join(sys.base_prefix, "lib", ""))
        )


def _look(path: str) -> tuple[int, int] | None:
    try:
        found = os.stat(path)
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size
