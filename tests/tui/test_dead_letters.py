"""The way to the dead letters: a key, the header, the palette."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from keyboard import press
from samples import NOW, put, run_to, serve

from jobrunner.admin import Admin
from jobrunner.domain.filter_text import asks_for_dead, with_dead
from jobrunner.domain.state import RunState
from jobrunner.store import Database, open_store
from jobrunner.tui.screens.editor import JobEditor
from jobrunner.tui.screens.job import JobView
from jobrunner.tui.widgets.header import Header
from jobrunner.tui.widgets.listing import Listing

pytestmark = pytest.mark.anyio

Dashboard = Callable[..., Any]


@pytest.fixture
def store(admin: Admin) -> Iterator[Database]:
    database = open_store(admin.settings.store)
    yield database
    database.close()


@pytest.fixture
def runs(store: Database) -> tuple[int, int]:
    """A run that succeeded, and a dead letter of another job."""
    server = serve(store, "web1-main", started_at=NOW)
    good, bad = put(store, "report"), put(store, "backup")
    run_to(store, good, server, RunState.SUCCEEDED, at=NOW)
    run_to(store, bad, server, RunState.FAILED, at=NOW)
    return good, bad


def rows(opened: Any) -> list[int]:
    return [run.id for run in opened.app.view.query_one(Listing).seen]


async def test_the_key_turns_the_filter_on_and_off_and_leaves_the_rest_of_it(
    dashboard: Dashboard, runs: tuple[int, int]
) -> None:
    good, bad = runs
    async with dashboard(start="3") as opened:
        await opened.until(lambda: rows(opened) == [bad, good])
        assert "! Dead letters" in opened.text()
        await opened.press("!")
        await opened.until(lambda: rows(opened) == [bad])
        assert "filter: dead" in opened.text()
        await opened.press("!")
        await opened.until(lambda: rows(opened) == [bad, good])
        await opened.press("/", *"job:report", "enter", "!")
        await opened.until(lambda: "No run matches the filter." in opened.text())
        assert opened.app.view.filter_text == "dead job:report"
        await opened.press("!")
        await opened.until(lambda: rows(opened) == [good])
        assert opened.app.view.filter_text == "job:report"


async def test_from_elsewhere_the_key_leads_to_all_of_them(dashboard: Dashboard, runs: tuple[int, int]) -> None:
    async with dashboard(start="2") as opened:
        await opened.until(lambda: "backup" in opened.text())
        await opened.press("!")
        await opened.until(lambda: "[3 Runs]" in opened.text() and rows(opened) == [runs[1]])


async def test_of_a_job_it_shows_those_of_the_job(dashboard: Dashboard, runs: tuple[int, int]) -> None:
    async with dashboard(start="2") as opened:
        await opened.until(lambda: "backup" in opened.text())
        opened.app.open_thing("job", "report")
        await opened.until(lambda: isinstance(opened.app.view, JobView) and opened.app.view.answered)
        await opened.settled()
        await opened.press("!")
        await opened.until(lambda: "No run matches the filter." in opened.text())


async def test_a_click_on_the_number_in_the_header(dashboard: Dashboard, runs: tuple[int, int]) -> None:
    async with dashboard(start="6") as opened:
        await opened.until(lambda: "✗ 1 dead" in opened.text())
        line = opened.text().splitlines()[0]
        await opened.pilot.click(Header, offset=(line.index("running"), 0))
        await opened.settled()
        assert "[6 Servers]" in opened.text()
        await opened.pilot.click(Header, offset=(line.index("dead"), 0))
        await opened.until(lambda: "[3 Runs]" in opened.text() and rows(opened) == [runs[1]])


async def test_the_palette_has_them(dashboard: Dashboard, runs: tuple[int, int]) -> None:
    async with dashboard(start="4") as opened:
        await opened.press(":", *"dead le")
        await opened.until(lambda: "> Dead letters" in opened.text())
        await opened.press("enter")
        await opened.until(lambda: "[3 Runs]" in opened.text() and rows(opened) == [runs[1]])


async def test_an_edit_that_is_not_saved_is_not_left_without_a_word(
    dashboard: Dashboard, runs: tuple[int, int]
) -> None:
    async with dashboard(start="2") as opened:
        await opened.until(lambda: "backup" in opened.text())
        await opened.press("e")
        view = await opened.until(lambda: opened.app.view if isinstance(opened.app.view, JobEditor) else None)
        await opened.until(lambda: view.is_mounted and view.ready)
        await press(opened.pilot, "x")
        await opened.until(lambda: view.dirty)
        line = opened.text().splitlines()[0]
        await opened.pilot.click(Header, offset=(line.index("dead"), 0))
        await opened.until(lambda: opened.app.screen is not view)
        assert opened.app.view is view


@pytest.mark.parametrize(
    ("text", "without", "with_it"),
    [
        ("", "", "dead"),
        ("DEAD job:a", "job:a", "dead job:a"),
        ('"dead" !dead', '"dead" !dead', 'dead "dead" !dead'),
        ("/dead/", "/dead/", "dead /dead/"),
    ],
)
def test_dead_letters_in_a_filter(text: str, without: str, with_it: str) -> None:
    assert with_dead(text, wanted=False) == without
    assert with_dead(text, wanted=True) == with_it
    assert asks_for_dead(with_it)
    assert not asks_for_dead(without)
