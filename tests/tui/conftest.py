"""A dashboard on a project, under Pilot: with a clock that stands still where a picture is taken."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import asynccontextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from keyboard import press
from project import Project
from samples import NOW
from textual.pilot import Pilot

from jobrunner import wiring
from jobrunner.admin import Admin
from jobrunner.domain.state import Trigger
from jobrunner.presentation.screen import Screen
from jobrunner.tui import keys
from jobrunner.tui.app import Dashboard
from jobrunner.tui.look import Look
from jobrunner.tui.remembered import Remembered
from jobrunner.tui.setting import Setting

JOBS = """
[jobrunner]
timezone = "UTC"

[jobs.backup]
command = "true"
schedule = "0 2 * * *"
queue = "low"

[jobs.report]
command = ["echo", "{month}"]
params.month = { required = true }
"""


class StoppedClock:
    """A clock that says what it is told; its monotonic time goes on with it."""

    def __init__(self, at: datetime = NOW) -> None:
        self.at = at

    def now(self) -> datetime:
        return self.at

    def monotonic(self) -> float:
        return self.at.timestamp()


class Opened:
    """A dashboard under Pilot, with what it stands on."""

    def __init__(self, app: Dashboard, pilot: Pilot[None], admin: Admin) -> None:
        self.app = app
        self.pilot = pilot
        self.admin = admin

    async def press(self, *pressed: str) -> None:
        """Presses keys, and waits until what they asked for is shown."""
        await press(self.pilot, *pressed)
        await self.settled()

    async def settled(self) -> None:
        """Waits until the view has been told the answer to its latest question, and everything is painted."""
        await self.until(lambda: self.app.view is not None and self.app.view.up_to_date)
        await self.pilot.pause()

    async def until(self, found: Callable[[], Any], tries: int = 600) -> Any:
        """Waits until something is so, and gives it."""
        for _ in range(tries):
            if value := found():
                return value
            await self.pilot.pause(0.01)
        raise AssertionError(f"never came; the screen is:\n{self.text()}")

    def text(self) -> str:
        """What is on the screen, line by line."""
        lines = self.app.screen._compositor.render_strips()
        return "\n".join("".join(segment.text for segment in strip).rstrip() for strip in lines)


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
def where(tmp_path: Path) -> Project:
    """A project with two jobs and no runs."""
    return Project(tmp_path, JOBS)


@pytest.fixture
def clock() -> StoppedClock:
    return StoppedClock()


@pytest.fixture
def admin(where: Project, clock: StoppedClock, sqlite_template: Path) -> Iterator[Admin]:
    """Its use cases, at NOW."""
    import shutil

    if not (where.folder / "jobrunner.db").exists():
        shutil.copy(sqlite_template, where.folder / "jobrunner.db")
    found = wiring.make_admin(str(where.file), source=Trigger.MANUAL, warn=False, clock=clock)
    yield found
    found.close()


@pytest.fixture
def dashboard(where: Project, admin: Admin, clock: StoppedClock, tmp_path: Path) -> Callable[..., Any]:
    """Opens the dashboard: ``async with dashboard(size=(80, 24)) as opened``; more as ``Setting`` has it."""

    @asynccontextmanager
    async def open(*, size: tuple[int, int] = (80, 24), colour: bool = True, unicode: bool = True, **changes: Any):  # type: ignore[no-untyped-def]
        screen = Screen(terminal=True, width=size[0], colour=colour, unicode=unicode)
        values: dict[str, Any] = {
            "admin": admin,
            "clock": clock,
            "look": Look(screen),
            "keys": keys.KEYS,
            "host": "web1",
            "editor": lambda: wiring.open_editor(str(where.file), clock=clock),
            "remembered": Remembered(None),
        }
        app = Dashboard(Setting(**(values | changes)))
        async with app.run_test(size=size) as pilot:
            opened = Opened(app, pilot, admin)
            await opened.settled()
            yield opened

    return open
