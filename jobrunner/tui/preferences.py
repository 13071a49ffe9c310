"""What a person has said in ``$XDG_CONFIG_HOME/jobrunner/tui.toml``: keys, and the theme. Read once, at start."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from jobrunner.errors import ConfigError, Problem
from jobrunner.tui import keys
from jobrunner.tui.look import VARIANTS


class Preferences(NamedTuple):
    """``theme`` is ``dark`` or ``light``, None to follow the terminal."""

    keys: Mapping[str, keys.Key]
    theme: str | None = None


def read(environ: Mapping[str, str]) -> Preferences:
    """What the file says; without one, what is built in.

    Raises:
        ConfigError: it cannot be read, or says something that is not possible; in one line.
    """
    path = place(environ)
    try:
        with path.open("rb") as file:
            import tomllib

            found = tomllib.load(file)
        return _preferences(found)
    except FileNotFoundError:
        return Preferences(keys.KEYS)
    except OSError as error:
        raise _wrong(path, f"cannot be read: {error.strerror}") from error
    except (ValueError, TypeError) as error:
        raise _wrong(path, str(error)) from error


def place(environ: Mapping[str, str]) -> Path:
    """Where the file is looked for."""
    base = environ.get("XDG_CONFIG_HOME") or os.path.join(environ.get("HOME", ""), ".config")
    return Path(base, "jobrunner", "tui.toml")


def _preferences(found: Mapping[str, Any]) -> Preferences:
    for name in found:
        if name not in ("keys", "theme"):
            raise ValueError(f"unknown key {name!r}; there are keys and theme")
    wanted, theme = found.get("keys", {}), found.get("theme", "auto")
    if not isinstance(wanted, dict):
        raise ValueError("keys must be a table")
    if theme not in ("auto", *VARIANTS):
        raise ValueError(f'theme must be "auto", "dark" or "light", and is {theme!r}')
    return Preferences(keys.changed(wanted), None if theme == "auto" else theme)


def _wrong(path: Path, message: str) -> ConfigError:
    return ConfigError([Problem(str(path), None, None, " ".join(message.split()))])
