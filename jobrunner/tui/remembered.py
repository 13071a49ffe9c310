"""What a person chose, from one dashboard to the next: screen, order, columns, kept filters. A file that is broken or
cannot be written is as none."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any


class Remembered:
    """Reads ``$XDG_STATE_HOME/jobrunner/tui.json`` at once, and writes it when something is kept; with ``path`` None
    nothing is."""

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._values = _read(path) if path is not None else {}

    @classmethod
    def of(cls, environ: Mapping[str, str]) -> Remembered:
        """What the person of this environment chose."""
        base = environ.get("XDG_STATE_HOME") or os.path.join(environ.get("HOME", ""), ".local", "state")
        return cls(Path(base, "jobrunner", "tui.json")) if os.path.isabs(base) else cls(None)

    def get(self, name: str, default: Any = None) -> Any:
        """What was kept under a name, where it is of the kind of the default."""
        value = self._values.get(name, default)
        return value if default is None or isinstance(value, type(default)) else default

    def keep(self, name: str, value: Any) -> None:
        """Keeps a JSON value; None forgets it."""
        if self._values.get(name) == value:
            return
        self._values[name] = value
        if value is None:
            del self._values[name]
        if self._path is not None:
            _write(self._path, self._values)


def _read(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _write(path: Path, values: Mapping[str, Any]) -> None:
    fresh = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        fresh.write_text(json.dumps(values, indent=1) + "\n", encoding="utf-8")
        fresh.replace(path)
    except OSError:
        fresh.unlink(missing_ok=True) if path.parent.is_dir() and os.access(path.parent, os.W_OK) else None
