"""This host: limits of servers, time zone rules, what dead servers left, versions."""

from __future__ import annotations

import os
import platform
import re
import zoneinfo
from collections.abc import Iterator
from importlib import import_module

from jobrunner.admin.doctor.patient import Patient
from jobrunner.domain.finding import Finding, note, ok, warning
from jobrunner.version import __version__

_RULES_LAST = 2
"""Years after which somewhere a government has certainly changed its clocks."""


def look(patient: Patient) -> list[Finding]:
    """What is wrong with the host, as far as this user can see."""
    return [*_zones(patient), _versions()]


def _zones(patient: Patient) -> Iterator[Finding]:
    version = zone_rules()
    if version is None:
        yield note("time zones", "the version of the rules is not known", "keep the tzdata package up to date")
    elif int(version[:4]) <= patient.clock.now().year - _RULES_LAST:
        hint = "update the tzdata package: schedules follow the rules"
        yield warning("time zones", f"the rules are of {version}; some have changed since", hint)
    else:
        yield ok("time zones", f"rules of {version}")


def zone_rules() -> str | None:
    """The version of the time zone rules that schedules follow, as ``2026b``; None where nothing tells it."""
    for folder in zoneinfo.TZPATH:
        for name in ("tzdata.zi", "+VERSION", "version"):
            try:
                with open(os.path.join(folder, name), encoding="ascii", errors="replace") as file:
                    found = re.search(r"\b(?:19|20)\d\d[a-z]*", file.readline())
            except OSError:
                continue
            if found:
                return found[0]
        if os.path.exists(os.path.join(folder, "UTC")):
            return None
    try:
        return str(import_module("tzdata").IANA_VERSION)
    except (ImportError, AttributeError):
        return None


def _versions() -> Finding:
    return ok("version", f"jobrunner {__version__} on Python {platform.python_version()}")
