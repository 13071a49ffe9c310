"""What every screen has: header, tabs, status, hints; what happens to them when the store goes, and on a resize."""

from __future__ import annotations

import gc
from collections.abc import Callable
from typing import Any

import pytest
from project import Project
from samples import serve

from jobrunner.admin import Admin
from jobrunner.store import open_store
from jobrunner.tui.places import VIEWS

pytestmark = pytest.mark.anyio

Dashboard = Callable[..., Any]


async def test_it_opens_and_shows_what_admin_says(dashboard: Dashboard, admin: Admin, where: Project) -> None:
    store = open_store(admin.settings.store)
    serve(store, "web1-main", started_at=admin._context.clock.now())
    store.close()
    async with dashboard(start="6", size=(110, 24)) as opened:
        await opened.press("6")
        await opened.until(lambda: "web1-main" in opened.text())
        assert "0/4 workers" in opened.text()
        assert "[6 Servers]" in opened.text()


async def test_without_a_store_values_stay_and_it_comes_back(dashboard: Dashboard, where: Project) -> None:
    database = where.folder / "jobrunner.db"
    async with dashboard() as opened:
        await opened.until(lambda: "live" in opened.text())
        database.rename(where.folder / "gone")
        await opened.until(lambda: "STALE since 12:00:00" in opened.text())
        (where.folder / "gone").rename(database)
        await opened.until(lambda: "live" in opened.text())


@pytest.mark.parametrize("start", ["1", "2"])
async def test_a_screen_that_was_never_shown_says_that_the_store_is_away(
    dashboard: Dashboard, where: Project, start: str
) -> None:
    others = [number for number in VIEWS if number != start] if start == "1" else ["1"]
    database = where.folder / "jobrunner.db"
    async with dashboard(start=start) as opened:
        await opened.until(lambda: "live" in opened.text())
        database.rename(where.folder / "gone")
        await opened.until(lambda: "STALE" in opened.text())
        assert "The store cannot be reached." not in opened.text(), "values that were shown stay"
        for number in others:
            await opened.press(number)
            await opened.until(lambda number=number: opened.app.view.number == number and is_away(opened))
            lines = [line.strip() for line in opened.text().splitlines()]
            assert 6 <= lines.index("The store cannot be reached.") <= 14
            assert "It is tried again." in lines
        (where.folder / "gone").rename(database)
        for number in reversed(others):
            await opened.press(number)
            await opened.until(lambda: "live" in opened.text() and not is_away(opened))
            assert opened.app.view.number == number
            assert opened.app.view.answered


def is_away(opened: Any) -> bool:
    return "The store cannot be reached." in opened.text()


async def test_a_thing_that_is_not_there_says_so_in_the_middle(dashboard: Dashboard) -> None:
    async with dashboard() as opened:
        opened.app.open_thing("run", 4711)
        await opened.until(lambda: opened.app.view.number is None and opened.app.view.up_to_date)
        await opened.until(
            lambda: any(line.strip().startswith("no run 4711") for line in opened.text().splitlines()[6:18])
        )


async def test_lines_go_in_order_when_there_is_no_room(dashboard: Dashboard) -> None:
    async with dashboard(start="6") as opened:
        assert "esc" not in opened.text().splitlines()[-1]
        assert "Help" in opened.text()
        await opened.pilot.resize_terminal(80, 17)
        await opened.settled()
        assert "Help" not in opened.text()
        assert "Servers" in opened.text()
        await opened.pilot.resize_terminal(39, 9)
        await opened.settled()
        assert opened.text().split() == [">0", ".0", "X0", "0/0", "no", "server", "live"]
        await opened.pilot.resize_terminal(80, 24)
        await opened.settled()
        assert "Help" in opened.text()


@pytest.mark.parametrize("dialog", [":", "x", "?"])
async def test_it_ends_from_a_dialog_too(dashboard: Dashboard, dialog: str) -> None:
    async with dashboard(start="2") as opened:
        await opened.until(lambda: "backup" in opened.text())
        await opened.press(dialog)
        await opened.until(lambda: opened.app.screen is not opened.app.view)
        await opened.pilot.press("ctrl+q")
        await opened.until(lambda: not opened.app.is_running)


async def test_q_ends_it(dashboard: Dashboard) -> None:
    async with dashboard() as opened:
        await opened.pilot.press("q")
        await opened.until(lambda: opened.app._exit)
        assert opened.app.return_code == 0


@pytest.mark.parametrize("number", VIEWS)
async def test_a_second_that_passes_while_a_view_is_being_made_does_not_matter(
    dashboard: Dashboard, number: str
) -> None:
    async with dashboard(start="1" if number != "1" else "2") as opened:
        opened.app.open_number(number)
        opened.app._tick()
        opened.app.action_times()
        await opened.settled()
        await opened.until(lambda: "times: local" in opened.text())
        assert opened.app.crash is None
        assert opened.app.view.number == number


async def test_garbage_is_collected_from_the_first_picture_on(dashboard: Dashboard) -> None:
    gc.disable()
    try:
        async with dashboard() as opened:
            await opened.until(gc.isenabled)
            assert gc.get_freeze_count() > 0
    finally:
        gc.enable()
        gc.unfreeze()
