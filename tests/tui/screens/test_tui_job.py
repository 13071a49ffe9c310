"""The screen of one job: how it stands, its runs, what is said of it; and what an action there is meant for."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from project import Project
from samples import NOW, end, put, run_to, serve, start

from jobrunner.admin import Admin
from jobrunner.domain.decision import Decision, Why
from jobrunner.domain.state import RunState
from jobrunner.domain.version import Applied, Origin
from jobrunner.store import Database, decisions, open_store, versions
from jobrunner.store.versions import Content
from jobrunner.tui.screens.job import JobView
from jobrunner.tui.widgets.details import Details
from jobrunner.tui.widgets.listing import Listing

pytestmark = pytest.mark.anyio

Dashboard = Callable[..., Any]

FILE = """
[jobrunner]
timezone = "Europe/Berlin"

[jobs.bills]
command = ["send", "{month}", "[bold]"]
schedule = "30 2 * * *"
description = "Bills of last month"
tags = ["billing"]
timeout = "10m"
params.month = { default = "may" }
env = { PASSWORD = "hunter2" }

[jobs.later]
command = "true"
after = ["bills"]
"""


@pytest.fixture
def where(tmp_path: Path) -> Project:
    return Project(tmp_path, FILE)


@pytest.fixture
def store(admin: Admin) -> Iterator[Database]:
    database = open_store(admin.settings.store)
    yield database
    database.close()


def ended(db: Database, server: int, state: RunState, seconds: float, took: float = 4) -> int:
    at = NOW - timedelta(seconds=seconds)
    run_id = put(db, "bills", created_at=at, run_after=at)
    end(db, start(db, run_id, server, at), server, state, at=at + timedelta(seconds=took), error="exit code 3")
    return run_id


async def opened_at(opened: Any, job: str = "bills") -> JobView:
    opened.app.open_thing("job", job)
    await opened.until(lambda: isinstance(opened.app.view, JobView) and opened.app.view.answered)
    await opened.settled()
    view = opened.app.view
    assert isinstance(view, JobView)
    return view


def told(view: JobView) -> str:
    return "\n".join(view.query_one(Details).lines)


async def test_runs_with_a_plot_and_what_stands_out(dashboard: Dashboard, store: Database) -> None:
    server = serve(store, "web1-main", started_at=NOW)
    for number in range(12):
        ended(store, server, RunState.SUCCEEDED, 9000 - number * 100, took=10 + number)
    dead = ended(store, server, RunState.FAILED, 600, took=60)
    async with dashboard(start="2") as opened:
        view = await opened_at(opened)
        text = opened.text()
        assert "Jobs › bills" in text
        assert f"✗ fail   run {dead} is a dead letter: jobrunner retry {dead}" in text
        assert "At 02:30   next in 12 h" in text
        assert "p95" in text
        assert "p50" in text
        assert "█" in text
        assert "✗ failed  dead" in text
        assert "exit code 3" in text
        assert view.status() == "13 runs"
        assert len(view.query_one(Listing).seen) > 5


async def test_what_is_said_of_it(dashboard: Dashboard, store: Database, admin: Admin) -> None:
    definition = admin.definition("bills").definition
    before = definition.replace('"10m"', '"9m"')
    by = Applied("ana", "web1", "web1-main", Origin.START)
    versions.apply(store, {"bills": Content(before)}, by, NOW - timedelta(days=2))
    versions.apply(store, {"bills": Content(definition)}, by, NOW - timedelta(days=1))
    missed = NOW - timedelta(hours=9, minutes=30)
    decisions.write(store, Decision("bills", missed, missed, 1, Why.MISSED, "too late", NOW), 1, mark=None)
    async with dashboard(start="2", size=(140, 40)) as opened:
        view = await opened_at(opened)
        await opened.until(lambda: "later" in told(view))
        text = told(view)
        assert "Bills of last month" in text
        assert "it has never run" in text
        assert "30 2 * * *  Europe/Berlin" in text
        assert text.count("02:30 +0200") == 5
        assert "1 fire missed: too late" in text
        assert 'timeout: "9m" → "10m"' in text
        assert "[jobs.bills]" in text
        assert 'command = ["send", "{month}", "[bold]"]' in text
        assert 'params.month = { default = "may"' in text
        assert "hunter2" not in text
        assert "It has never run." in opened.text()


async def test_a_fire_behind_a_change_of_the_clock_is_marked(dashboard: Dashboard, clock: Any, store: Database) -> None:
    clock.at = datetime(2026, 10, 24, 12, tzinfo=UTC)
    async with dashboard(start="2", size=(140, 40)) as opened:
        view = await opened_at(opened)
        assert "Sun 25 Oct 02:30 +0200" in told(view)
        assert " ".join(told(view).split()).count("clocks go back 60 min") == 1
        lines = [line for line in told(view).splitlines() if "+0" in line]
        assert "+0100" in lines[-1]


async def test_in_a_narrow_terminal_tab_turns_to_what_is_said(dashboard: Dashboard, store: Database) -> None:
    run = ended(store, serve(store, "web1-main", started_at=NOW), RunState.SUCCEEDED, 60)
    async with dashboard(start="2") as opened:
        view = await opened_at(opened)
        assert "DEFINITION" not in opened.text()
        assert view.selection()[:4] == ("run", (run,), False, ("bills",))
        await opened.press("tab")
        assert "Bills of last month" in opened.text()
        assert "TRIGGER" not in opened.text()
        assert view.selection()[:4] == ("job", ("bills",), False, ())
        await opened.press("tab")
        assert "TRIGGER" in opened.text()
        await opened.pilot.resize_terminal(140, 40)
        await opened.until(lambda: "TRIGGER" in opened.text() and "Bills of last month" in opened.text())
        await opened.press("escape")
        await opened.until(lambda: opened.app.view.number == "2")


async def test_what_an_action_is_meant_for(dashboard: Dashboard, store: Database) -> None:
    server = serve(store, "web1-main", started_at=NOW)
    runs = [ended(store, server, RunState.FAILED, seconds) for seconds in (300, 200, 100)]
    async with dashboard(start="2") as opened:
        view = await opened_at(opened)
        assert view.selection_for("pause")[:4] == ("job", ("bills",), False, ())
        assert view.selection_for("run_now").kind == "job"
        assert view.selection_for("retry")[:4] == ("run", (runs[-1],), False, ("bills",))
        await opened.press("space", "space")
        assert view.selection_for("retry").ids == (runs[2], runs[1])
        assert "2 marked" in view.status()
        await opened.press("escape")
        assert not view.query_one(Listing).marked


async def test_runs_are_filtered(dashboard: Dashboard, store: Database) -> None:
    server = serve(store, "web1-main", started_at=NOW)
    ended(store, server, RunState.FAILED, 300)
    ended(store, server, RunState.SUCCEEDED, 200)
    async with dashboard(start="2") as opened:
        view = await opened_at(opened)
        await opened.press("/", *"state:failed", "enter")
        await opened.until(lambda: len(view.query_one(Listing).seen) == 1)
        assert view.status() == "1 run · filter: state:failed"
        await opened.press("/", *" exit:9", "enter")
        await opened.until(lambda: "No run matches" in opened.text())


async def test_a_long_history_is_read_in_stretches(dashboard: Dashboard, store: Database) -> None:
    first = put(store, "bills")
    for _ in range(799):
        last = put(store, "bills")
    async with dashboard(start="2") as opened:
        view = await opened_at(opened)
        listing = view.query_one(Listing)
        assert listing.cursor_key == last
        assert view.status() == "200+ runs"
        await opened.press("G")
        await opened.until(lambda: listing.cursor_key == first)
        assert view.selection_for("retry").ids == (first,)
        for _ in range(3):
            listing.action_move(-190)
            await opened.settled()
        assert listing.cursor_key > first + 300
        await opened.press("g")
        await opened.until(lambda: listing.cursor_key == last)
        for _ in range(4):
            listing.action_move(190)
            await opened.settled()
        assert listing.cursor_key < last - 400
        assert len(listing._window.rows) <= 600


async def test_a_job_that_is_not_there(dashboard: Dashboard, store: Database) -> None:
    async with dashboard(start="2") as opened:
        opened.app.open_thing("job", "bill")
        await opened.until(lambda: "no job 'bill'" in opened.text())
        await opened.press("escape")
        await opened.until(lambda: opened.app.view.number == "2")


async def test_ascii(dashboard: Dashboard, store: Database) -> None:
    server = serve(store, "web1-main", started_at=NOW)
    for seconds in (300, 200, 100):
        ended(store, server, RunState.SUCCEEDED, seconds)
    async with dashboard(start="2", unicode=False, colour=False, size=(140, 40)) as opened:
        await opened_at(opened)
        assert "* succeeded" in opened.text()
        assert opened.text().isascii()


async def test_the_name_is_said_once_above_a_job_and_a_run(dashboard: Dashboard, store: Database) -> None:
    server = serve(store, "web1-main", started_at=NOW)
    run = put(store, "bills")
    run_to(store, run, server, RunState.FAILED, at=NOW)
    async with dashboard() as opened:
        for kind, id in (("job", "bills"), ("run", run)):
            opened.app.open_thing(kind, id)
            await opened.until(lambda: opened.app.view.number is None and opened.app.view.answered)
            await opened.settled()
            head = "\n".join(opened.text().splitlines()[1:4])
            assert head.count("bills") == 1
            assert "✗ fail" in head
