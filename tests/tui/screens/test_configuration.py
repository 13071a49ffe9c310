"""The configuration: the file, its faults, what is in force, and versions to go back to."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from project import Project

from jobrunner import jobfile
from jobrunner.admin import Admin
from jobrunner.domain.version import Applied, Origin
from jobrunner.store import Database, files
from jobrunner.store.files import File
from jobrunner.store.versions import Content

pytestmark = pytest.mark.anyio

Dashboard = Callable[..., Any]


def put_in_force(db: Database, where: Project, admin: Admin) -> None:
    """As a server does that loads the file."""
    whole = jobfile.read(where.file)
    contents = {name: Content(job.definition) for name, job in whole.jobs.items()}
    file = File(contents, dict.fromkeys(contents, 1))
    files.apply(db, 1, file, Applied("ana", "web1", "one", Origin.RELOAD), admin._context.clock.now())


async def test_a_valid_file_that_is_in_force_nowhere(dashboard: Dashboard) -> None:
    async with dashboard(start="7") as opened:
        await opened.until(lambda: "● valid" in opened.text())
        assert "2 jobs" in opened.text()
        assert "none runs: it is in force nowhere" in opened.text()
        assert "No server has loaded a file yet." in opened.text()


async def test_a_broken_file_says_what_is_wrong_and_where(dashboard: Dashboard, where: Project) -> None:
    where.write(where.file.read_text().replace('"0 2 * * *"', '"0 25 * * *"'))
    async with dashboard(start="7", size=(140, 24)) as opened:
        await opened.until(lambda: "✗ invalid" in opened.text())
        assert "there is no hour '25'" in opened.text()
        assert "Servers keep the last good one in force. Mend it: E" in opened.text()


async def test_settings_stand_beside_it(dashboard: Dashboard) -> None:
    async with dashboard(start="7", size=(140, 40)) as opened:
        await opened.until(lambda: "[jobrunner]" in opened.text())
        assert "durability" in opened.text()


async def test_a_version_is_gone_back_to(dashboard: Dashboard, where: Project, admin: Admin, store: Database) -> None:
    put_in_force(store, where, admin)
    before = where.file.read_text()
    where.write(before.replace('queue = "low"', 'queue = "critical"'))
    put_in_force(store, where, admin)
    async with dashboard(start="7") as opened:
        await opened.until(lambda: '"critical"' in opened.text())
        view = opened.app.view
        view.query_one("#versions").go_to(("backup", 1))
        await opened.settled()
        assert view.selection()[:4] == ("version", ("backup 1",), False, ())
        opened.app.acting.start("rollback", view.selection())
        await opened.until(lambda: "jobrunner rollback backup 1" in opened.text())
        await opened.press("tab", "enter")
        await opened.until(lambda: "job backup is back at version 1" in opened.text())
    assert where.file.read_text() == before
