"""What the tests of the command line share: the environment of a process, and the type of its end."""

import os
import subprocess
from pathlib import Path

Process = subprocess.CompletedProcess[str]


def clean_environment(home: Path) -> dict[str, str]:
    """The environment without what this machine says about jobrunner, locale, and colours."""
    unwanted = ("JOBRUNNER", "XDG", "LC_", "NO_COLOR", "COLUMNS")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(unwanted)}
    kept.pop("PYTHONDONTWRITEBYTECODE", None)  # it would double the start of every process
    return kept | {"HOME": str(home), "LANG": "C.UTF-8", "TZ": "UTC"}
