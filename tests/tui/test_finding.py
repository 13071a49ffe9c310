"""Finding: the line where a filter is typed, the states, and what a remark in the status line does."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from textual.app import ComposeResult

from jobrunner.domain.filter_text import RUNS
from jobrunner.presentation.table import Cell, Column
from jobrunner.tui.view import View
from jobrunner.tui.widgets.listing import Line, Listing

pytestmark = pytest.mark.anyio

Dashboard = Callable[..., Any]


class Found(View):
    """A view that takes any filter."""

    name_shown = "Found"
    filterable = True
    subject = RUNS
    states = ("failed", "running")
    remark_seconds = 0.05

    def body(self) -> ComposeResult:
        yield Listing([Column(title="NAME")], screen=self.terminal, id="found")

    def on_mount(self) -> None:
        self.query_one(Listing).show(["a", "b"], lambda row: Line(row, (Cell(row),)))

    def status(self) -> str:
        return f"filter: {self.filter_text}"


@pytest.fixture
def found(dashboard: Dashboard) -> Dashboard:
    from contextlib import asynccontextmanager

    @asynccontextmanager
    async def open(**options: Any) -> Any:
        async with dashboard(**options) as opened:
            opened.app.open(Found())
            await opened.until(lambda: isinstance(opened.app.screen, Found))
            await opened.settled()
            yield opened

    return open


@pytest.mark.parametrize("end", ["enter", "escape", "down"])
async def test_after_the_filter_the_keys_are_for_the_list_again(found: Dashboard, end: str) -> None:
    async with found() as opened:
        assert opened.app.view.focused.id == "found"
        await opened.press("slash", *"abc")
        assert opened.app.view.filter_text == "abc"
        await opened.press(end)
        await opened.until(lambda: opened.app.view.focused is not None and opened.app.view.focused.id == "found")
        assert opened.app.view.filter_text == ("" if end == "escape" else "abc")


async def test_each_remark_goes_away(found: Dashboard) -> None:
    async with found() as opened:
        for number in range(3):
            opened.app.say(f"remark {number}")
            await opened.until(lambda number=number: f"remark {number}" in opened.text())
            await opened.until(lambda: "remark" not in opened.text())


async def test_states_are_chosen_changed_and_taken_away(found: Dashboard) -> None:
    async with found() as opened:
        view = opened.app.view
        view.apply_filter('!state:failed "two words"')
        await opened.press("f", "space", "down", "space", "enter")
        await opened.until(lambda: view.filter_text == 'state:failed,running !state:failed "two words"')
        await opened.press("f", "space", "enter")
        await opened.until(lambda: view.filter_text == 'state:running !state:failed "two words"')
        await opened.press("f", "down", "space", "enter")
        await opened.until(lambda: view.filter_text == '!state:failed "two words"')
        await opened.press("f", "enter")
        await opened.until(lambda: view.filter_text == 'state:failed !state:failed "two words"')


async def test_a_filter_is_built_field_by_field_and_applied_meanwhile(found: Dashboard) -> None:
    async with found() as opened:
        view = opened.app.view
        view.apply_filter("!state:failed state:running,queued dead dur:>60s")
        view.do("build_filter")
        await opened.until(lambda: "Filter runs" in opened.text())
        await opened.press("down", *"etl*")
        assert view.filter_text == "state:running,queued job:etl* dur:>60s !state:failed dead"
        assert f"/{view.filter_text}" in opened.text()
        await opened.press("up", "end", *",nonsense")
        assert "no state 'nonsense'" in opened.text()
        assert "nonsense" not in view.filter_text
        await opened.press(*["backspace"] * 9, "enter")
        await opened.until(lambda: "Filter runs" not in opened.text())
        assert view.filter_text == "state:running,queued job:etl* dur:>60s !state:failed dead"


async def test_a_filter_that_is_given_up_is_as_before(found: Dashboard) -> None:
    async with found() as opened:
        view = opened.app.view
        view.apply_filter("job:etl")
        view.do("build_filter")
        await opened.until(lambda: "Filter runs" in opened.text())
        await opened.press(*"failed")
        assert view.filter_text == "state:failed job:etl"
        await opened.press("escape")
        await opened.until(lambda: "Filter runs" not in opened.text())
        assert view.filter_text == "job:etl"


async def test_the_builder_is_offered_where_there_is_a_grammar(found: Dashboard) -> None:
    async with found() as opened:
        assert "build_filter" in opened.app.view.offered()
        await opened.press("1")
        await opened.until(lambda: opened.app.view.number == "1")
        assert "build_filter" not in opened.app.view.offered()


async def test_a_filter_that_cannot_be_read_leaves_the_one_that_is_on(dashboard: Dashboard) -> None:
    async with dashboard(start="2") as opened:
        await opened.press("/", *"back")
        await opened.until(lambda: "filter: back" in opened.text())
        await opened.press(*" state:zzz")
        await opened.settled()
        assert "state:zzz" not in opened.app.view.status()
        assert opened.app.view.filter_text.startswith("back")
