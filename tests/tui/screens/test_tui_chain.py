"""What a run follows and what follows it, and the key that leads there."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from samples import new, put, run_to, serve

from jobrunner.admin import Admin
from jobrunner.domain.job import When
from jobrunner.store import Database, open_store
from jobrunner.store.runs import add
from jobrunner.tui.screens.chain import ChainView
from jobrunner.tui.screens.run import RunView

pytestmark = pytest.mark.anyio

Dashboard = Callable[..., Any]


@pytest.fixture
def store(admin: Admin) -> Iterator[Database]:
    database = open_store(admin.settings.store)
    yield database
    database.close()


async def test_the_way_through_runs_and_batches(dashboard: Dashboard, store: Database) -> None:
    server = serve(store)
    extract = put(store, "extract")
    run_to(store, extract, server)
    load = put(store, "load", parents=(extract,))
    batch, _ = add.add_batch(store, new("mail", parents=(load,)), "mails", [("{}", None)] * 3, [new("summary")])
    alarm = put(store, "alarm", parents=(load,), when=When.FAILURE)
    async with dashboard() as opened:
        opened.app.open_thing("run", load)
        await opened.settled()
        await opened.press("v")
        await opened.until(lambda: isinstance(opened.app.view, ChainView) and "1 before, 3 after" in opened.text())
        lines = [line for line in opened.text().splitlines() if "└" in line or " extract" in line or "load " in line]
        told = [" ".join(line.replace("▌", "").split()) for line in lines if "›" not in line]
        assert told[0].startswith(f"{extract} extract ● succeeded -")
        assert told[1].startswith(f"▶ {load} load ◌ queued success")
        assert told[2].startswith(f"└ {alarm} alarm ◌ waiting failure")
        assert told[3].startswith(f"└ batch b{batch} mails (0 of 3)")
        assert "summary" in told[4]
        assert "success" in told[4]
        assert opened.app.view.selection()[:4] == ("run", (load,), False, ("load",))
        await opened.press("k", "enter")
        await opened.until(lambda: isinstance(opened.app.view, RunView) and "extract" in opened.text())
        await opened.press("escape")
        assert isinstance(opened.app.view, ChainView)
        await opened.press("G")
        assert opened.app.view.selection().jobs == ("summary",)
        await opened.press("k", "k")
        assert opened.app.view.selection().kind in ("run", "batch")


async def test_a_run_that_stands_alone(dashboard: Dashboard, store: Database) -> None:
    run = put(store, "backup")
    async with dashboard() as opened:
        opened.app.open(ChainView(run))
        await opened.until(lambda: "It follows no run, and none follows it." in opened.text())
        assert opened.app.view.selection()[:4] == ("run", (run,), False, ())


async def test_the_key_is_offered_where_there_is_one_run(dashboard: Dashboard, store: Database) -> None:
    put(store, "backup")
    async with dashboard(start="3") as opened:
        await opened.settled()
        assert opened.app.view.has_key("chain")
        await opened.press("2")
        assert not opened.app.view.has_key("chain")
