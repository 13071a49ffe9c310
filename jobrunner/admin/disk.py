"""How much room a disk has left. Asked by ``doctor``, and by who looks for what needs attention."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from jobrunner.domain.finding import Finding, fault, ok, warning

_MIB = 1024 * 1024
_NONE_LEFT = 16 * _MIB
_LITTLE_LEFT = 1024 * _MIB


def disk(what: str, folder: Path) -> Iterator[Finding]:
    """How much room is left for something, in bytes and files."""
    there = os.statvfs(folder)
    room, size = there.f_bavail * there.f_frsize, there.f_blocks * there.f_frsize
    share = 100 * room / size if size else 100.0
    detail = f"{_size(room)} left for {what} in {folder}, {share:.0f} %"
    if room < _NONE_LEFT:
        yield fault("disk", detail, "free some room: runs cannot be recorded without")
    elif (room < _LITTLE_LEFT and share < 10) or share < 1:
        yield warning("disk", detail, "free some room before there is none")
    else:
        yield ok("disk", detail)
    if there.f_files and there.f_favail * 50 < there.f_files:
        left = f"{there.f_favail:,} of {there.f_files:,} inodes left for {what} in {folder}"
        yield warning("disk", left, "remove small files: none can be made when they are used up")


def _size(count: int) -> str:
    for unit in ("B", "KiB", "MiB", "GiB"):
        if count < 1024:
            return f"{count} {unit}"
        count //= 1024
    return f"{count} TiB"
