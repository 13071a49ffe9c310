"""The terminal: taken over and given back, whatever ends the dashboard. Given to the app by ``jobrunner tui``."""

from __future__ import annotations

import asyncio
import os
import select
import signal
import sys
import threading
from collections.abc import Callable, Mapping

from textual.drivers.linux_driver import LinuxDriver

ENDING = (signal.SIGTERM, signal.SIGHUP, signal.SIGINT)
"""What ends the dashboard from outside; it ends with 128 and the number, as a shell has it."""

PATIENCE_SECONDS = 3.0
"""After this long the process ends though the dashboard has not: its terminal may be gone."""


_LOOK_SECONDS = 0.5
"""How often it is looked whether the terminal is still there: a hang-up wakes who waits for it at once."""


class Hangup:
    """Waits in a thread for a terminal to go away: not every one that does sends SIGHUP, and a read says no more than
    that there is nothing to read."""

    def __init__(self, descriptor: int, gone: Callable[[], None]) -> None:
        self._descriptor = descriptor
        self._gone = gone
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._wait, name="jobrunner-hangup", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Waits no longer; the thread ends by itself."""
        self._over.set()

    def _wait(self) -> None:
        watched = select.poll()
        watched.register(self._descriptor, 0)  # no event but those that cannot be left out: error, hang-up, closed
        while not self._over.is_set():
            if watched.poll(_LOOK_SECONDS * 1_000):
                if not self._over.is_set():
                    self._gone()
                return


class TerminalDriver(LinuxDriver):
    """Textual's, on standard output, which is what was asked whether it is a terminal, and with the signals handled."""

    def __init__(self, *args: object, **options: object) -> None:
        super().__init__(*args, **options)  # type: ignore[arg-type]
        assert sys.__stdout__
        self._file = self._out = sys.__stdout__
        self._hangup: Hangup | None = None

    def start_application_mode(self) -> None:
        loop = asyncio.get_running_loop()
        for number in ENDING:
            loop.add_signal_handler(number, self._end, number)
        super().start_application_mode()  # type: ignore[no-untyped-call]

        def gone() -> None:
            loop.call_soon_threadsafe(self._end, signal.SIGHUP)

        self._hangup = Hangup(self._out.fileno(), gone)
        self._hangup.start()

    def stop_application_mode(self) -> None:
        if self._hangup is not None:
            self._hangup.stop()
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
