"""jobrunner: scheduled and background jobs from one TOML file. The public Python API, loaded when first used."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from jobrunner.version import __version__

if TYPE_CHECKING:
    from jobrunner.client import Client as Client
    from jobrunner.errors import JobCancelled as JobCancelled
    from jobrunner.errors import JobrunnerError as JobrunnerError
    from jobrunner.errors import ResultTimeout as ResultTimeout
    from jobrunner.errors import RunFailed as RunFailed
    from jobrunner.execution.current import current_run as current_run

_HOMES = {
    "Client": "jobrunner.client",
    "current_run": "jobrunner.execution.current",
    "JobCancelled": "jobrunner.errors",
    "JobrunnerError": "jobrunner.errors",
    "ResultTimeout": "jobrunner.errors",
    "RunFailed": "jobrunner.errors",
}

__all__ = ["Client", "JobCancelled", "JobrunnerError", "ResultTimeout", "RunFailed", "__version__", "current_run"]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'jobrunner' has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(_HOMES[name]), name)
