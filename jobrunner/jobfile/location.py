"""Where jobs.toml is: the search order of ``-c``. Used by wiring and by the commands that need no store."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from jobrunner.errors import ConfigError, Problem

SYSTEM_FILE = "/etc/jobrunner/jobs.toml"


def locate(explicit: str | os.PathLike[str] | None, environ: Mapping[str, str]) -> Path:
    """The file to read: the explicit one, else ``$JOBRUNNER_CONFIG``, else the first that exists of ``./jobs.toml``,
    ``$XDG_CONFIG_HOME/jobrunner/jobs.toml`` and ``/etc/jobrunner/jobs.toml``.

    Raises:
        ConfigError: the named file does not exist, or none was found; says where it looked.
    """
    if explicit is not None:
        return _named(os.fspath(explicit), "there is no such file")
    if environ.get("JOBRUNNER_CONFIG"):
        return _named(environ["JOBRUNNER_CONFIG"], "there is no such file ($JOBRUNNER_CONFIG names it)")
    places = _places(environ)
    for place in places:
        if os.path.exists(place):
            return Path(place)
    looked = ", ".join(places)
    raise _missing("jobs.toml", f"not found in {looked}; `jobrunner init` writes a starter, -c FILE names another")


def _named(path: str, complaint: str) -> Path:
    if not path or "\0" in path or not os.path.exists(path):
        raise _missing(path.replace("\0", "\\0") or '""', f"{complaint}; `jobrunner init` writes a starter")
    return Path(path)


def _places(environ: Mapping[str, str]) -> list[str]:
    settings = environ.get("XDG_CONFIG_HOME") or ""
    if not os.path.isabs(settings):
        settings = os.path.join(environ.get("HOME") or os.path.expanduser("~"), ".config")
    return [os.path.join(".", "jobs.toml"), os.path.join(settings, "jobrunner", "jobs.toml"), SYSTEM_FILE]


def _missing(file: str, message: str) -> ConfigError:
    return ConfigError([Problem(file=file, line=None, column=None, message=message)])
