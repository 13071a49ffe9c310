"""The screen of jobs: its orders, filter, marks and details, and which runs an action on a job is meant for."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from project import Project
from rich.cells import cell_len
from samples import NOW, end, put, serve, start

from jobrunner.admin import Admin
from jobrunner.domain.state import RunState
from jobrunner.store import Database, open_store
from jobrunner.tui.widgets.details import Details
from jobrunner.tui.widgets.listing import Listing

pytestmark = pytest.mark.anyio

Dashboard = Callable[..., Any]

FEW = """
[jobrunner]
timezone = "Europe/Berlin"

[jobs.alpha]
command = "true"
schedule = "30 2 * * *"
description = "Bills of last month"
tags = ["billing", "nightly"]

[jobs.beta]
command = "true"
schedule = "*/5 * * * *"
queue = "low"

[jobs.gamma]
command = "true"

[jobs.delta]
command = "true"
schedule = "@hourly"
enabled = false
"""


def many(count: int) -> str:
    return "".join(f'[jobs.job-{number:05}]\ncommand = "true"\n' for number in range(count))


@pytest.fixture
def where(tmp_path: Path, request: pytest.FixtureRequest) -> Project:
    return Project(tmp_path, getattr(request, "param", FEW))


@pytest.fixture
def store(admin: Admin) -> Iterator[Database]:
    database = open_store(admin.settings.store)
    yield database
    database.close()


def ended(db: Database, server: int, job: str, state: RunState, seconds: float) -> int:
    at = NOW - timedelta(seconds=seconds)
    run_id = put(db, job, created_at=at, run_after=at)
    end(db, start(db, run_id, server, at), server, state, at=at + timedelta(seconds=4))
    return run_id


def busy(db: Database) -> dict[str, int]:
    """alpha has succeeded and has a dead letter, beta runs."""
    server = serve(db, "web1-main", started_at=NOW)
    good = ended(db, server, "alpha", RunState.SUCCEEDED, 7200)
    dead = ended(db, server, "alpha", RunState.FAILED, 600)
    working = put(db, "beta", created_at=NOW - timedelta(seconds=90), run_after=NOW - timedelta(seconds=90))
    start(db, working, server, NOW - timedelta(seconds=60))
    return {"good": good, "dead": dead, "working": working}


def names(opened: Any) -> list[str]:
    return [row.name for row in opened.app.view.query_one(Listing).seen]


async def shown(opened: Any) -> str:
    """The screen once the file has been read and its lines are written."""
    view = opened.app.view
    await opened.until(lambda: view.answered and not view._seen.board.reading)
    await opened.until(lambda: all(name in view._rows for name in names(opened)))
    await opened.settled()
    return str(opened.text())


def row_of(text: str, name: str) -> list[str]:
    return next(line.split() for line in text.splitlines() if name in line)


async def test_jobs_stand_in_the_order_of_attention(dashboard: Dashboard, store: Database) -> None:
    busy(store)
    async with dashboard(start="2") as opened:
        text = await shown(opened)
        assert names(opened) == ["alpha", "beta", "gamma", "delta"]
        titles = next(line for line in text.splitlines() if "SCHEDULE" in line)
        assert titles.split() == ["ST", "NAME", "SCHEDULE", "NEXT", "LAST", "DUR", "RUNS", "OK%"]
        alpha = row_of(text, "alpha")
        assert alpha[1:4] == ["✗", "fail", "alpha"]
        assert "10m ago" in " ".join(alpha)
        assert alpha[-2:] == ["●✗", "50%"]
        assert "▶ run   beta" in text
        assert row_of(text, "gamma")[-1] == "-"
        assert "○ off   delta" in text
        assert opened.app.view.status() == "4 jobs · by attention"


async def test_another_order_is_chosen_turned_round_and_kept(dashboard: Dashboard, store: Database) -> None:
    busy(store)
    async with dashboard(start="2") as opened:
        await shown(opened)
        await opened.press("s")
        await opened.press("down", "enter")
        await opened.until(lambda: names(opened) == ["alpha", "beta", "delta", "gamma"])
        assert "NAME ▴" in opened.text()
        await opened.press("s")
        await opened.press("down", "enter")
        await opened.until(lambda: names(opened) == ["gamma", "delta", "beta", "alpha"])
        assert opened.app.view.status() == "4 jobs · by name reversed"
        listing = opened.app.view.query_one(Listing)
        last = opened.text().splitlines()[2].index("LAST")
        await opened.pilot.click(listing, offset=(last, 0))
        await opened.until(lambda: names(opened)[0] == "beta")
        assert opened.app.view.order == "last"


async def test_the_cursor_stays_on_its_job_when_another_goes_before_it(dashboard: Dashboard, store: Database) -> None:
    server = serve(store, "web1-main", started_at=NOW)
    async with dashboard(start="2") as opened:
        await shown(opened)
        first = opened.app.view.selection()
        assert first.ids == ("alpha",)
        ended(store, server, "gamma", RunState.FAILED, 60)
        await opened.until(lambda: names(opened)[0] == "gamma")
        assert opened.app.view.selection()[:4] == first[:4]


async def test_a_filter_shows_what_matches_and_says_so(dashboard: Dashboard, store: Database) -> None:
    busy(store)
    async with dashboard(start="2") as opened:
        await shown(opened)
        await opened.press("/", *"tag:bi")
        assert opened.app.view.completions("tag:bi") == ["tag:billing "]
        await opened.press("tab")
        await opened.until(lambda: names(opened) == ["alpha"])
        await opened.press("enter")
        assert opened.app.view.status().startswith("1 of 4 jobs · by attention · filter: tag:billing")
        await opened.press("escape")
        await opened.until(lambda: len(names(opened)) == 4)
        await opened.press("/", *"stat:x")
        assert "did you mean state:" in opened.text()


async def test_nothing_that_matches_says_how_to_go_on(dashboard: Dashboard) -> None:
    async with dashboard(start="2") as opened:
        await shown(opened)
        await opened.press("/", *"zzz", "enter")
        await opened.until(lambda: "No job matches" in opened.text())
        assert "esc takes it away" in opened.text()


@pytest.mark.parametrize("where", [""], indirect=True)
async def test_a_file_without_jobs(dashboard: Dashboard) -> None:
    async with dashboard(start="2") as opened:
        await opened.until(lambda: "No job is in the file yet" in opened.text())
        assert opened.app.view.selection().kind is None


@pytest.mark.parametrize("where", ["[jobs.one]\ncommand = 1\n"], indirect=True)
async def test_a_file_that_cannot_be_used(dashboard: Dashboard) -> None:
    async with dashboard(start="2") as opened:
        await opened.until(lambda: "The file cannot be used" in opened.text())
        assert "command" in opened.app.view.status()


async def test_what_an_action_on_jobs_is_meant_for(dashboard: Dashboard, store: Database) -> None:
    ids = busy(store)
    async with dashboard(start="2") as opened:
        await shown(opened)
        view = opened.app.view
        assert view.selection()[:3] == ("job", ("alpha",), False)
        assert view.selection_for("retry")[:4] == ("run", (ids["dead"],), False, ("alpha",))
        assert view.selection_for("output").ids == (ids["dead"],)
        assert view.selection_for("cancel").ids == ()
        await opened.press("j")
        assert view.selection_for("retry").ids == ()
        assert view.selection_for("output").ids == (ids["working"],)
        await opened.press("k")
        await opened.press("space", "space")
        assert view.selection()[:3] == ("job", ("alpha", "beta"), True)
        assert view.selection_for("cancel")[:4] == ("run", (ids["working"],), True, ("beta",))
        assert "2 marked" in view.status()
        await opened.press("escape")
        assert view.selection()[:3] == ("job", ("gamma",), False)


async def test_wide_one_job_is_told_beside_the_list(dashboard: Dashboard, store: Database) -> None:
    ids = busy(store)
    async with dashboard(start="2", size=(140, 40)) as opened:
        await opened.until(lambda: "30 2 * * *" in "\n".join(opened.app.view.query_one(Details).lines))
        told = "\n".join(opened.app.view.query_one(Details).lines)
        assert f"run {ids['dead']} is a dead letter" in told
        assert "Bills of last month" in told
        assert "At 02:30" in told
        assert "+0200" in told
        assert "TAGS" in opened.text()
        await opened.press("j")
        await opened.until(lambda: "Every 5 minutes" in "\n".join(opened.app.view.query_one(Details).lines))


@pytest.mark.parametrize("where", [many(500)], indirect=True)
async def test_details_of_what_is_scrolled_to_are_asked_for(dashboard: Dashboard, store: Database) -> None:
    server = serve(store, "web1-main", started_at=NOW)
    ended(store, server, "job-00300", RunState.SUCCEEDED, 60)
    async with dashboard(start="2") as opened:
        await shown(opened)
        view = opened.app.view
        assert view.status() == "500 jobs · by attention"
        assert len(view._rows) < 120
        view.query_one(Listing).go_to("job-00300")
        await opened.until(lambda: "1m ago" in opened.text())
        await opened.press("G")
        await opened.until(lambda: "job-00499" in view._rows)


async def test_ascii_and_no_colour(dashboard: Dashboard, store: Database) -> None:
    busy(store)
    async with dashboard(start="2", unicode=False, colour=False, size=(140, 40)) as opened:
        text = await shown(opened)
        assert "X fail  alpha" in text
        assert "*X" in text
        await opened.until(lambda: "At 02:30" in opened.text())
        assert opened.text().isascii()


async def test_columns_are_hidden_and_a_narrow_screen_keeps_the_name(dashboard: Dashboard, store: Database) -> None:
    busy(store)
    async with dashboard(start="2", size=(50, 20)) as opened:
        text = await shown(opened)
        assert "alpha" in text
        assert "OK%" not in text
        await opened.pilot.resize_terminal(140, 40)
        await opened.until(lambda: "billing nightly" in opened.text())
        await opened.press("o", "space", "enter")
        await opened.until(lambda: " ST " not in opened.text())


EXTREME = """
[jobs.a-name-that-is-as-long-as-a-name-may-be-and-does-not-fit-any]
command = "true"
schedule = ["0 0 1-5,9,13,17-21 1,3,5,7,9,11 mon-fri", "*/7 2-4 * * *"]
description = "[bold red]not markup[/] \\u001b[31mnot obeyed\\u0007 漢字漢字漢字漢字漢字漢字"
tags = ["t0", "t1", "t2", "t3", "t4", "t5", "t6", "t7", "t8"]
"""


@pytest.mark.parametrize("where", [EXTREME], indirect=True)
@pytest.mark.parametrize("size", [(140, 40), (80, 24), (45, 12), (30, 8)])
async def test_what_a_file_says_is_shown_as_text_in_any_size(dashboard: Dashboard, size: tuple[int, int]) -> None:
    async with dashboard(start="2", size=size) as opened:
        text = await shown(opened)
        assert all(cell_len(line) <= size[0] for line in text.splitlines())
        assert "\x1b" not in text
        if size[0] > 40:
            assert "a-name-that-is" in text
        if size[0] >= 120:
            await opened.until(lambda: "[bold red]not markup[/]" in opened.text())
        opened.app.open_thing("job", opened.app.view.selection().ids[0])
        await opened.until(lambda: opened.app.view.name_shown == "Job" and opened.app.view.answered)
        await opened.settled()
        await opened.press("tab")
        assert all(cell_len(line) <= size[0] for line in opened.text().splitlines())
        assert "\x07" not in opened.text()


LONG = "nightly-import-of-orders-from-the-warehouse"


@pytest.mark.parametrize(
    "where", [FEW + f'\n[jobs.{LONG}]\ncommand = "true"\nschedule = "*/5 * * * *"\n'], indirect=True
)
async def test_a_long_name_has_the_room_first_and_columns_go_in_their_order(
    dashboard: Dashboard, store: Database
) -> None:
    server = serve(store, "web1-main", started_at=NOW)
    ended(store, server, LONG, RunState.SUCCEEDED, 60)
    for width, gone in (
        (72, {"SCHEDULE", "DUR", "RUNS", "OK%"}),
        (80, {"DUR", "RUNS", "OK%"}),
        (100, {"OK%"}),
        (119, set()),
    ):
        async with dashboard(start="2", size=(width, 24)) as opened:
            await shown(opened)
            await opened.until(lambda opened=opened: "1m ago" in opened.text())
            titles = opened.text().splitlines()[2].split()
            assert set(titles) == {"ST", "NAME", "SCHEDULE", "NEXT", "LAST", "DUR", "RUNS", "OK%"} - gone
            assert f" {LONG} " in opened.text()
