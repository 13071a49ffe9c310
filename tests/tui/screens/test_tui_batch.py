"""A batch on a screen of its own: how far it is, its members with those that failed first, and what is done with it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from samples import NOW, end, new, put, run_to, serve, start, states

from jobrunner.admin import Admin
from jobrunner.domain.batch import BatchState
from jobrunner.domain.job import When
from jobrunner.domain.state import RunState
from jobrunner.presentation import batches
from jobrunner.store import Database
from jobrunner.store.runs import add
from jobrunner.tui.screens.batch import BatchView
from jobrunner.tui.screens.run import RunView
from jobrunner.tui.widgets.details import Details
from jobrunner.tui.widgets.listing import Listing

pytestmark = pytest.mark.anyio

Dashboard = Callable[..., Any]
MINUTES = timedelta(minutes=10)


def mails(db: Database, count: int = 6) -> tuple[int, list[int]]:
    """A batch of mails, begun ten minutes ago, with a continuation for either end: its number, and its members."""
    then = [new("summary"), new("alarm", when=When.FAILURE)]
    texts = [(f'{{"month":"2026-10","id":{number}}}', None) for number in range(count)]
    begun = NOW - MINUTES
    number, _ = add.add_batch(db, new("backup", created_at=begun), "mails", texts, then)
    rows = db.execute("SELECT id FROM runs WHERE batch_id = ? AND job = 'backup' ORDER BY id", (number,))
    return number, [run for (run,) in rows]


@pytest.fixture
def batch(store: Database) -> tuple[int, list[int]]:
    """One member succeeded, two failed, one runs, the others are queued."""
    number, members = mails(store)
    server = serve(store, "web1-main", started_at=NOW)
    for run, state in zip(members[:3], (RunState.SUCCEEDED, RunState.FAILED, RunState.FAILED), strict=True):
        run_to(store, run, server, state, at=NOW, error="no such address" if state is RunState.FAILED else None)
    start(store, members[3], server)
    return number, members


async def opened_at(opened: Any) -> BatchView:
    await opened.until(lambda: "BATCHES (1)" in opened.text())
    await opened.press("tab", "tab", "enter")
    await opened.until(lambda: isinstance(opened.app.view, BatchView) and opened.app.view.answered)
    await opened.settled()
    view = opened.app.view
    assert isinstance(view, BatchView)
    return view


def rows(opened: Any) -> list[int]:
    return [run.id for run in opened.app.view.query_one(Listing).seen]


async def test_enter_on_a_batch_shows_it_whole(dashboard: Dashboard, batch: tuple[int, list[int]]) -> None:
    number, members = batch
    async with dashboard(start="4") as opened:
        await opened_at(opened)
        text = opened.text()
        assert f"Queues › b{number} mails" in text
        assert "▶ running  ━" in text
        assert "50%  3 of 6" in text
        assert "✗ 2 failed   ▶ 1 running   ◌ 2 queued   ● 1 succeeded" in text
        assert "created 10m ago   pace 18 an hour   ends about in 10m" in text
        assert "then  run 7 summary  ◌ waiting  on success" in text
        assert "then  run 8 alarm  ◌ waiting  on failure" in text
        assert "all have  month=2026-10" in text
        assert "id=1" in text
        assert rows(opened) == [members[2], members[1], members[5], members[4], members[3], members[0]]
        assert opened.app.view.status() == "6 runs · failed first"
        await opened.press("escape")
        await opened.until(lambda: "[4 Queues]" in opened.text())


async def test_a_member_is_opened_and_found_by_the_grammar(dashboard: Dashboard, batch: tuple[int, list[int]]) -> None:
    _, members = batch
    async with dashboard(start="4") as opened:
        await opened_at(opened)
        await opened.press("/", *"state:queued", "enter")
        await opened.until(lambda: rows(opened) == [members[5], members[4]])
        assert "filter: state:queued" in opened.text()
        await opened.press("/", *"x", "backspace", "escape")
        await opened.press("escape")
        await opened.until(lambda: len(rows(opened)) == 6)
        await opened.press("/", *"!id", "enter")
        await opened.until(lambda: "No run of the batch matches the filter." in opened.text())
        await opened.press("escape")
        await opened.until(lambda: len(rows(opened)) == 6)
        await opened.press("enter")
        await opened.until(lambda: isinstance(opened.app.view, RunView))
        await opened.press("escape")
        await opened.until(lambda: isinstance(opened.app.view, BatchView))


async def test_it_is_retried_and_cancelled_as_a_whole_or_its_marked_runs(
    dashboard: Dashboard, store: Database, batch: tuple[int, list[int]]
) -> None:
    number, members = batch
    async with dashboard(start="4") as opened:
        await opened_at(opened)
        await opened.press("space", "t")
        await opened.until(lambda: f"Retry run {members[2]} of backup? y/N" in opened.text())
        await opened.press("y")
        await opened.until(lambda: states(store, members[2]) == ["queued"])
        await opened.press("escape")
        assert opened.app.view.selection().kind == "batch"
        await opened.press("t")
        await opened.until(lambda: f"Retry batch b{number}?" in opened.text())
        assert f"jobrunner retry b{number}" in opened.text()
        await opened.press("tab", "enter")
        await opened.until(lambda: f"batch b{number} retried" in opened.text())
        await opened.until(lambda: "failed" not in opened.text().split("RUNS")[0])
        assert states(store, *members[1:3]) == ["queued", "queued"]
        assert "t Retry" not in opened.text()
        await opened.press("X")
        await opened.until(lambda: f"Cancel batch b{number}?" in opened.text())
        await opened.press("tab", "enter")
        await opened.until(lambda: "⊘ 4 cancelled" in opened.text())


async def test_one_of_those_that_failed_goes_first(
    dashboard: Dashboard, store: Database, batch: tuple[int, list[int]]
) -> None:
    number, members = batch
    async with dashboard(start="4") as opened:
        await opened_at(opened)
        await opened.press("x")
        await opened.until(lambda: "Retry one first" in opened.text())
        await opened.press("escape")
        opened.app.acting.start("retry_canary", opened.app.view.selection_for("retry_canary"))
        await opened.until(lambda: f"jobrunner retry b{number} --canary" in opened.text())
        await opened.press("tab", "enter")
        await opened.until(lambda: "goes first" in opened.text())
        first, other = members[1:3]
        assert states(store, first, other) == ["queued", "failed"]
        run_to(store, first, serve(store, "other"), RunState.SUCCEEDED)
        await opened.until(lambda: states(store, other) == ["queued"])


async def test_beside_the_list_stands_the_member_under_the_cursor(
    dashboard: Dashboard, batch: tuple[int, list[int]]
) -> None:
    _, members = batch
    async with dashboard(start="4", size=(140, 40)) as opened:
        view = await opened_at(opened)
        told = view.query_one(Details)
        await opened.until(lambda: "no such address" in "\n".join(told.lines))
        await opened.press("G")
        await opened.until(lambda: f"{members[0]}" in "\n".join(told.lines) and "succeeded" in "\n".join(told.lines))


async def test_one_that_has_ended_says_how_long_it_took(dashboard: Dashboard, store: Database) -> None:
    number, members = mails(store, 2)
    server = serve(store, "web1-main", started_at=NOW)
    for run in members:
        end(store, start(store, run, server, NOW - MINUTES), server, at=NOW - MINUTES / 2)
    async with dashboard(start="4") as opened:
        await opened_at(opened)
        assert f"b{number} mails\n ● succeeded  ━" in opened.text()
        assert "created 10m ago   ended 5m ago   took 5m00s" in opened.text()


async def test_of_more_than_are_held_those_further_down_are_asked_for(dashboard: Dashboard, store: Database) -> None:
    number, members = mails(store, 450)
    run_to(store, members[0], serve(store, "web1-main", started_at=NOW), RunState.FAILED, at=NOW)
    async with dashboard() as opened:
        opened.app.open_thing("batch", number)
        await opened.until(lambda: isinstance(opened.app.view, BatchView) and opened.app.view.answered)
        await opened.settled()
        assert rows(opened)[0] == members[0]
        await opened.press("G")
        await opened.until(lambda: members[1] in rows(opened))
        await opened.press("g")
        await opened.until(lambda: rows(opened)[:2] == [members[0], members[-1]])


def test_the_facts_of_a_batch(admin: Admin, store: Database, batch: tuple[int, list[int]]) -> None:
    facts = admin.batch_facts(batch[0])
    assert facts.batch.state is BatchState.RUNNING
    assert dict(facts.counts) == {"queued": 2, "running": 1, "succeeded": 1, "failed": 2}
    assert facts.pace == pytest.approx(0.3)
    assert [link.step[1:] for link in facts.following] == [(7, When.SUCCESS), (8, When.FAILURE)]


def test_what_all_members_have_in_common(admin: Admin, store: Database) -> None:
    found = [admin.run(put(store, params=text)) for text in ('{"a":1,"b":2}', '{"a":1,"b":3,"c":4}', '{"a":1,"b":2}')]
    assert batches.in_common(found) == {"a": 1}
    assert batches.in_common(found[:1]) == {}
    assert batches.in_common([found[0], admin.run(put(store, params='{"a":true,"b":2}'))]) == {"b": 2}
