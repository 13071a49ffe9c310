"""Going from view to view, and what a person may set everywhere: times, freezing, order, columns, kept filters."""

from __future__ import annotations

import base64
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from project import Project
from samples import NOW, put, run_to, serve
from textual import events

from jobrunner.admin import Admin
from jobrunner.domain.state import RunState
from jobrunner.store import open_store
from jobrunner.tui import editor
from jobrunner.tui.remembered import Remembered
from jobrunner.tui.selection import NOTHING, Selection
from jobrunner.tui.view import View

pytestmark = pytest.mark.anyio

Dashboard = Callable[..., Any]
WITH_OTHER_NAME = '[jobs.saved]\ncommand = "true"\n'


class Other(View):
    """A view that was reached from another one."""

    name_shown = "Other"

    def __init__(self, selection: Selection = NOTHING) -> None:
        super().__init__()
        self._selection = selection

    def selection(self) -> Selection:
        return self._selection


async def shown(opened: Any, view: View) -> None:
    opened.app.open(view)
    await opened.until(lambda: opened.app.screen is view)
    await opened.settled()


async def test_it_goes_through_the_views_seen_and_back_to_where_one_came_from(dashboard: Dashboard) -> None:
    async with dashboard(start="2") as opened:
        app, other = opened.app, Other()
        await opened.press("3")
        await shown(opened, other)
        await opened.press("left_square_bracket")
        assert app.view.number == "3"
        await opened.press("left_square_bracket", "left_square_bracket")
        assert app.view.number == "2"
        await opened.press("right_square_bracket", "right_square_bracket", "right_square_bracket")
        assert app.view is other
        await opened.press("escape")
        assert app.view.number == "3"
        await opened.press("escape")
        assert app.view.number == "3"


async def test_views_that_no_way_leads_to_are_closed(dashboard: Dashboard, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("jobrunner.tui.history.MOST_VIEWS", 4)
    async with dashboard(start="3") as opened:
        first = Other()
        await shown(opened, first)
        for number in "3232":
            await opened.press(number)
        await opened.until(lambda: not first.is_attached)
        assert len([one for one in opened.app._installed_screens.values() if isinstance(one, Other)]) == 0
        for _ in range(5):
            await opened.press("left_square_bracket")
        assert opened.app.view.number in ("2", "3")


async def test_times_are_relative_local_or_utc(dashboard: Dashboard) -> None:
    async with dashboard(start="3") as opened:
        for words in ("local", "UTC", "relative"):
            await opened.press("z")
            assert f"times: {words}" in opened.text()


async def test_frozen_nothing_new_is_shown_until_it_goes_on(dashboard: Dashboard, admin: Admin) -> None:
    async with dashboard(start="3", size=(110, 24)) as opened:
        await opened.press("P")
        assert "FROZEN" in opened.text()
        store = open_store(admin.settings.store)
        now = admin._context.clock.now()
        put(store, "backup", created_at=now - timedelta(seconds=5), run_after=now)
        store.close()
        await opened.press("z")
        assert "scheduled" not in opened.text()
        await opened.press("P")
        await opened.until(lambda: "scheduled" in opened.text())
        assert "FROZEN" not in opened.text()


async def test_it_is_calm_while_nobody_looks(dashboard: Dashboard) -> None:
    async with dashboard(start="3") as opened:
        opened.app.post_message(events.AppBlur())
        await opened.until(lambda: opened.app.reader._calm)
        opened.app.post_message(events.AppFocus())
        await opened.until(lambda: not opened.app.reader._calm)


async def test_what_is_copied_reaches_the_terminals_clipboard(dashboard: Dashboard) -> None:
    async with dashboard(start="3", config="my jobs.toml") as opened:
        sent = list[str]()
        opened.app._driver.write = sent.append
        opened.app.view.apply_filter("state:failed")
        await opened.press("Y")
        line = "jobrunner -c 'my jobs.toml' runs state:failed"
        assert f"\x1b]52;c;{base64.b64encode(line.encode()).decode()}\a" in sent
        assert "copied the command" in opened.text()


async def test_order_columns_and_filters_are_kept_for_the_next_time(dashboard: Dashboard, tmp_path: Path) -> None:
    path = tmp_path / "tui.json"
    async with dashboard(start="2", remembered=Remembered(path)) as opened:
        view = opened.app.view
        usual, other, *_ = view.orders
        assert view.order == usual
        await opened.press("s", "down", "enter")
        await opened.until(lambda: view.order == other)
        await opened.press("o", "down", "space", "enter")
        await opened.until(lambda: view.hidden == {view.all_columns[1]})
        view.apply_filter("job:back*")
        await opened.press("F")
        assert "kept for the palette" in opened.text()
    async with dashboard(remembered=Remembered(path)) as opened:
        view = opened.app.view
        assert (view.number, view.order, view.hidden) == ("2", other, {view.all_columns[1]})
        await opened.press("colon", *"filter: job", "enter")
        await opened.until(lambda: view.filter_text == "job:back*")
        await opened.press("F")
        assert "no longer kept" in opened.text()
    assert Remembered(path).get("filters", ["none"]) == []


async def test_the_menu_offers_what_can_be_done_here_and_does_it(dashboard: Dashboard, admin: Admin) -> None:
    async with dashboard(start="3") as opened:
        await shown(opened, Other(Selection("job", ("backup",))))
        await opened.press("x")
        await opened.until(lambda: "Run now" in opened.text())
        assert "jobrunner trigger backup" in opened.text()
        await opened.press("enter")
        await opened.until(lambda: "run 1 of backup is created" in opened.text())


async def test_read_only_offers_nothing_that_changes_anything(dashboard: Dashboard) -> None:
    async with dashboard(start="3", read_only=True) as opened:
        await shown(opened, Other(Selection("job", ("backup",))))
        await opened.press("x")
        assert "Run now" not in opened.text()
        await opened.press("escape", "r", "E")
        assert "refused: the dashboard was opened with --read-only" in opened.text()


@pytest.mark.parametrize(
    ("selection", "said"),
    [
        (Selection("job", ("gone",)), 'there is no job "gone"'),
        (Selection("job", ("backup",)), "this terminal cannot be given to an editor"),
        (Selection("job", ("backup", "report")), editor.WHAT),
        (Selection("queue", ("low",)), editor.WHAT),
        (Selection("run", (77,)), "77"),
        (Selection("run", (77,), jobs=("gone",)), "gone"),
        (Selection("file"), "this terminal cannot be given to an editor"),
    ],
)
async def test_what_cannot_be_edited_is_said(dashboard: Dashboard, selection: Selection, said: str) -> None:
    async with dashboard(start="6", size=(140, 24)) as opened:
        await shown(opened, Other(selection))
        await opened.press("E")
        await opened.until(lambda: said in opened.text().splitlines()[-2])
        assert ("edit" in opened.app.view.offered()) == (said != editor.WHAT)


async def test_an_edit_that_gave_a_job_another_name_is_taken_back(dashboard: Dashboard, where: Project) -> None:
    before = where.file.read_text()
    async with dashboard(start="6") as opened:
        setting = opened.app.setting
        held = editor.held(setting, "backup")
        assert editor.undo_since(setting, held, "backup") is None
        where.write(WITH_OTHER_NAME)
        undo = editor.undo_since(setting, held, "backup")
        opened.app.acting.remember(undo)
        await opened.press("u")
        await opened.until(lambda: "undone: edit of job backup" in opened.text())
        assert where.file.read_text() == before


async def test_what_somebody_else_wrote_since_is_not_overwritten(dashboard: Dashboard, where: Project) -> None:
    async with dashboard(start="6", size=(140, 24)) as opened:
        setting = opened.app.setting
        held = editor.held(setting, None)
        where.write(WITH_OTHER_NAME)
        opened.app.acting.remember(editor.undo_since(setting, held, None))
        where.write(WITH_OTHER_NAME + "# theirs\n")
        await opened.press("u")
        await opened.until(lambda: "not undone" in opened.text())
        assert where.file.read_text() == WITH_OTHER_NAME + "# theirs\n"


async def test_the_menu_of_a_job_offers_what_its_keys_do_with_its_run(dashboard: Dashboard, admin: Admin) -> None:
    store = open_store(admin.settings.store)
    at = NOW - timedelta(seconds=50)
    run = put(store, "backup", created_at=at, run_after=at)
    run_to(store, run, serve(store, "web1-main"), RunState.FAILED, at=at)
    store.close()
    async with dashboard(start="2", size=(120, 40)) as opened:
        await opened.until(lambda: opened.app.view.selection_for("retry").ids == (run,))
        await opened.press("x")
        await opened.until(lambda: "ctrl+y copies" in opened.text())
        assert f"Retry  run {run}" in opened.text()
        assert "Cancel  run" not in opened.text()
        assert "Pause  job backup" in opened.text()
