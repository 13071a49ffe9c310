"""What systemd is told: ready, stopping, reloading, alive. Made by ``consumer``; silent where systemd does not ask.

Source: sd_notify(3), sd_watchdog_enabled(3).
"""

from __future__ import annotations

import os
import socket
from collections.abc import MutableMapping

_PATIENCE = 1.0
"""Seconds that a message may take: systemd being stuck must not stop the server."""


class Systemd:
    """Sends messages to the socket of the service manager, or nowhere.

    ``watchdog_interval`` is how often, in seconds, ``watchdog`` is to be called at least: half of what systemd allows;
    None where it does not watch.
    """

    def __init__(self, address: str | None = None, watchdog_interval: float | None = None) -> None:
        self._address = address
        self.watchdog_interval = watchdog_interval if address else None

    @classmethod
    def from_environment(cls, environ: MutableMapping[str, str]) -> Systemd:
        """Takes what systemd gave out of ``environ``, so that no job inherits it: socket and watchdog."""
        address = environ.pop("NOTIFY_SOCKET", "")
        micros, pid = environ.pop("WATCHDOG_USEC", ""), environ.pop("WATCHDOG_PID", "")
        watched = micros.isdecimal() and int(micros) > 0 and pid in ("", str(os.getpid()))
        return cls(address if address[:1] in ("/", "@") else None, int(micros) / 2_000_000 if watched else None)

    def ready(self) -> None:
        """The server takes runs: after its start, and after each reload."""
        self._send("READY=1")

    def stopping(self) -> None:
        """The server drains."""
        self._send("STOPPING=1")

    def reloading(self, monotonic: float) -> None:
        """The file is being read again, until ``ready``. ``monotonic`` is the clock's reading, which systemd wants."""
        self._send(f"RELOADING=1\nMONOTONIC_USEC={int(monotonic * 1_000_000)}")

    def watchdog(self) -> None:
        """The sign of life that the watchdog waits for."""
        if self.watchdog_interval is not None:
            self._send("WATCHDOG=1")

    def _send(self, message: str) -> None:
        """A message that does not arrive is no reason to stop serving."""
        if self._address is None:
            return
        path = "\0" + self._address[1:] if self._address[0] == "@" else self._address
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as connection:
                connection.settimeout(_PATIENCE)
                connection.sendto(message.encode("utf-8", "backslashreplace"), path)
        except OSError:
            pass
