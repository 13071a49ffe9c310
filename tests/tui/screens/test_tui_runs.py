"""The screens of all runs and of one run."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import nullcontext
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from keyboard import press
from project import Project
from samples import NOW, end, put, serve, start
from textual import events

from jobrunner.admin import Admin
from jobrunner.domain.filter import RunFilter
from jobrunner.domain.state import RunState
from jobrunner.store import Database, open_store, output
from jobrunner.store.output import Row, Segment
from jobrunner.tui.screens.run import RunView
from jobrunner.tui.widgets.details import Details
from jobrunner.tui.widgets.listing import Listing
from jobrunner.tui.widgets.output import Output

pytestmark = pytest.mark.anyio

Dashboard = Callable[..., Any]

JOBS = """
[jobs.backup]
command = "true"

[jobs.report]
command = "true"
"""


@pytest.fixture
def where(tmp_path: Path, request: pytest.FixtureRequest) -> Project:
    return Project(tmp_path, getattr(request, "param", JOBS))


@pytest.fixture
def store(admin: Admin) -> Iterator[Database]:
    database = open_store(admin.settings.store)
    yield database
    database.close()


def ended(db: Database, server: int, state: RunState, job: str = "backup") -> int:
    run_id = put(db, job, created_at=NOW - timedelta(minutes=5))
    end(db, start(db, run_id, server, NOW - timedelta(minutes=4)), server, state, at=NOW, error="exit code 3")
    return run_id


def says(db: Database, run_id: int, server: int, data: bytes, *, seq: int = 0, at: int = 0, attempt: int = 1) -> None:
    row = Row(seq=seq, start=at, segments=(Segment(0, NOW, len(data)),), data=data)
    output.write(db, run_id, attempt, server, [row], drop=None)


async def opened_at(opened: Any, run_id: int) -> RunView:
    opened.app.open_thing("run", run_id)
    await opened.until(lambda: isinstance(opened.app.view, RunView) and opened.app.view.answered)
    await opened.settled()
    view = opened.app.view
    assert isinstance(view, RunView)
    return view


async def test_no_run_yet(dashboard: Dashboard) -> None:
    async with dashboard(start="3") as opened:
        assert "There are no runs yet." in opened.text()


async def test_runs_newest_first_and_enter_opens_one(dashboard: Dashboard, store: Database) -> None:
    server = serve(store, "web1-main", started_at=NOW)
    good = ended(store, server, RunState.SUCCEEDED)
    bad = ended(store, server, RunState.FAILED, "report")
    async with dashboard(start="3") as opened:
        view = opened.app.view
        assert view.query_one(Listing).cursor_key == bad
        assert view.status() == "2 runs · newest first"
        assert "✗ failed dead" in opened.text()
        assert view.selection()[:4] == ("run", (bad,), False, ("report",))
        await opened.press("j")
        assert view.selection().ids == (good,)
        await opened.press("enter")
        await opened.until(lambda: isinstance(opened.app.view, RunView) and opened.app.view.answered)
        assert f"Runs › {good} backup" in opened.text()


async def test_dead_letters_are_counted_by_job(dashboard: Dashboard, store: Database) -> None:
    server = serve(store, "web1-main", started_at=NOW)
    for job in ("report", "report", "backup"):
        ended(store, server, RunState.FAILED, job)
    ended(store, server, RunState.SUCCEEDED, "other")
    async with dashboard(start="3") as opened:
        opened.app.open_filtered("3", "dead")
        await opened.settled()
        assert opened.app.view.status() == "3 runs · filter: dead · 2 report, 1 backup"
        await opened.press("escape")
        assert opened.app.view.status() == "4 runs · newest first"


async def test_the_run_under_the_cursor_beside_the_list(dashboard: Dashboard, store: Database) -> None:
    ended(store, serve(store, "web1-main", started_at=NOW), RunState.FAILED)
    async with dashboard(start="3", size=(140, 40)) as opened:
        told = opened.app.view.query_one(Details)
        await opened.until(lambda: any("exit code 3" in line for line in told.lines))


async def test_a_long_history_is_read_in_stretches(dashboard: Dashboard, store: Database) -> None:
    first = put(store, "backup")
    for _ in range(449):
        last = put(store, "backup")
    async with dashboard(start="3") as opened:
        listing = opened.app.view.query_one(Listing)
        assert opened.app.view.status() == "about 450 runs · newest first"
        assert listing.cursor_key == last
        await opened.press("G")
        await opened.until(lambda: listing.cursor_key == first)
        await opened.press("g")
        await opened.until(lambda: listing.cursor_key == last)


async def test_output_is_followed_while_it_comes(dashboard: Dashboard, store: Database, admin: Admin) -> None:
    server = serve(store, "web1-main", started_at=NOW)
    run_id = put(store, "backup")
    claimed = start(store, run_id, server)
    says(store, run_id, server, b"one\x1b]0;title\x07\n")
    async with dashboard(start="3") as opened:
        view = await opened_at(opened, run_id)
        await opened.until(lambda: "one" in opened.text())
        assert "\x1b" not in opened.text()
        assert "attempt 1 of 1   on web1-main" in opened.text()
        assert "FOLLOW" in view.status()
        says(store, run_id, server, b"two\n", seq=1, at=14)
        await opened.until(lambda: "two" in opened.text())
        end(store, claimed, server)
        await opened.until(lambda: "succeeded" in opened.text())
        assert opened.text().count("two") == 1
        assert view.query_one(Output).state.lines == 2


async def test_pages_of_a_run(dashboard: Dashboard, store: Database) -> None:
    run_id = ended(store, serve(store, "web1-main", started_at=NOW), RunState.FAILED)
    async with dashboard(start="3") as opened:
        view = await opened_at(opened, run_id)
        assert "It printed nothing." in opened.text()
        told = view.query_one(Details)
        for key, word in {"2": "OUTCOME", "3": "parameters", "4": "waited", "5": "dead"}.items():
            await opened.press(key)
            await opened.until(lambda word=word: word in "\n".join(told.lines))
        await opened.press("6")
        await opened.until(lambda: opened.app.view.number == "6")


async def test_a_run_that_waits_says_why(dashboard: Dashboard, store: Database) -> None:
    run_id = put(store, "backup")
    async with dashboard(start="3") as opened:
        await opened_at(opened, run_id)
        await opened.until(lambda: "It has not begun." in opened.text() and "no server" in opened.text())
        lines = [line.strip() for line in opened.text().splitlines()]
        assert lines[lines.index("It has not begun.") + 1].startswith(f"run {run_id} of backup is queued")


async def test_output_is_saved_but_never_over_a_file(dashboard: Dashboard, store: Database, tmp_path: Path) -> None:
    server = serve(store, "web1-main", started_at=NOW)
    run_id = put(store, "backup")
    claimed = start(store, run_id, server)
    said = b"one\n" + b"x" * 9000
    says(store, run_id, server, said)
    end(store, claimed, server)
    there = tmp_path / "there.log"
    there.write_text("mine")
    async with dashboard(start="3") as opened:
        view = await opened_at(opened, run_id)
        await opened.until(lambda: "one" in opened.text())
        view._write(there, 1)
        await opened.until(lambda: "not saved" in opened.text())
        assert there.read_text() == "mine"
        await press(opened.pilot, "S")
        await opened.until(lambda: len(opened.app.screen.query("#field-0")) == 1)
        field = opened.app.screen.query_one("#field-0")
        field.value = str(there)
        await press(opened.pilot, "enter")
        await opened.until(lambda: "is there already" in opened.text())
        field.value = str(tmp_path / "new.log")
        await press(opened.pilot, "enter")
        await opened.until(lambda: "saved 9,004 bytes" in opened.text())
        assert (tmp_path / "new.log").read_bytes() == said
        await opened.press("g")
        await press(opened.pilot, "y")
        await opened.until(lambda: opened.app.clipboard == "one\n")


async def test_all_that_the_filter_shows_is_marked_beyond_what_is_in_memory(
    dashboard: Dashboard, store: Database
) -> None:
    server = serve(store, "web1-main", started_at=NOW)
    other = ended(store, server, RunState.SUCCEEDED, "report")
    backups = [put(store, "backup") for _ in range(250)]
    async with dashboard(start="3") as opened:
        view = opened.app.view
        opened.app.open_filtered("3", 'state:queued !"two words"')
        await opened.settled()
        assert view.command() == ("runs", "state:queued", '!"two words"')
        await opened.press("A")
        await opened.until(lambda: "250 marked" in view.status())
        chosen = view.selection()
        assert set(chosen.ids) == set(backups)
        assert other not in chosen.ids
        assert chosen.jobs == ("backup",) * 250
        await opened.press("A")
        assert view.selection().ids == (backups[-1],)


async def test_new_runs_are_counted_while_others_are_read(dashboard: Dashboard, store: Database) -> None:
    for _ in range(60):
        put(store, "backup")
    async with dashboard(start="3") as opened:
        view = opened.app.view
        await opened.press("pagedown", "pagedown")
        key = view.query_one(Listing).cursor_key
        for _ in range(3):
            put(store, "report")
        await opened.until(lambda: "3 new above" in view.status())
        assert view.query_one(Listing).cursor_key == key
        await opened.press("g")
        assert "new above" not in view.status()


async def test_what_is_typed_while_the_filter_line_opens_is_a_filter(dashboard: Dashboard, store: Database) -> None:
    put(store, "backup")
    put(store, "report")
    async with dashboard(start="3") as opened:
        for key in "/report":
            opened.app.post_message(events.Key("slash" if key == "/" else key, key))
        await opened.until(lambda: opened.app.view.filter_text == "report")
        await opened.until(lambda: opened.app.view.status().startswith("1 run"))
        assert len(opened.admin.runs(RunFilter())) == 2


async def test_the_list_has_the_keys_again_after_the_filter(dashboard: Dashboard, store: Database) -> None:
    for _ in range(3):
        first = put(store, "backup")
    async with dashboard(start="3") as opened:
        listing = opened.app.view.query_one(Listing)
        await opened.press("/", *"back", "enter")
        await opened.press("j")
        assert listing.cursor_key == first - 1
        await opened.press("/", *"up", "escape")
        await opened.press("k")
        assert listing.cursor_key == first
        await opened.press("enter")
        await opened.until(lambda: isinstance(opened.app.view, RunView))


async def test_what_is_typed_while_the_search_opens_is_searched_for(dashboard: Dashboard, store: Database) -> None:
    server = serve(store, "web1-main", started_at=NOW)
    run_id = put(store, "backup")
    start(store, run_id, server)
    says(store, run_id, server, b"one\nEXtra\n")
    async with dashboard(start="3") as opened:
        view = await opened_at(opened, run_id)
        await opened.until(lambda: "EXtra" in opened.text())
        for key in "/EX":
            opened.app.post_message(events.Key("slash" if key == "/" else key, key))
        await opened.until(lambda: 'match 1 of 1 "EX"' in view.status())
        await opened.press("enter")
        for key in "/on":
            opened.app.post_message(events.Key("slash" if key == "/" else key, key))
        await opened.until(lambda: 'match 1 of 1 "on"' in view.status())


async def test_the_next_attempt_is_followed_and_the_one_before_is_kept(dashboard: Dashboard, store: Database) -> None:
    server = serve(store, "web1-main", started_at=NOW)
    run_id = put(store, "backup", max_attempts=2)
    first = start(store, run_id, server)
    says(store, run_id, server, b"of the first\n")
    async with dashboard(start="3") as opened:
        await opened_at(opened, run_id)
        await opened.until(lambda: "of the first" in opened.text())
        end(store, first, server, RunState.QUEUED, run_after=NOW)
        start(store, run_id, server)
        says(store, run_id, server, b"of the second\n", attempt=2)
        await opened.until(lambda: "of the second" in opened.text())
        assert opened.app.view.status().startswith("attempt 2 · ")
        await opened.press("(")
        await opened.until(lambda: "of the first" in opened.text())
        await opened.press("(")
        assert "there is no attempt 0" in opened.text()


@pytest.mark.parametrize("where", ['[jobs.other]\ncommand = "true"\n'], indirect=True)
async def test_a_run_of_a_job_that_has_left_the_file(dashboard: Dashboard, store: Database) -> None:
    run_id = ended(store, serve(store, "web1-main", started_at=NOW), RunState.FAILED, "gone")
    async with dashboard(start="3") as opened:
        view = await opened_at(opened, run_id)
        assert f"{run_id} gone" in opened.text()
        told = view.query_one(Details)
        await opened.press("5")
        await opened.until(lambda: "dead" in "\n".join(told.lines))


async def test_the_output_in_a_pager_is_shown_not_obeyed(
    dashboard: Dashboard, store: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = serve(store, "web1-main", started_at=NOW)
    run_id = put(store, "backup")
    claimed = start(store, run_id, server)
    says(store, run_id, server, b"one\x1b]0;title\x07\n")
    end(store, claimed, server)
    pager, seen = tmp_path / "pager", tmp_path / "seen"
    pager.write_text(f'#!/bin/sh\ncp "$1" {seen}\n')
    pager.chmod(0o755)
    monkeypatch.setenv("PAGER", str(pager))
    monkeypatch.setattr("textual.app.App.suspend", lambda self: nullcontext())
    async with dashboard(start="3") as opened:
        await opened_at(opened, run_id)
        await opened.until(lambda: "one" in opened.text())
        await press(opened.pilot, "o")
        await opened.until(lambda: seen.exists() and seen.stat().st_size)
        assert seen.read_bytes() == b"one\\x1b]0;title\\x07\n"


async def test_a_terminal_that_cannot_be_given_away_has_no_pager(
    dashboard: Dashboard, store: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = serve(store, "web1-main", started_at=NOW)
    run_id = put(store, "backup")
    claimed = start(store, run_id, server)
    says(store, run_id, server, b"one\n")
    end(store, claimed, server)
    copies = tmp_path / "copies"
    copies.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(copies))
    async with dashboard(start="3") as opened:
        await opened_at(opened, run_id)
        await opened.until(lambda: "one" in opened.text())
        await press(opened.pilot, "o")
        await opened.until(lambda: "no pager: " in opened.text().splitlines()[-2])
        assert list(copies.iterdir()) == []


async def test_a_large_output_is_not_kept_by_a_view_that_is_left(dashboard: Dashboard, store: Database) -> None:
    server = serve(store, "one")
    run_id = put(store, "backup")
    claimed = start(store, run_id, server, NOW)
    says(store, run_id, server, b"a line of output\n" * 100_000)
    end(store, claimed, server)
    async with dashboard(start="3") as opened:
        opened.app.open_thing("run", run_id)
        view = await opened.until(lambda: opened.app.view if isinstance(opened.app.view, RunView) else None)
        await opened.until(lambda: view.query(Output) and view.query_one(Output).state.lines == 100_000)
        kept = view.query_one(Output)
        await opened.press("escape")
        assert kept.state.size == 0
        await opened.press("[")
        await opened.until(lambda: kept.state.lines == 100_000)
