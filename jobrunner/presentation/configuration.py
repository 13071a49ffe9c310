"""The configuration in words and rows, for the dashboard."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from textwrap import wrap

from jobrunner.domain.change import InForce
from jobrunner.domain.configuration import Configuration
from jobrunner.domain.server import configurations
from jobrunner.presentation.changes import summary
from jobrunner.presentation.sanitise import plain
from jobrunner.presentation.screen import Screen
from jobrunner.presentation.table import Cell, Column
from jobrunner.presentation.times import Times

Pieces = tuple[Cell, ...]

VERSION_COLUMNS = (
    Column(title="JOB", minimum=10),
    Column(title="VERSION", right=True),
    Column(title="SINCE", right=True),
    Column(title="BY", minimum=6, leaves=2),
    Column(title="FROM", leaves=1),
    Column(title="CHANGE", minimum=14),
)
_PROBLEMS = 6


def version(value: InForce, screen: Screen, times: Times) -> Pieces:
    """A row of ``VERSION_COLUMNS``."""
    one, keys, renamed = value
    in_force = one.replaced_at is None and one.definition is not None
    return (
        Cell(one.job),
        Cell(str(one.version)),
        Cell(times.when(one.applied_at), "dim"),
        Cell(f"{one.who}@{one.host}"),
        Cell(one.origin.value, "dim"),
        Cell(summary(one, keys, renamed, screen), "green" if in_force else ""),
    )


def head(value: Configuration, width: int, screen: Screen) -> list[Pieces]:
    """Which file, whether it is right, and who has it in force; a few lines of at most ``width`` cells."""
    more = f" and {len(value.files) - 1} included" if len(value.files) > 1 else ""
    lines: list[Pieces] = [(Cell("file     ", "dim"), Cell(plain(value.files[0])), Cell(more, "dim"))]
    if value.problems:
        lines.append((Cell(f"{'✗' if screen.unicode else 'X'} invalid", "bold red"),))
        for one in value.problems[:_PROBLEMS]:
            lines += [(Cell(line),) for line in _wrapped(one.replace(f"{os.path.dirname(value.files[0])}/", ""), width)]
        if len(value.problems) > _PROBLEMS:
            lines.append((Cell(f"  and {len(value.problems) - _PROBLEMS} more: jobrunner check", "dim"),))
        lines.append((Cell("Servers keep the last good one in force. Mend it: E", "bold"),))
    elif value.config_hash is None:
        lines.append((Cell("it is being read", "dim"),))
    else:
        right = "●" if screen.unicode else "*"
        lines.append((Cell(f"{right} valid  ", "green"), Cell(f"{value.jobs:,} jobs, {value.config_hash}")))
    return [*lines, *_in_force(value)]


def about(value: Configuration) -> Iterator[Pieces]:
    """The settings, the included files and the warnings."""
    width = max(len(key) for key, _ in value.settings)
    yield (Cell("[jobrunner]", "bold"),)
    for key, said in value.settings:
        yield (Cell(f"{key:<{width}}  ", "dim"), Cell(plain(said)))
    if len(value.files) > 1:
        yield from ((), (Cell("included", "bold"),))
        folder = os.path.dirname(value.files[0])
        yield from ((Cell(plain(os.path.relpath(file, folder))),) for file in value.files[1:])
    if value.warnings:
        yield from ((), (Cell("warnings", "bold yellow"),))
        yield from ((Cell(plain(warning)),) for warning in value.warnings)


def _in_force(value: Configuration) -> Iterator[Pieces]:
    by_hash = configurations(value.servers)
    if not by_hash:
        yield (Cell("servers  ", "dim"), Cell("none runs: it is in force nowhere"))
    elif value.in_force and not value.problems:
        names = [server.name for having in by_hash.values() for server in having]
        yield (Cell("servers  ", "dim"), Cell(f"in force on {_named(names)}"))
    else:
        for digest, having in by_hash.items():
            same = " (this file)" if digest == value.config_hash else ""
            names = [server.name for server in having]
            yield (Cell("servers  ", "dim"), Cell(f"{_named(names)}: {digest}{same}", "" if same else "bold yellow"))


def _wrapped(text: str, width: int) -> list[str]:
    return wrap(plain(text), max(width, 20), initial_indent="  ", subsequent_indent="    ", break_on_hyphens=False)


def _named(names: Sequence[str]) -> str:
    return plain(", ".join(names[:4])) + (f" and {len(names) - 4} more" if len(names) > 4 else "")
