"""What is offered, by hints, menu and palette, is what can be done with what is selected; a key says why it cannot."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from keyboard import press
from samples import NOW, put, run_to, serve, start

from jobrunner.admin import Admin
from jobrunner.domain.batch import Batch, BatchState
from jobrunner.domain.state import RunState
from jobrunner.store import Database, open_store
from jobrunner.tui import possible
from jobrunner.tui.actions.table import ACTIONS
from jobrunner.tui.selection import Selection
from jobrunner.tui.widgets.listing import Listing

pytestmark = pytest.mark.anyio

Dashboard = Callable[..., Any]
BY_STATE = ("retry", "cancel", "discard")


@pytest.fixture
def store(admin: Admin) -> Iterator[Database]:
    database = open_store(admin.settings.store)
    yield database
    database.close()


@pytest.fixture
def runs(store: Database) -> dict[str, int]:
    """A run that succeeded, a dead letter, one that runs, one that was cancelled: the newest last."""
    server = serve(store, "web1-main", started_at=NOW)
    found = {name: put(store, "backup") for name in ("succeeded", "failed", "running")}
    run_to(store, found["succeeded"], server, RunState.SUCCEEDED, at=NOW)
    run_to(store, found["failed"], server, RunState.FAILED, at=NOW)
    start(store, found["running"], server)
    return found


def hints(opened: Any) -> set[str]:
    """Ids of the hints that are meant for the view."""
    return {id for id, _, _ in opened.app.view.hinted()}


async def offered(opened: Any) -> set[str]:
    """Ids of the actions in the menu and in the palette, which have the same."""
    found = [{action.id for action, _ in opened.app.acting.available(opened.app.view.selection_for)}]
    for key, words in (("x", None), (":", "Commands")):
        await opened.press(key)
        dialog = await opened.until(lambda: opened.app.screen is not opened.app.view and opened.app.screen)
        assert words is None or words in opened.text()
        picks = dialog.query_one("PickList").picks
        found.append({pick.key.key.id for pick in picks if hasattr(pick.key.key, "selection")})
        await opened.press("escape")
        await opened.until(lambda: opened.app.screen is opened.app.view)
    first, menu, palette = found
    assert menu == first
    assert menu <= palette
    return menu


def said(opened: Any) -> str:
    return str(opened.text().splitlines()[-2])


async def on_run(opened: Any, run: int) -> None:
    opened.app.view.query_one(Listing).go_to(run)
    await opened.settled()


@pytest.mark.parametrize(
    ("name", "can", "pressed", "refusal"),
    [
        ("succeeded", set(), "X", "it has ended"),
        ("failed", {"retry", "discard"}, "X", "it has ended"),
        ("running", {"cancel"}, "t", "only what failed or was cancelled is retried"),
        ("running", {"cancel"}, "D", "it is no dead letter"),
    ],
)
async def test_a_run_is_offered_what_its_state_allows(
    dashboard: Dashboard, runs: dict[str, int], name: str, can: set[str], pressed: str, refusal: str
) -> None:
    async with dashboard(start="3") as opened:
        await opened.until(lambda: "succeeded" in opened.text())
        await on_run(opened, runs[name])
        assert hints(opened) & set(BY_STATE) == can
        assert await offered(opened) & set(BY_STATE) == can
        assert ("X Cancel" in opened.text()) == ("cancel" in can)
        await opened.press(pressed)
        assert f"run {runs[name]}: {refusal}" in said(opened)
        assert opened.app.screen is opened.app.view


async def test_of_several_it_is_enough_that_one_allows_it(dashboard: Dashboard, runs: dict[str, int]) -> None:
    async with dashboard(start="3") as opened:
        await opened.until(lambda: "succeeded" in opened.text())
        listing = opened.app.view.query_one(Listing)
        listing.mark([runs["succeeded"]])
        await opened.settled()
        assert hints(opened) & set(BY_STATE) == set()
        listing.mark([runs["succeeded"], runs["running"], runs["failed"]])
        await opened.settled()
        assert hints(opened) & set(BY_STATE) == set(BY_STATE)
        listing.mark([runs["succeeded"], 4711])
        await opened.settled()
        assert hints(opened) & set(BY_STATE) == set(BY_STATE), "of one it is not known how it stands"


async def test_the_view_of_a_run_offers_what_that_allows(dashboard: Dashboard, runs: dict[str, int]) -> None:
    async with dashboard(start="3") as opened:
        for name, can in (("succeeded", set()), ("failed", {"retry", "discard"}), ("running", {"cancel"})):
            opened.app.open_thing("run", runs[name])
            await opened.until(lambda: opened.app.view.number is None and opened.app.view.answered)
            await opened.settled()
            assert await offered(opened) & set(BY_STATE) == can


async def test_what_is_frozen_may_have_changed_and_the_store_decides(
    dashboard: Dashboard, runs: dict[str, int], admin: Admin
) -> None:
    async with dashboard(start="3") as opened:
        await opened.until(lambda: "succeeded" in opened.text())
        await on_run(opened, runs["failed"])
        await opened.press("P")
        await opened.until(lambda: "FROZEN" in opened.text())
        admin.retry(runs["failed"])
        await press(opened.pilot, "X")
        await opened.until(lambda: "This cannot be undone." in opened.text())
        await press(opened.pilot, "tab", "enter")
        await opened.until(lambda: f"run {runs['failed']} cancelled" in said(opened))


async def test_a_job_says_that_it_has_no_such_run(dashboard: Dashboard, store: Database) -> None:
    async with dashboard(start="2") as opened:
        await opened.until(lambda: "backup" in opened.text())
        await opened.press("t")
        assert "job backup has no failed run to retry" in said(opened)
        await opened.press("X")
        assert "job backup has no run under way to cancel" in said(opened)
        assert hints(opened) & set(BY_STATE) == set()


async def test_a_job_with_a_dead_letter_that_runs_again_has_both(dashboard: Dashboard, runs: dict[str, int]) -> None:
    async with dashboard(start="2") as opened:
        await opened.until(lambda: "fail" in opened.text())
        view = opened.app.view
        assert view.selection_for("retry").ids == (runs["failed"],)
        assert view.selection_for("cancel").ids == (runs["running"],)
        assert hints(opened) & set(BY_STATE) == {"retry", "cancel"}


async def test_a_batch_is_offered_what_its_members_allow(dashboard: Dashboard, admin: Admin, store: Database) -> None:
    admin.trigger_batch("report", [{"month": "1"}], texts=True)
    async with dashboard(start="4") as opened:
        await opened.until(lambda: "BATCHES (1)" in opened.text())
        await opened.press("tab", "tab")
        assert hints(opened) & set(BY_STATE) == {"cancel"}
        await opened.press("t")
        assert "batch b1: no run of it has failed" in said(opened)
        run_to(store, 1, serve(store, "one", started_at=NOW), RunState.FAILED, at=NOW)
        await opened.until(lambda: hints(opened) & set(BY_STATE) == {"retry"})
        await opened.press("X")
        assert "batch b1: all its runs have ended" in said(opened)


@pytest.mark.parametrize("state", list(RunState))
def test_what_can_be_done_by_state(state: RunState) -> None:
    can = possible.with_state(state)
    assert ("cancel" in can) is (not state.final)
    assert ("retry" in can) is (state in ("failed", "cancelled"))


def test_batches_by_what_their_members_became() -> None:
    running = Batch(id=1, name="b", state=BatchState.RUNNING, total=3, succeeded=1, failed=1, other=0, created_at=NOW)
    assert possible.with_batches([running]) == {"retry", "retry_canary", "cancel", "cancel_now"}
    assert possible.with_batches([running, None]) is None
    assert ACTIONS["retry"].applies(Selection("batch", (1,)))
    assert not ACTIONS["retry"].applies(Selection("batch", (1,), possible=frozenset()))
    assert ACTIONS["run_now"].applies(Selection("run", (1,), possible=frozenset()))


async def test_a_job_and_a_queue_are_resumed_enabled_and_disabled_where_that_changes_anything(
    dashboard: Dashboard, admin: Admin
) -> None:
    async def can(opened: Any) -> set[str]:
        return await offered(opened) & {"resume", "enable", "disable"}

    async with dashboard(start="2") as opened:
        await opened.until(lambda: "backup" in opened.text())
        await opened.settled()
        assert opened.app.view.selection().ids == ("backup",)
        assert await can(opened) == {"disable"}
        opened.app.acting.start("resume", opened.app.view.selection())
        await opened.until(lambda: "job backup: it is not paused" in said(opened))
        admin.pause("job", "backup", until=None, reason="")
        await opened.until(lambda: "resume" in (opened.app.view.selection().possible or ()))
        assert await can(opened) == {"disable", "resume"}
        await opened.press("4")
        assert await can(opened) == set()
        admin.pause("queue", "critical", until=None, reason="")
        await opened.until(lambda: "resume" in (opened.app.view.selection().possible or ()))
        assert await can(opened) == {"resume"}


async def test_a_menu_that_is_longer_than_the_screen_says_where_it_goes_on(dashboard: Dashboard) -> None:
    async with dashboard(start="2", size=(80, 24)) as opened:
        await opened.press("x")
        await opened.until(lambda: opened.app.screen is not opened.app.view)
        assert "↓" in opened.text()
        assert "↑" not in opened.text()
        await opened.press("G")
        assert "↑" in opened.text()
        assert "↓" not in opened.text()
