"""The names of all jobs, as cheaply as can be: for shell completion, which a person waits for."""

from __future__ import annotations

import os
import stat
from typing import Any

import tomli

from jobrunner.jobfile.excerpt import LARGE_BYTES, excerpt
from jobrunner.jobfile.include import expand

_MAX_BYTES = 16 * 1024 * 1024


def job_names(path: str | os.PathLike[str]) -> list[str]:
    """The names of the file's jobs, includes too, in the order of the names. Empty when the main file is broken; of a
    large one only what stands outside of the tables of jobs is looked at for that."""
    main = os.fspath(path)
    tree, names = _read(main)
    for include in _includes(tree):
        for found in expand(include, os.path.dirname(main)):
            names |= _read(found)[1]
    return sorted(name for name in names if name.isascii() and name.isprintable() and name.replace("-", "a").strip())


def _read(path: str) -> tuple[dict[str, Any], set[str]]:
    """What stands outside of the tables of jobs, or more of it, and the names of all jobs."""
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
        with open(handle, "rb") as file:
            status = os.fstat(handle)
            if not stat.S_ISREG(status.st_mode) or status.st_size > _MAX_BYTES:
                return {}, set()
            raw = file.read()
    except OSError:
        return {}, set()
    if len(raw) > LARGE_BYTES:
        part = excerpt(raw)
        tree = _parsed(part.text)
        if tree is not None:
            return tree, _names(tree) | {name.decode() for name in part.others}
    tree = _parsed(raw) or {}
    return tree, _names(tree)


def _parsed(raw: bytes) -> dict[str, Any] | None:
    try:
        return tomli.loads(raw.decode())
    except (ValueError, RecursionError):
        return None


def _names(tree: dict[str, Any]) -> set[str]:
    jobs = tree.get("jobs")
    return set(jobs) if isinstance(jobs, dict) else set()


def _includes(tree: dict[str, Any]) -> list[str]:
    settings = tree.get("jobrunner")
    includes = settings.get("include") if isinstance(settings, dict) else None
    listed = includes if isinstance(includes, list) else [includes]
    return [one for one in listed if isinstance(one, str)]
