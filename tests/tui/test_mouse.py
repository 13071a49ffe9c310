"""The mouse: what is clicked does what its key does, the wheel scrolls what is under it, a double click opens."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from rich.cells import cell_len
from samples import NOW, end, put, run_to, serve, start, states
from textual import events

from jobrunner.admin import Admin
from jobrunner.domain.state import RunState
from jobrunner.store import Database, open_store, output
from jobrunner.store.output import Row, Segment
from jobrunner.tui.screens.batch import BatchView
from jobrunner.tui.screens.job import JobView
from jobrunner.tui.screens.run import TABS, RunView
from jobrunner.tui.widgets.details import Details
from jobrunner.tui.widgets.listing import Listing
from jobrunner.tui.widgets.output import Output

pytestmark = pytest.mark.anyio

Dashboard = Callable[..., Any]


@pytest.fixture
def store(admin: Admin) -> Iterator[Database]:
    database = open_store(admin.settings.store)
    yield database
    database.close()


@pytest.fixture
def runs(store: Database) -> list[int]:
    """Forty runs; the last one is a dead letter of backup, with output."""
    server = serve(store, "web1-main", started_at=NOW)
    found = [put(store, "report") for _ in range(39)]
    for run in found:
        run_to(store, run, server, RunState.SUCCEEDED, at=NOW)
    bad = put(store, "backup")
    begun = start(store, bad, server, NOW)
    said = b"".join(b"line %d\n" % number for number in range(200))
    row = Row(seq=0, start=0, segments=(Segment(0, NOW, len(said)),), data=said)
    output.write(store, bad, 1, server, [row], drop=None)
    end(store, begun, server, RunState.FAILED, at=NOW)
    return [*found, bad]


def place_of(opened: Any, text: str) -> tuple[int, int]:
    """Where a text begins on the screen."""
    for y, line in enumerate(opened.text().splitlines()):
        if text in line:
            return cell_len(line[: line.index(text)]), y
    raise AssertionError(f"no {text!r} on\n{opened.text()}")


async def click(opened: Any, text: str, *, times: int = 1) -> None:
    await opened.pilot.click(offset=place_of(opened, text), times=times)
    await opened.pilot.pause()


async def wheel(opened: Any, text: str, *, down: bool = True, notches: int = 3) -> None:
    x, y = place_of(opened, text)
    kind = events.MouseScrollDown if down else events.MouseScrollUp
    for _ in range(notches):
        await opened.pilot._post_mouse_events([kind], None, (x, y), button=0)
    await opened.pilot.pause()


async def test_a_line_of_the_palette_and_of_the_menu_is_picked(
    dashboard: Dashboard, runs: list[int], store: Database
) -> None:
    async with dashboard(start="3") as opened:
        await opened.until(lambda: "failed dead" in opened.text())
        await opened.press(":", *"go to")
        await opened.until(lambda: "Go to Servers" in opened.text())
        await click(opened, "Go to Servers")
        await opened.until(lambda: "[6 Servers]" in opened.text())
        await opened.press("3")
        await opened.until(lambda: "[3 Runs]" in opened.text())
        await opened.press("x")
        await opened.until(lambda: "Discard  run" in opened.text())
        await click(opened, "Discard  run")
        await opened.until(lambda: f"Discard run {runs[-1]} of backup?" in opened.text())
        await click(opened, "[ Cancel ]")
        await opened.until(lambda: opened.app.screen is opened.app.view)
        await opened.press("D")
        await opened.until(lambda: "[ Discard ]" in opened.text())
        await click(opened, "[ Discard ]")
        await opened.until(lambda: f"run {runs[-1]} discarded" in opened.text())


async def test_tabs_and_hints_are_as_their_keys(dashboard: Dashboard, runs: list[int], store: Database) -> None:
    async with dashboard(start="1") as opened:
        await click(opened, "3 Runs")
        await opened.until(lambda: "failed dead" in opened.text())
        await click(opened, "t Retry")
        await opened.until(lambda: f"Retry run {runs[-1]} of backup? y/N" in opened.text())
        await opened.press("y")
        await opened.until(lambda: states(store, runs[-1]) == ["queued"])


async def test_a_click_chooses_and_a_double_click_opens(dashboard: Dashboard, runs: list[int], admin: Admin) -> None:
    admin.trigger_batch("report", [{"month": "1"}], texts=True)
    async with dashboard(start="3") as opened:
        await opened.until(lambda: "failed dead" in opened.text())
        await click(opened, "failed dead")
        await opened.settled()
        assert opened.app.view.selection().ids == (runs[-1],)
        await click(opened, "failed dead", times=2)
        await opened.until(lambda: isinstance(opened.app.view, RunView))
        await opened.press("escape", "2")
        await opened.until(lambda: " backup " in opened.text())
        await click(opened, "backup", times=2)
        await opened.until(lambda: isinstance(opened.app.view, JobView))
        await opened.press("escape", "4")
        await opened.until(lambda: "BATCHES (1)" in opened.text())
        await click(opened, "▶ running  report", times=2)
        await opened.until(lambda: isinstance(opened.app.view, BatchView))
        await opened.press("escape", "5")
        await opened.until(lambda: "peak " in opened.text())
        await click(opened, "backup", times=2)
        await opened.until(lambda: isinstance(opened.app.view, JobView))


async def test_a_click_on_a_pane_gives_it_the_keys(dashboard: Dashboard, runs: list[int]) -> None:
    async with dashboard(start="4", size=(140, 40)) as opened:
        await opened.until(lambda: "Nothing is queued here." in opened.text())
        await click(opened, "Nothing is queued here.")
        assert opened.app.focused.id == "line"
        await click(opened, "critical")
        assert opened.app.focused.id == "queues"
        opened.app.open_thing("job", "backup")
        await opened.until(lambda: isinstance(opened.app.view, JobView) and "At 02:00" in opened.text())
        await opened.settled()
        await click(opened, "Tue 05 May")
        assert isinstance(opened.app.focused, Details)
        await click(opened, "failed")
        await click(opened, "manual")
        assert isinstance(opened.app.focused, Listing)


async def test_the_pages_of_a_run_are_turned_by_their_names(dashboard: Dashboard, runs: list[int]) -> None:
    async with dashboard(start="3") as opened:
        opened.app.open_thing("run", runs[-1])
        await opened.until(lambda: isinstance(opened.app.view, RunView) and "line 1" in opened.text())
        for place, name in enumerate(TABS):
            await click(opened, name)
            await opened.until(lambda place=place, name=name: f"[{place + 1} {name}]" in opened.text())


async def test_the_wheel_scrolls_what_is_under_it(dashboard: Dashboard, runs: list[int]) -> None:
    async with dashboard(start="3", size=(120, 20)) as opened:
        await opened.until(lambda: "failed dead" in opened.text())
        listing, told = opened.app.view.query_one(Listing), opened.app.view.query_one(Details)
        await opened.until(lambda: told.more_below)
        below = told.more_below
        await wheel(opened, "trigger ", notches=1)
        assert told.more_below < below
        assert listing.top == 0
        await wheel(opened, "failed dead")
        assert listing.top > 0
        opened.app.open_thing("run", runs[-1])
        await opened.until(lambda: isinstance(opened.app.view, RunView) and "line 19" in opened.text())
        await opened.settled()
        assert opened.app.view.query_one(Output)
        first = opened.text()
        await wheel(opened, "line 19", down=False, notches=6)
        await opened.until(lambda: opened.text() != first)


async def test_clicks_mark_states_and_columns(dashboard: Dashboard, runs: list[int]) -> None:
    async with dashboard(start="3") as opened:
        await opened.until(lambda: "failed dead" in opened.text())
        await opened.press("f")
        await opened.until(lambda: "By state" in opened.text())
        await click(opened, "[ ] failed")
        await opened.until(lambda: "[x] failed" in opened.text())
        await opened.press("enter")
        await opened.until(lambda: opened.app.view.filter_text == "state:failed")
        await opened.press("o")
        await opened.until(lambda: "[x] TRIGGER" in opened.text())
        await click(opened, "[x] TRIGGER")
        await opened.until(lambda: "[ ] TRIGGER" in opened.text())
        await opened.press("enter")
        await opened.until(lambda: "TRIGGER" not in opened.text())
