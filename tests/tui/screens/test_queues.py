"""The queues, the line of one, and batches: what is shown, what is selected, and where enter leads."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from samples import NOW, put, serve

from jobrunner.admin import Admin
from jobrunner.store import Database

pytestmark = pytest.mark.anyio

Dashboard = Callable[..., Any]


def queued(db: Database, job: str, seconds: float, **changes: Any) -> int:
    at = NOW - timedelta(seconds=seconds)
    return put(db, job, created_at=at, run_after=at, **changes)


async def test_without_anything_it_says_so(dashboard: Dashboard) -> None:
    async with dashboard(start="4") as opened:
        text = opened.text()
        assert "QUEUED IN critical (0)" in text
        assert "Nothing is queued here." in text
        assert "BATCHES" not in text
        assert opened.app.view.selection().kind == "queue"


async def test_the_fullest_queue_comes_first_with_its_line_in_order(dashboard: Dashboard, store: Database) -> None:
    serve(store, "web1-main", started_at=NOW, queues=("critical", "default", "low"))
    late = queued(store, "late", 300, queue="low")
    urgent = queued(store, "urgent", 20, queue="low", priority=5)
    queued(store, "other", 10)
    async with dashboard(start="4") as opened:
        await opened.until(lambda: "QUEUED IN low (2)" in opened.text())
        rows = [line for line in opened.text().splitlines() if "late" in line or "urgent" in line]
        assert ["urgent" in row for row in rows] == [True, False]
        assert "5m00s" in rows[1]
        await opened.press("tab")
        assert opened.app.view.selection()[:4] == ("run", (urgent,), False, ("urgent",))
        await opened.press("space")
        await opened.press("space")
        assert opened.app.view.selection().ids == (urgent, late)
        await opened.press("escape", "escape")
        await opened.until(lambda: not opened.app.view.query_one("#line").marked)


async def test_another_queue_under_the_cursor_shows_its_line(dashboard: Dashboard, store: Database) -> None:
    queued(store, "one", 10, queue="default")
    queued(store, "two", 10, queue="default")
    queued(store, "three", 10, queue="low")
    async with dashboard(start="4") as opened:
        await opened.until(lambda: "QUEUED IN default (2)" in opened.text())
        await opened.press("j")
        await opened.until(lambda: "QUEUED IN low (1)" in opened.text())
        assert "three" in opened.text()


async def test_a_paused_queue_says_so_and_who_did_it_beside_it(dashboard: Dashboard, admin: Admin) -> None:
    admin.pause("queue", "critical", until=None, reason="disk \x1b[7mfull\x1b[0m")
    async with dashboard(start="4", size=(140, 40)) as opened:
        await opened.until(lambda: "Paused by" in opened.text())
        assert "‖ paused" in opened.text()
        assert "disk \\x1b[7mfull" in opened.text()


async def test_batches_have_their_progress(dashboard: Dashboard, admin: Admin) -> None:
    batch = admin.trigger_batch("report", [{"month": "1"}, {"month": "2"}], texts=True)
    number = batch if isinstance(batch, int) else batch.id
    async with dashboard(start="4") as opened:
        await opened.until(lambda: "BATCHES (1)" in opened.text())
        assert "0/2" in opened.text()
        await opened.press("tab", "tab")
        assert opened.app.view.selection()[:4] == ("batch", (number,), False, ())


async def test_queues_and_batches_are_filtered_by_text_and_state(
    dashboard: Dashboard, admin: Admin, store: Database
) -> None:
    admin.trigger_batch("report", [{"month": "1"}], texts=True)
    admin.pause("queue", "low", until=None, reason="")
    queued(store, "waits", 10, queue="low")

    async with dashboard(start="4") as opened:

        def shown(id: str) -> list[str]:
            listing = opened.app.view.query_one(f"#{id}")
            return [getattr(row, "name", "") or f"b{row.batch.id}" for row in listing.seen] if listing.display else []

        await opened.until(lambda: "BATCHES (1)" in opened.text())
        everything = shown("queues")
        await opened.press("/", *"state:paused")
        await opened.until(lambda: shown("queues") == ["low"] and shown("batches") == [])
        assert "QUEUED IN low (1)" in opened.text()
        await opened.press("enter")
        assert "filter: state:paused" in opened.text()
        await opened.press("escape")
        await opened.until(lambda: shown("queues") == everything and shown("batches") == ["b1"])
        await opened.press("/", *"rep", "enter")
        await opened.until(lambda: shown("batches") == ["b1"] and "No queue matches the filter." in opened.text())
        await opened.press("f")
        await opened.until(lambda: "By state" in opened.text())
        await opened.press("enter")
        await opened.until(lambda: opened.app.view.filter_text == "state:open rep")
        await opened.press("/", *" stat")
        await opened.until(lambda: "tab: state:" in opened.text())
        await opened.press(*"e:nonsense")
        assert "no state 'nonsense'" in opened.text()
