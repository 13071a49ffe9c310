"""The names of all jobs, as cheaply as can be: for shell completion, which a person waits for."""

from __future__ import annotations

import os
import re
import stat
from typing import Any

from jobrunner.jobfile.excerpt import excerpt

_MAX_BYTES = 16 * 1024 * 1024

_TELLING = re.compile(rb"include|jobs(?!\.[A-Za-z0-9_-]+\])|\\")
"""Where none of this stands outside of the tables of jobs, there is no other job and no other file: to parse it would
be most of what a completion costs beside Python and typer."""


def job_names(path: str | os.PathLike[str]) -> list[str]:
    """The names of the file's jobs, includes too, in the order of the names. What else is wrong with a file
    does not matter where its names are told at a glance; of one that has to be parsed and cannot be, none are known."""
    main = os.fspath(path)
    tree, names = _read(main)
    if includes := _includes(tree):
        from jobrunner.jobfile.include import expand

        for include in includes:
            for found in expand(include, os.path.dirname(main)):
                names |= _read(found)[1]
    return sorted(name for name in names if name.isascii() and name.isprintable() and name.replace("-", "a").strip())


def _read(path: str) -> tuple[dict[str, Any], set[str]]:
    """What may name other files, and the names of the jobs of this one."""
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
        with open(handle, "rb") as file:
            status = os.fstat(handle)
            if not stat.S_ISREG(status.st_mode) or status.st_size > _MAX_BYTES:
                return {}, set()
            raw = file.read()
    except OSError:
        return {}, set()
    part = excerpt(raw)
    names = {name.decode() for name in part.others}
    if not _TELLING.search(part.text):
        return {}, names
    tree = _parsed(part.text)
    if tree is not None:
        return tree, names | _names(tree)
    tree = _parsed(raw) or {}
    return tree, _names(tree)


def _parsed(raw: bytes) -> dict[str, Any] | None:
    import tomli

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
