"""Which time zones exist, and which one is this host's."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from functools import lru_cache

from jobrunner.errors import UsageError

_NAME = r"(?!right/|posix/)[A-Za-z0-9][A-Za-z0-9_+-]*(/[A-Za-z0-9][A-Za-z0-9_+-]*){0,3}"
_SYSTEM = "/usr/share/zoneinfo"


@lru_cache(maxsize=1024)
def complaint(name: str) -> str | None:
    """What is wrong with the name of a zone, with a suggestion; None where it is an IANA name."""
    if name == "localtime":
        return "no such time zone: 'localtime' differs from host to host; leave the key out for the host's"
    # Without importing zoneinfo, which costs trigger several milliseconds.
    if re.fullmatch(_NAME, name, re.ASCII) and _is_zone_file(os.path.join(_SYSTEM, name)):
        return None
    from jobrunner.domain.zone import load_zone

    try:
        load_zone(name)
    except UsageError as error:
        return str(error)
    return None


def host_zone(environ: Mapping[str, str]) -> str:
    """The name of this host's zone: from ``$TZ``, else ``/etc/localtime``, else ``/etc/timezone``, else UTC."""
    candidates = (environ.get("TZ", "").removeprefix(":"), _linked("/etc/localtime"), _written("/etc/timezone"))
    return next((name for name in candidates if name and complaint(name) is None), "UTC")


def _linked(path: str) -> str:
    return os.path.realpath(path).partition("/zoneinfo/")[2]


def _written(path: str) -> str:
    try:
        with open(path, encoding="ascii") as file:
            return file.read(200).strip()
    except (OSError, ValueError):
        return ""


def _is_zone_file(path: str) -> bool:
    try:
        with open(path, "rb") as file:
            return file.read(4) == b"TZif"
    except OSError:
        return False
