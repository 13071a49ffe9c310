"""Decisions lately and why: of the one under the cursor, of a job at a time, of a run; and the keys that lead there."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from samples import NOW, put, run_to, serve

from jobrunner.admin import Admin
from jobrunner.domain.decision import Decision, Why
from jobrunner.domain.state import RunState
from jobrunner.store import Database, decisions, open_store
from jobrunner.tui.screens.decisions import Decisions
from jobrunner.tui.screens.why import WhyJob, WhyRun
from jobrunner.tui.widgets.listing import Listing

pytestmark = pytest.mark.anyio

Dashboard = Callable[..., Any]
NIGHT = NOW.replace(hour=2, minute=0, second=0, microsecond=0)


@pytest.fixture
def store(admin: Admin) -> Iterator[Database]:
    database = open_store(admin.settings.store)
    yield database
    database.close()


def decide(db: Database, job: str, days: float, why: Why, fires: int = 1, detail: str = "") -> None:
    at = NIGHT - timedelta(days=days)
    last = at + timedelta(hours=1) if fires > 1 else at
    decisions.write(db, Decision(job, at, last, fires, why, detail, NOW - timedelta(days=days)), 1, mark=None)


async def test_decisions_with_their_reasons(dashboard: Dashboard, store: Database) -> None:
    decide(store, "backup", 1, Why.MISSED, detail="no server ran")
    decide(store, "report", 2, Why.PAUSED, fires=7)
    async with dashboard() as opened:
        opened.app.open(Decisions())
        await opened.until(lambda: "2 decisions" in opened.text())
        text = opened.text()
        assert "! missed" in text
        assert "‖ paused" in text
        await opened.until(lambda: "To run it after all" in opened.text())
        assert opened.app.view.selection()[:4] == ("job", ("backup",), False, ())
        assert opened.app.view.command()[:3] == ["why", "backup", "--at"]
        opened.app.view.apply_filter("state:paused")
        await opened.settled()
        assert opened.app.view.selection().ids == ("report",)
        assert "filter: state:paused" in opened.text()
        opened.app.view.apply_filter("!paused since:36h")
        await opened.settled()
        assert opened.app.view.selection().ids == ("backup",)
        opened.app.view.apply_filter("job:x*")
        await opened.until(lambda: "No decision matches the filter." in opened.text())


async def test_why_stands_beside_in_a_wide_terminal(dashboard: Dashboard, store: Database) -> None:
    decide(store, "backup", 1, Why.MISSED, detail="no server ran")
    decide(store, "backup", 3, Why.BLACKOUT, detail="holiday")
    async with dashboard(size=(140, 40)) as opened:
        opened.app.open(Decisions("backup"))
        await opened.until(lambda: "missed" in opened.text().split("│", 1)[-1])
        assert opened.app.view.filter_text == "job:backup"
        assert not opened.app.view.query_one("#beneath").display
        await opened.press("j")
        await opened.until(lambda: "blackout" in "".join(opened.app.view.query_one("#beside").lines))


async def test_no_decisions(dashboard: Dashboard) -> None:
    async with dashboard(unicode=False) as opened:
        opened.app.open(Decisions())
        await opened.until(lambda: "Each fire of late has its run." in opened.text())
        assert opened.app.view.selection().kind is None
        assert opened.text().isascii()


async def test_why_of_a_job_from_fire_to_fire(dashboard: Dashboard, store: Database) -> None:
    decide(store, "backup", 0, Why.MISSED, detail="no server ran")
    async with dashboard() as opened:
        opened.app.open(WhyJob("backup"))
        await opened.until(lambda: "the fire after" in opened.text())
        await opened.press("left")
        assert "at 02:00" in opened.text()
        assert opened.app.view.status().startswith("missed")
        await opened.press("right")
        assert opened.app.view.status().startswith("coming")
        assert opened.app.view.command() == ["why", "backup", "--at", (NIGHT + timedelta(days=1)).isoformat()]
        await opened.press("0")
        assert opened.app.view.command() == ["why", "backup"]
        opened.app.view.apply_filter("tomorrow 03:00")
        await opened.until(lambda: "not due" in opened.app.view.status())


async def test_why_of_a_run(dashboard: Dashboard, store: Database) -> None:
    server = serve(store, "web1-main", started_at=NOW)
    number = put(store, "backup", created_at=NOW, run_after=NOW)
    run_to(store, number, server, RunState.FAILED, at=NOW)
    async with dashboard() as opened:
        opened.app.open(WhyRun(number))
        await opened.until(lambda: opened.app.view.status() == "failed")
        assert opened.app.view.selection()[:4] == ("run", (number,), False, ("backup",))
        assert f"run {number}" in opened.text()


async def test_keys_lead_there_and_back(dashboard: Dashboard, store: Database) -> None:
    decide(store, "backup", 1, Why.MISSED)
    async with dashboard(start="5") as opened:
        await opened.until(lambda: " backup " in opened.text())
        await opened.press("w")
        await opened.until(lambda: isinstance(opened.app.view, WhyJob))
        await opened.press("escape")
        await opened.until(lambda: opened.app.view.name_shown == "Schedule")
        await opened.press("d")
        await opened.until(lambda: isinstance(opened.app.view, Decisions) and opened.app.view.selection().ids)
        assert len(opened.app.view.query_one(Listing).seen) == 1
        await opened.press("enter")
        await opened.until(lambda: isinstance(opened.app.view, WhyJob) and opened.app.view.answered)
        assert opened.app.view.status().startswith("missed")
