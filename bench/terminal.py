"""A program in a terminal of its own: what it writes, and what is then on the screen. Used by ``tui`` and the tests.

One thread reads; so the program goes on only while something is awaited here.
"""

from __future__ import annotations

import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import termios
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pyte

CLEAN = ("\x1b[?1049l", "\x1b[?25h", "\x1b[?1003l", "\x1b[?2004l")
"""What must have been said last of its kind at the end: own screen left, cursor shown, no mouse, no paste."""

_PRIVATE = re.compile(rb"\x1b\[[<>=][0-9;:]*[ -/]*[@-~]|\x1b\[[?0-9;:]*[ -/]+[@-~]|\x1b[P_^].*?\x1b\\", re.DOTALL)
"""Sequences that ask or set what the emulator knows nothing of, and would print."""

_UNFINISHED = re.compile(rb"\x1b(\[[0-?]*[ -/]*|[P_^\]][^\x1b\x07]*)?\Z", re.DOTALL)


class Terminal:
    """A program in ``columns`` by ``lines``. ``written`` counts its bytes; ``read_at`` is when the last came."""

    def __init__(
        self,
        args: Sequence[str],
        folder: Path,
        environment: Mapping[str, str],
        *,
        columns: int = 80,
        lines: int = 24,
    ) -> None:
        self.screen = pyte.Screen(columns, lines)
        self.began = time.perf_counter()
        self.written = 0
        self.read_at = self.began
        self.all = bytearray()
        self._stream = pyte.ByteStream(self.screen)
        self._left = b""
        self._ours, theirs = pty.openpty()
        self._theirs = theirs  # kept, so that the state of the terminal can be seen when the program has ended
        self.resize(columns, lines)
        self.settings = termios.tcgetattr(theirs)
        self.process = subprocess.Popen(
            args,
            cwd=folder,
            env={**environment, "TERM": "xterm-256color"},
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            start_new_session=True,
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),
        )

    def resize(self, columns: int, lines: int) -> None:
        """Gives it another size; the program is told by the terminal."""
        fcntl.ioctl(self._ours, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))
        self.screen.resize(lines, columns)

    def send(self, keys: str) -> float:
        """Types; gives the instant."""
        now = time.perf_counter()
        os.write(self._ours, keys.encode())
        return now

    def text(self) -> str:
        """The screen, line by line."""
        return "\n".join(line.rstrip() for line in self.screen.display)

    def read(self, seconds: float) -> bool:
        """Takes what comes first within ``seconds``; whether anything did."""
        if not select.select([self._ours], [], [], max(seconds, 0))[0]:
            return False
        try:
            data = os.read(self._ours, 1 << 16)
        except OSError:
            return False
        self.read_at = time.perf_counter()
        self.written += len(data)
        self.all += data
        data = self._left + data
        unfinished = _UNFINISHED.search(data)
        self._left = data[unfinished.start() :] if unfinished else b""
        self._stream.feed(_PRIVATE.sub(b"", data[: len(data) - len(self._left)]))
        return True

    def until(self, found: Callable[[], Any], what: str, seconds: float = 30.0) -> float:
        """Reads until something is so; gives the instant at which the bytes came that made it so.

        Raises:
            AssertionError: it never was, or the program has ended; with the screen.
        """
        deadline = time.perf_counter() + seconds
        while not found():
            left = deadline - time.perf_counter()
            ended = self.process.poll() is not None
            if not self.read(min(left, 0.1)) and (ended or left <= 0):
                raise AssertionError(f"never came: {what}; the screen is\n{self.text()}")
        return self.read_at

    def shows(self, text: str, seconds: float = 30.0) -> float:
        """Reads until a text is on the screen."""
        return self.until(lambda: text in self.text(), repr(text), seconds)

    def rest(self, seconds: float) -> int:
        """Reads for so long; gives how many bytes came."""
        before, end = self.written, time.perf_counter() + seconds
        while (left := end - time.perf_counter()) > 0:
            self.read(left)
        return self.written - before

    def quiet(self, seconds: float = 0.2, most: float = 5.0) -> None:
        """Reads until nothing comes for so long; a program that never falls silent is read for ``most`` seconds."""
        end = time.perf_counter() + most
        while time.perf_counter() < end and self.read(seconds):
            pass

    def ended(self, seconds: float = 30.0) -> int:
        """Waits until the program has ended, and gives its status."""
        deadline = time.perf_counter() + seconds
        while self.process.poll() is None and time.perf_counter() < deadline:
            self.read(0.02)
        self.quiet(0.05)
        return self.process.wait(0.1)

    def restored(self) -> bool:
        """Whether the terminal is as it was before the program, which has ended."""
        said = self.all.decode("utf-8", "replace")
        left = all(said.rfind(off) > said.rfind(off[:-1] + ("h" if off[-1] == "l" else "l")) for off in CLEAN)
        keyboard = said.count("\x1b[>") - said.count("\x1b[>4") <= said.count("\x1b[<")
        return left and keyboard and termios.tcgetattr(self._theirs) == self.settings

    def close(self) -> None:
        """Ends the program, if it has not ended."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGKILL)
        self.process.wait(10)
        for descriptor in (self._ours, self._theirs):
            os.close(descriptor)
