"""The servers with what they run, what happened, and who did what."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from samples import NOW, put, run_to, serve, start

from jobrunner.admin import Admin
from jobrunner.domain.state import RunState
from jobrunner.store import Database

pytestmark = pytest.mark.anyio

Dashboard = Callable[..., Any]


async def test_without_a_server_it_says_how_to_start_one(dashboard: Dashboard) -> None:
    async with dashboard(start="6") as opened:
        assert "No server has run." in opened.text()
        assert "jobrunner run starts one." in opened.text()


async def test_servers_say_what_they_run_and_which_differ(dashboard: Dashboard, store: Database) -> None:
    one = serve(store, "one", started_at=NOW)
    serve(store, "two", started_at=NOW)
    serve(store, "three", started_at=NOW, config_hash="other")
    start(store, put(store, "report"), one, NOW)
    async with dashboard(start="6", size=(120, 24)) as opened:
        lines = opened.text().splitlines()
        (first,) = [line for line in lines if line[3:].startswith("one ")]
        assert "report" in first
        (third,) = [line for line in lines if line[3:].startswith("three ")]
        assert "differs" in third
        assert "the servers have different configurations" in opened.text()
        assert opened.app.view.selection()[:4] == ("server", ("one",), False, ())


async def test_what_happened_is_filtered_and_leads_to_its_subject(
    dashboard: Dashboard, store: Database, admin: Admin
) -> None:
    server = serve(store, "one", started_at=NOW)
    run = put(store, "backup")
    run_to(store, run, server, RunState.FAILED, at=NOW)
    admin.pause("job", "report", until=None, reason="audit")
    async with dashboard(start="6") as opened:
        assert f"run {run} of backup failed" in opened.text()
        assert "pause job report" in opened.text()
        await opened.press("/", *"audit", "enter")
        await opened.until(lambda: f"run {run} of backup failed" not in opened.text())
        assert "filter: audit" in opened.text()
        opened.app.view.query_one("#events").focus()
        await opened.settled()
        assert opened.app.view.selection()[:4] == ("job", ("report",), False, ())


async def test_the_audit_has_what_people_did_and_nothing_else(
    dashboard: Dashboard, store: Database, admin: Admin
) -> None:
    run_to(store, put(store, "backup"), serve(store, "one", started_at=NOW), RunState.FAILED, at=NOW)
    admin.pause("job", "report", until=None, reason="")
    async with dashboard(start="6") as opened:
        await opened.press("s", "down", "enter")
        await opened.until(lambda: "WHO DID WHAT" in opened.text() and "failed" not in opened.text())
        assert "pause job report" in opened.text()


async def test_what_happened_is_filtered_by_the_shared_grammar(
    dashboard: Dashboard, store: Database, admin: Admin
) -> None:
    server = serve(store, "one", started_at=NOW)
    run = put(store, "backup")
    run_to(store, run, server, RunState.FAILED, at=NOW)
    admin.pause("job", "report", until=None, reason="")
    admin.discard(run)

    async with dashboard(start="6") as opened:

        def words() -> list[str]:
            return [event.words for event in opened.app.view.query_one("#events").seen]

        await opened.until(lambda: len(words()) == 4)
        await opened.press("/", *"job:backup")
        await opened.until(lambda: sorted(words()) == [f"discard run {run}", f"run {run} of backup failed"])
        await opened.press(*" !state:failed", "enter")
        await opened.until(lambda: words() == [f"discard run {run}"])
        await opened.press("s", "down", "enter")
        await opened.until(lambda: "WHO DID WHAT" in opened.text() and words() == [f"discard run {run}"])
        await opened.press("escape")
        await opened.until(lambda: words() == [f"discard run {run}", "pause job report"])
        await opened.press("/", *"job:rep")
        await opened.until(lambda: "tab: job:report" in opened.text())
        await opened.press("tab", "enter")
        await opened.until(lambda: words() == ["pause job report"])
        await opened.press("/", *"nothing", "enter")
        await opened.until(lambda: "matches the filter." in opened.text())
        await opened.press("/", *" exit:3")
        assert "exit: does not apply to events" in opened.text()
