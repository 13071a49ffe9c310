"""The overview: exceptions with their reasons, what runs, how the day went, what comes; and where enter leads."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from samples import NOW, put, run_to, serve, start

from jobrunner.domain.run import Progress
from jobrunner.domain.state import RunState
from jobrunner.store import Database
from jobrunner.store.runs import finish
from jobrunner.tui.screens.overview import Overview
from jobrunner.tui.widgets.listing import Listing

pytestmark = pytest.mark.anyio

Dashboard = Callable[..., Any]


def failed(db: Database, server: int, job: str, seconds: float) -> int:
    at = NOW - timedelta(seconds=seconds)
    run_id = put(db, job, created_at=at, run_after=at)
    run_to(db, run_id, server, RunState.FAILED, at=at)
    return run_id


async def test_nothing_yet(dashboard: Dashboard) -> None:
    async with dashboard(start="1") as opened:
        await opened.until(lambda: "NEXT" in opened.text() and "backup" in opened.text())
        text = opened.text()
        assert "no server runs" in text
        assert "Nothing runs." in text
        assert "02:00 backup" in text
        assert opened.app.view.selection().kind is None


async def test_exceptions_what_runs_and_the_day(dashboard: Dashboard, store: Database) -> None:
    server = serve(store, "web1-main", started_at=NOW)
    one = failed(store, server, "report", 60)
    for seconds in (400, 300):
        failed(store, server, "backup", seconds)
    run_to(store, put(store, "other", created_at=NOW - timedelta(seconds=90)), server, RunState.SUCCEEDED, at=NOW)
    going = put(store, "report", created_at=NOW - timedelta(seconds=50), run_after=NOW - timedelta(seconds=50))
    begun = start(store, going, server, NOW - timedelta(seconds=40))
    finish.report_progress(store, begun.id, begun.attempt, server, Progress(done=3, total=4, message="page 3"))
    async with dashboard(start="1") as opened:
        text = opened.text()
        assert "RUNS 24h  4  success 25.00%" in text
        assert "✗ 3 failed" in text
        assert "NEEDS ATTENTION (2)" in text
        (row,) = [line for line in text.splitlines() if "backup" in line and "failed" in line]
        assert "2 failed, the last" in row
        assert "5 m ago" in row
        assert "75%" in text
        assert "in 13 s" in text
        view = opened.app.view
        assert view.selection()[:4] == ("run", (one,), False, ("report",))
        assert view.status() == "2 need attention · 1 running"
        await opened.press("tab")
        assert opened.app.focused.id == "running"
        assert view.selection().ids == (going,)


async def test_exceptions_do_not_wait_for_the_statistics_of_the_day(
    dashboard: Dashboard, store: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    failed(store, serve(store, "web1-main", started_at=NOW), "report", 60)
    show, seen = Overview.show, list[Any]()

    def noted(view: Overview, answer: Any) -> None:
        seen.append(answer)
        show(view, answer)

    monkeypatch.setattr(Overview, "show", noted)
    async with dashboard(start="1") as opened:
        first, *_, last = seen
        assert (first.needs.total, first.day) == (1, None)
        assert last.day.failed == 1
        assert "RUNS 24h  1" in opened.text()


async def test_what_is_under_the_cursor_is_told_beside_it(dashboard: Dashboard, store: Database) -> None:
    server = serve(store, "web1-main", started_at=NOW)
    failed(store, server, "report", 60)
    failed(store, server, "backup", 90)
    async with dashboard(start="1", size=(140, 40)) as opened:
        await opened.until(lambda: "jobrunner retry" in opened.text())
        first = opened.text()
        await opened.press("j")
        await opened.until(lambda: opened.text() != first)
        assert opened.app.view.selection().jobs == ("backup",)


@pytest.mark.parametrize(("height", "shown"), [(40, 12), (24, 10), (18, 4)])
async def test_exceptions_get_the_room_that_they_need(
    dashboard: Dashboard, store: Database, height: int, shown: int
) -> None:
    server = serve(store, "web1-main", started_at=NOW)
    for number in range(12):
        failed(store, server, f"job{number}", 60 + number)
    for number in range(5):
        start(store, put(store, f"at-work{number}"), server, NOW)
    async with dashboard(start="1", size=(80, height)) as opened:
        attention, running = opened.app.view.query(Listing)
        assert attention.size.height == shown
        assert running.size.height >= 4
        assert "NEXT" in opened.text()
        await opened.pilot.resize_terminal(80, 30)
        await opened.settled()
        assert attention.size.height == 12
