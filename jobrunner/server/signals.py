"""Signals as words that the main thread takes one after another. Made by wiring, for the whole life of the process.

A server that starts over keeps them: a signal that arrives in between is not lost.
"""

from __future__ import annotations

import os
import select
import signal
from collections import deque
from types import FrameType

_HEARD = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
_WOKEN = 0


class Signals:
    """SIGTERM, SIGINT and SIGHUP from ``listen`` on; any thread may ``wake`` the one that waits."""

    def __init__(self) -> None:
        self._ears, self._mouth = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        self._words = deque[signal.Signals]()
        self._watched = False

    def listen(self) -> None:
        """From now on these signals end nothing by themselves. To be called in the main thread."""
        self._watched = _on_terminal()
        for number in _HEARD:
            signal.signal(number, self._hear)

    def wake(self) -> None:
        """Ends the wait that is under way, or else the next one."""
        self._speak(_WOKEN)

    def wait(self, seconds: float) -> signal.Signals | None:
        """The next signal; None when none has come in time, or when something else woke the waiting thread."""
        if not self._words:
            poller = select.poll()
            poller.register(self._ears, select.POLLIN)
            self._take(os.read(self._ears, 4096) if poller.poll(seconds * 1000) else b"")
        return self._words.popleft() if self._words else None

    def _take(self, words: bytes) -> None:
        for word in filter(None, words):
            # To read a file again a hundred times in a row is to read it once.
            if word != signal.SIGHUP or signal.SIGHUP not in self._words:
                self._words.append(signal.Signals(word))

    def _hear(self, number: int, frame: FrameType | None) -> None:
        # Whose terminal is closed gets SIGHUP, too, and would go on without anybody seeing it.
        closed = number == signal.SIGHUP and self._watched and not _on_terminal()
        self._speak(signal.SIGTERM if closed else number)

    def _speak(self, word: int) -> None:
        try:
            os.write(self._mouth, bytes([word]))
        except BlockingIOError:
            pass


def _on_terminal() -> bool:
    return os.isatty(2)
