"""What a killed server, guard and launcher have left on this host: found by the mark that everything of theirs carries.

Called by a server about dead ones, and by the launcher's owner about its own launcher when that was killed.
"""

from __future__ import annotations

import os
import shutil
import signal
import tempfile
import time
from collections.abc import Collection, Iterable

from jobrunner.execution import cgroup, sweep

HELPER = "0"
"""The number in the marker of guard and launcher; what they start is counted from 1."""

_HELPERS_PATIENCE = 3.0
_PATIENCE = 5.0


def end_left(mark: str, group: str | None) -> int:
    """Ends all processes of a server that is certainly dead, removes what it left in files, and gives their number.

    ``group`` is the cgroup of its attempts, None where it had none. Processes of other users are out of reach unless
    this user is root. When this returns they have ended, or cannot be ended (stuck in the kernel).
    """
    ended = end_marked(mark)
    if group is not None:
        ended += cgroup.end(group, mark)
    remove_files(mark)
    return ended


def remove_files(mark: str) -> None:
    """Removes the temporary folders of a dead server."""
    for folder in _folders(cgroup.name_for(mark) + "-"):
        shutil.rmtree(folder, ignore_errors=True)


def end_marked(mark: str) -> int:
    """Kills every process on this host whose marker is, or begins with, this mark, with everything below it.

    Guard and launcher come last: they know best what was theirs, and have some seconds to end it. What they ended is
    not counted.
    """
    if not sweep.HAS_PROC:
        return 0
    give_up = time.monotonic() + _HELPERS_PATIENCE
    while any(map(_works, _marked(mark, helpers=True))) and time.monotonic() < give_up:
        time.sleep(0.002)
    ended: set[int] = set()
    give_up, pause = time.monotonic() + _PATIENCE, 0.001
    while found := _with_descendants([*_marked(mark, helpers=False), *_marked(mark, helpers=True)]):
        ended |= found
        for pid in found:
            _kill(pid)
        if time.monotonic() > give_up:
            break
        time.sleep(pause)
        pause = min(pause * 2, 0.05)
    return len(ended)


def alive(mark: str) -> list[int]:
    """The processes on this host whose marker is, or begins with, this mark, and everything below them; in order."""
    if not sweep.HAS_PROC:
        return []
    return sorted(_with_descendants([*_marked(mark, helpers=False), *_marked(mark, helpers=True)]))


def _marked(mark: str, *, helpers: bool) -> Iterable[int]:
    for pid in map(int, filter(str.isdecimal, os.listdir("/proc"))):
        marker = sweep.marker_of(pid)
        ours = marker is not None and marker.startswith(mark + ".") and pid != os.getpid()
        if ours and marker is not None and (marker.rpartition(".")[2] == HELPER) == helpers:
            yield pid


def _works(pid: int) -> bool:
    stat = sweep.stat_of(pid)
    return stat is not None and stat.state not in "ZXTt"


def _with_descendants(pids: Collection[int]) -> set[int]:
    """A process that wiped its environment is known by who started it, as long as that one lives."""
    own = os.getpid()
    return {
        each for pid in pids for each in (pid, *sweep.descendants_of(pid)) if each != own and not sweep.is_dead(each)
    }


def _kill(pid: int) -> None:
    try:
        os.kill(pid, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):
        pass


def _folders(prefix: str) -> list[str]:
    place = tempfile.gettempdir()
    try:
        return [os.path.join(place, name) for name in os.listdir(place) if name.startswith(prefix)]
    except OSError:
        return []
