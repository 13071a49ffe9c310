"""The names of all jobs, as cheaply as can be: for shell completion, which a person waits for."""

from __future__ import annotations

import os
import stat
from typing import Any

import tomli

from jobrunner.jobfile.include import expand

_MAX_BYTES = 16 * 1024 * 1024


def job_names(path: str | os.PathLike[str]) -> list[str]:
    """The names of the file's jobs, includes too, in the order of the names. Empty when the main file is broken."""
    main = os.fspath(path)
    tree = _tree(main)
    names = set(_names(tree))
    for include in _includes(tree):
        for found in expand(include, os.path.dirname(main)):
            names.update(_names(_tree(found)))
    return sorted(names)


def _tree(path: str) -> dict[str, Any]:
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
        with open(handle, "rb") as file:
            status = os.fstat(handle)
            if not stat.S_ISREG(status.st_mode) or status.st_size > _MAX_BYTES:
                return {}
            return tomli.loads(file.read().decode())
    except (OSError, ValueError, RecursionError):
        return {}


def _names(tree: dict[str, Any]) -> list[str]:
    jobs = tree.get("jobs")
    if not isinstance(jobs, dict):
        return []
    return [name for name in jobs if name.isascii() and name.isprintable() and name.replace("-", "a").strip()]


def _includes(tree: dict[str, Any]) -> list[str]:
    settings = tree.get("jobrunner")
    includes = settings.get("include") if isinstance(settings, dict) else None
    return [one for one in includes if isinstance(one, str)] if isinstance(includes, list) else []
