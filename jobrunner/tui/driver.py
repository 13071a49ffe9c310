"""The terminal: taken over and given back, whatever ends the dashboard. Given to the app by ``jobrunner tui``."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import threading
from collections.abc import Mapping

from textual.drivers.linux_driver import LinuxDriver

ENDING = (signal.SIGTERM, signal.SIGHUP, signal.SIGINT)
"""What ends the dashboard from outside; it ends with 128 and the number, as a shell has it."""

PATIENCE_SECONDS = 3.0
"""After this long the process ends though the dashboard has not: its terminal may be gone."""


class TerminalDriver(LinuxDriver):
    """Textual's, on standard output, which is what was asked whether it is a terminal, and with the signals handled."""

    def __init__(self, *args: object, **options: object) -> None:
        super().__init__(*args, **options)  # type: ignore[arg-type]
        assert sys.__stdout__
        self._file = self._out = sys.__stdout__

    def start_application_mode(self) -> None:
        loop = asyncio.get_running_loop()
        for number in ENDING:
            loop.add_signal_handler(number, self._end, number)
        super().start_application_mode()  # type: ignore[no-untyped-call]

    def stop_application_mode(self) -> None:
        super().stop_application_mode()
        loop = asyncio.get_running_loop()
        for number in ENDING:
            loop.remove_signal_handler(number)

    def _end(self, number: signal.Signals) -> None:
        status = 128 + number
        # Once the terminal is gone, what is written to it may wait for ever.
        guard = threading.Timer(PATIENCE_SECONDS, os._exit, [status])
        guard.daemon = True
        guard.start()
        self._app.exit(return_code=status)

    def _get_terminal_size(self) -> tuple[int, int]:
        """The terminal's own word comes before ``COLUMNS``, which a resize does not change."""
        try:
            columns, lines = os.get_terminal_size(self._out.fileno())
        except OSError:
            return super()._get_terminal_size()
        return (columns or 80, lines or 24)


def usable(environ: Mapping[str, str]) -> bool:
    """Whether standard input and output are a terminal that can show more than lines."""
    streams = (sys.stdin, sys.stdout)
    return all(stream.isatty() for stream in streams) and environ.get("TERM", "dumb") not in ("dumb", "")
