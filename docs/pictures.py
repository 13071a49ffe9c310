"""Makes the pictures of the README with the real program: the dashboard on the demonstration as it works, and what
commands print in a pseudo-terminal, as SVG.

    python docs/pictures.py

It takes about a minute, and writes docs/pictures/*.svg.
"""

from __future__ import annotations

import asyncio
import io
import os
import pty
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import termios
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console
from rich.text import Text

from jobrunner import wiring
from jobrunner.domain.clock import SystemClock
from jobrunner.domain.state import Trigger
from jobrunner.presentation.screen import Screen
from jobrunner.tui import keys
from jobrunner.tui.app import Dashboard
from jobrunner.tui.look import Look
from jobrunner.tui.remembered import Remembered
from jobrunner.tui.setting import Setting

TOP = Path(__file__).parent.parent
PICTURES = TOP / "docs" / "pictures"
JOBRUNNER = (sys.executable, "-m", "jobrunner")
WIDTH = 116
FONTS = "Fira Code, DejaVu Sans Mono, Menlo, Consolas, monospace"
WARM_UP, CYCLE, MOMENT = 35, 30, 5
"""Seconds: how long the server works before the picture; in the demonstration's cycle, the moment of most movement."""

SIZE = (132, 34)
SCREENS = {
    "overview": ["1"],
    "jobs": ["2", "j", "j", "j"],
    "run": ["3", "/", *"job:site state:failed", "enter", "enter"],
    "schedule": ["escape", "5"],
    "editor": ["2", "/", *"nightly", "enter", "e", "down", "end", *["backspace"] * 7, *"fri"],
}
"""Of each picture the keys that lead there from the one before."""

COMMANDS = (
    "jobrunner jobs",
    "jobrunner runs --limit 16",
    "jobrunner trigger report -p month=2026-10 --wait",
    "jobrunner runs --dead",
)


def main() -> None:
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place, "shop")
        folder.mkdir()
        shutil.copy(TOP / "jobs.toml", folder)
        shutil.copytree(TOP / "examples", folder / "examples", ignore=shutil.ignore_patterns("__pycache__", "*.db*"))
        with _server(folder):
            _wait_for_a_good_moment()
            said = "".join(f"\x1b[1m$ {command}\x1b[0m\n{_said(command, folder)}\n" for command in COMMANDS)
            asyncio.run(_dashboard(folder))
    console = _console(WIDTH)
    console.print(Text.from_ansi(said.rstrip("\n")), no_wrap=True, overflow="crop", crop=True)
    _keep(console.export_svg(title="while jobrunner run works in another terminal", unique_id="commands"), "commands")


async def _dashboard(folder: Path) -> None:
    os.chdir(folder)
    admin = wiring.make_admin("jobs.toml", source=Trigger.MANUAL, warn=False)
    look = Look(Screen(terminal=True, width=SIZE[0], colour=True, unicode=True))
    setting = Setting(
        admin=admin,
        editor=lambda: wiring.open_editor("jobs.toml"),
        clock=SystemClock(),
        look=look,
        keys=keys.KEYS,
        host="web1",
        remembered=Remembered(None),
    )
    app = Dashboard(setting)
    async with app.run_test(size=SIZE) as pilot:
        for name, pressed in SCREENS.items():
            for key in pressed:
                await pilot.press(key)
                await pilot.pause(0.3)
            await pilot.pause(2.0)
            _keep(app.export_screenshot(title=f"jobrunner tui: {name}"), name)
    admin.close()


@contextmanager
def _server(folder: Path) -> Iterator[None]:
    process = subprocess.Popen([*JOBRUNNER, "run", "--name", "web1"], cwd=folder, stderr=subprocess.DEVNULL)
    try:
        yield
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait()


def _said(command: str, folder: Path) -> str:
    ours, theirs = pty.openpty()
    termios.tcsetwinsize(theirs, (50, WIDTH))
    environment = {name: value for name, value in os.environ.items() if name not in ("NO_COLOR", "COLUMNS")}
    environment |= {"TERM": "xterm-256color", "LANG": "C.UTF-8"}
    with subprocess.Popen(
        [*JOBRUNNER, *command.split()[1:]], cwd=folder, env=environment, stdout=theirs, stderr=theirs
    ):
        os.close(theirs)
        said = b"".join(_pieces(ours))
    os.close(ours)
    return said.decode().replace("\r\n", "\n")


def _pieces(terminal: int) -> Iterator[bytes]:
    while True:
        try:
            piece = os.read(terminal, 65536)
        except OSError:  # how a terminal says that nobody writes to it any more
            return
        if not piece:
            return
        yield piece


def _wait_for_a_good_moment() -> None:
    pause = threading.Event()
    pause.wait(WARM_UP)
    pause.wait((MOMENT - SystemClock().now().timestamp()) % CYCLE)


def _console(width: int) -> Console:
    return Console(record=True, width=width, file=io.StringIO(), force_terminal=True, color_system="truecolor")


def _keep(drawn: str, name: str) -> None:
    drawn = re.sub(r"@font-face \{.*?\}", "", drawn, flags=re.DOTALL)  # nothing is fetched to show it
    drawn = re.sub(r"font-family: Fira Code, monospace", f"font-family: {FONTS}", drawn)
    drawn = re.sub(r"terminal-\d+-", f"{name}-", drawn)  # another at each export
    PICTURES.mkdir(exist_ok=True)
    text = "\n".join(line.rstrip() for line in drawn.splitlines()) + "\n"
    (PICTURES / f"{name}.svg").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
