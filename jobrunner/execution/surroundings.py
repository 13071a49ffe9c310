"""The folder, umask, environment and import path of a run inside a warm child, made afresh for each."""

from __future__ import annotations

import os
import sys
from typing import Any

from jobrunner.execution.environment import run_variables


class CannotEnter(Exception):
    """The run cannot have the surroundings that its job asks for; one line says why."""


class Surroundings:
    """Remembers how the child was started, and brings it back to that for every run."""

    __slots__ = ("_environment", "_path", "_places", "_umask")

    def __init__(self) -> None:
        self._environment = dict(os.environb)
        self._path = tuple(sys.path)
        self._umask = os.umask(0o077)
        os.umask(self._umask)
        self._places = _places()

    def enter(self, request: dict[str, Any]) -> None:
        """Sets everything for one run.

        Raises:
            CannotEnter: the folder is not there, or a variable cannot be set.
        """
        try:
            os.chdir(request["cwd"])
        except OSError as error:
            reason = os.strerror(error.errno or 0).lower()
            raise CannotEnter(f"cannot work in the folder {request['cwd']}: {reason}") from None
        umask = request.get("umask")
        os.umask(self._umask if umask is None else umask)
        try:
            self._set_environment(request["env"] | run_variables(request["run"]))
        except (ValueError, OSError) as error:
            raise CannotEnter(f"cannot set the environment: {error}") from None

    def leave(self) -> bool:
        """Whether stdout and stderr still are what the server reads."""
        if sys.path != list(self._path):
            sys.path[:] = self._path
        return _places() == self._places

    def _set_environment(self, variables: dict[str, str]) -> None:
        wanted = self._environment | {os.fsencode(name): os.fsencode(value) for name, value in variables.items()}
        # A copy through the mapping's own interface costs more than a whole run; its dictionary is compared at once.
        present: dict[bytes, bytes] = getattr(os.environ, "_data", None) or dict(os.environb)
        if present == wanted:
            return
        for name in present.keys() - wanted.keys():
            del os.environb[name]
        for name, value in wanted.items():
            if present.get(name) != value:
                os.environb[name] = value


def _places() -> tuple[tuple[int, int], ...]:
    found = (os.fstat(1), os.fstat(2))
    return tuple((place.st_dev, place.st_ino) for place in found)
