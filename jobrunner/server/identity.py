"""Which process this is, so that nobody takes another one for it: boot, pid namespace, pid and start time (Linux).

A pid alone is used again, and means nothing in another container; a process is gone for certain only when its host,
boot and namespace are ours and no process with its pid and start time is there.
"""

from __future__ import annotations

import os
import socket
from pathlib import Path

_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
_NAMESPACE = Path("/proc/self/ns/pid")


def host() -> str:
    """The name of this host."""
    return socket.gethostname() or "localhost"


def identity(pid: int) -> str:
    """The identity of a process of this host, empty where the host cannot tell."""
    place, started = _place(), _start_time(pid)
    return f"{place}:{pid}:{started}" if place and started else ""


def gone(other: str) -> bool:
    """Whether the process with this identity has certainly ended; False also where this host cannot know."""
    place, _, rest = other.rpartition(":")
    boot, _, pid = place.rpartition(":")
    if not pid.isdigit() or boot != _place():
        return False
    return _start_time(int(pid)) != rest


def _place() -> str:
    try:
        return f"{_BOOT_ID.read_text().strip()}/{os.readlink(_NAMESPACE)}"
    except OSError:
        return ""


def _start_time(pid: int) -> str:
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return ""
    fields = stat.rpartition(")")[2].split()
    # A zombie has ended: its parent only has not looked yet.
    return "" if fields[0] == "Z" else fields[19]
