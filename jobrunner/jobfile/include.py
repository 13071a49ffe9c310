"""Which files an ``include`` pattern names. Light, since shell completion loads it."""

from __future__ import annotations

import os

_GLOB = frozenset("*?[")


def is_pattern(include: str) -> bool:
    """Whether it is a glob, which may match nothing, rather than the name of one file, which must exist."""
    return not _GLOB.isdisjoint(include)


def expand(include: str, folder: str) -> list[str]:
    """The paths that one entry of ``include`` names, in order of their names; relative entries are beside jobs.toml."""
    path = os.path.join(folder, include)
    if not is_pattern(include):
        return [os.path.normpath(path)]
    from glob import escape, glob

    pattern = include if os.path.isabs(include) else os.path.join(escape(folder), include)
    return sorted(os.path.normpath(found) for found in glob(pattern, recursive=True) if not os.path.isdir(found))
