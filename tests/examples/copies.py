"""A copy of an example with a server on it, and the commands that a reader would type."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

EXAMPLES = Path(__file__).parents[2] / "examples"


class Example:
    """An example in a folder of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def python(self, *words: str) -> str:
        return self._run(sys.executable, *words)

    def jobrunner(self, *words: str) -> str:
        return self._run(sys.executable, "-m", "jobrunner", *words)

    def json(self, *words: str) -> Any:
        return json.loads(self.jobrunner(*words, "--json"))

    def _run(self, *words: str) -> str:
        done = subprocess.run(words, cwd=self.folder, env=_environment(), capture_output=True, text=True, timeout=120)
        assert done.returncode == 0, done.stderr
        return done.stdout

    @contextmanager
    def server(self, *options: str) -> Iterator[None]:
        """A server until the end of the block; it has to end by itself when told, with 0."""
        words = [sys.executable, "-m", "jobrunner", "run", "--workers", "2", *options]
        with (self.folder / "server.log").open("wb") as log:
            process = subprocess.Popen(words, cwd=self.folder, env=_environment(), stderr=log)
        try:
            yield
            process.send_signal(signal.SIGTERM)
            assert process.wait(60) == 0, (self.folder / "server.log").read_text()
        finally:
            process.kill()
            process.wait()


def _environment() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith("JOBRUNNER_")}
