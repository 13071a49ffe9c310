"""What a person does: which keys, how it is asked, what is done, the command that does the same, and taking it back."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from project import Project
from samples import NOW, put, run_to, serve, states

from jobrunner.admin import Admin
from jobrunner.domain.state import RunState
from jobrunner.store import Database, open_store
from jobrunner.tui.actions.action import Tier
from jobrunner.tui.actions.brief import Brief
from jobrunner.tui.actions.calls import command_line
from jobrunner.tui.actions.table import ACTIONS
from jobrunner.tui.keys import KEYS
from jobrunner.tui.selection import Selection
from jobrunner.tui.view import View

pytestmark = pytest.mark.anyio

Dashboard = Callable[..., Any]
JOB = Selection("job", ("backup",))


@pytest.fixture
def store(admin: Admin) -> Iterator[Database]:
    database = open_store(admin.settings.store)
    yield database
    database.close()


def dead(db: Database, *jobs: str) -> tuple[int, ...]:
    server = serve(db, "web1-main")
    found = []
    for number, job in enumerate(jobs):
        at = NOW - timedelta(seconds=100 - number)
        found.append(put(db, job, created_at=at, run_after=at))
        run_to(db, found[-1], server, RunState.FAILED, at=at)
    return tuple(found)


class Selecting(View):
    """A view with one selection."""

    name_shown = "Selecting"
    hints = ("retry", "run_now", "cancel")

    def __init__(self, selection: Selection) -> None:
        super().__init__()
        self._selection = selection

    def selection(self) -> Selection:
        return self._selection


@pytest.fixture
def on(dashboard: Dashboard) -> Dashboard:
    """A dashboard that shows a view with this selection."""
    from contextlib import asynccontextmanager

    @asynccontextmanager
    async def open(selection: Selection, **options: Any) -> Any:
        async with dashboard(**options) as opened:
            opened.app.open(Selecting(selection))
            await opened.until(lambda: isinstance(opened.app.screen, Selecting))
            await opened.settled()
            yield opened

    return open


def said(opened: Any) -> str:
    return opened.text().splitlines()[-2]


async def test_a_job_is_paused_with_a_reason_and_for_a_time_and_goes_on_again(on: Dashboard, admin: Admin) -> None:
    async with on(JOB) as opened:
        await opened.press("p")
        await opened.until(lambda: "Pause job backup?" in opened.text())
        await opened.press(*"2h", "down", *"disk", "enter")
        await opened.until(lambda: "job backup is paused" in said(opened))
        assert "u undoes it" in said(opened)
        (pause,) = admin.pauses()
        assert (pause.name, pause.reason, pause.until) == ("backup", "disk", NOW + timedelta(hours=2))
        await opened.press("p")
        await opened.until(lambda: "Resume job backup? y/N" in opened.text())
        await opened.press("n")
        assert len(admin.pauses()) == 1
        await opened.press("u")
        await opened.until(lambda: "undone: pause of job backup" in said(opened))
        assert admin.pauses() == []


async def test_what_is_wrong_in_a_form_is_said_at_once_and_nothing_is_done(on: Dashboard, admin: Admin) -> None:
    async with on(JOB) as opened:
        await opened.press("p")
        await opened.until(lambda: "Pause job backup?" in opened.text())
        await opened.press(*"soon", "enter")
        assert "soon" in opened.text()
        assert "Pause job backup?" in opened.text()
        await opened.press("escape")
        await opened.until(lambda: "Pause job backup?" not in opened.text())
        assert admin.pauses() == []


async def test_a_job_runs_now_and_one_that_needs_parameters_asks_for_them(on: Dashboard, store: Database) -> None:
    async with on(JOB) as opened:
        await opened.press("r")
        await opened.until(lambda: "run 1 of backup is created" in said(opened))
    async with on(Selection("job", ("report",))) as opened:
        await opened.press("r")
        await opened.until(lambda: "Run job report" in opened.text())
        await opened.press("enter")
        assert "is required" in opened.text()
        await opened.press(*"2026-10")
        assert "jobrunner trigger report -p month=2026-10" in opened.text()
        await opened.press("down", "down", "enter")  # from a field of choices, too
        await opened.until(lambda: "run 2 of report is created" in said(opened))
    row = store.execute("SELECT job, params, source FROM runs ORDER BY id DESC LIMIT 1").fetchone()
    assert row == ("report", '{"month":"2026-10"}', "manual")


async def test_one_is_retried_after_y_and_many_after_their_count_was_typed(on: Dashboard, store: Database) -> None:
    runs = dead(store, "backup", *["report"] * 5, "backup")
    async with on(Selection("run", runs[:1])) as opened:
        await opened.press("t")
        await opened.until(lambda: f"Retry run {runs[0]} of backup? y/N" in opened.text())
        assert f"jobrunner retry {runs[0]}" in opened.text()
        await opened.press("y")
        await opened.until(lambda: f"run {runs[0]} retried" in said(opened))
    assert states(store, *runs[:2]) == ["queued", "failed"]
    async with on(Selection("run", runs[1:], marked=True)) as opened:
        await opened.press("t")
        await opened.until(lambda: "Retry 6 runs?" in opened.text())
        assert "report 5   backup 1" in opened.text()
        later = dead(store, "report")
        await opened.press(*"retry 5", "enter")
        assert "Retry 6 runs?" in opened.text()
        await opened.press("backspace", "6", "enter")
        await opened.until(lambda: "6 of 6 retried" in said(opened))
    assert set(states(store, *runs)) == {"queued"}
    assert states(store, *later) == ["failed"]


async def test_what_is_refused_is_told_by_id(on: Dashboard, store: Database) -> None:
    (run,) = dead(store, "backup")
    queued = put(store, "backup")
    async with on(Selection("run", (run, queued))) as opened:
        await opened.press("t")
        await opened.until(lambda: "Retry 2 runs?" in opened.text())
        await opened.press("tab", "enter")
        await opened.until(lambda: "1 of 2 retried" in said(opened))
        assert f"refused: {queued}: " in said(opened)


async def test_the_focus_of_a_dialog_is_on_cancel(on: Dashboard, store: Database) -> None:
    run = put(store, "backup")
    async with on(Selection("run", (run,))) as opened:
        await opened.press("X")
        await opened.until(lambda: "This cannot be undone." in opened.text())
        await opened.press("enter")
        await opened.until(lambda: "This cannot be undone." not in opened.text())
        assert states(store, run) == ["queued"]
        await opened.press("X")
        await opened.until(lambda: "This cannot be undone." in opened.text())
        await opened.press("tab", "enter")
        await opened.until(lambda: f"run {run} cancelled" in said(opened))
    assert states(store, run) == ["cancelled"]


async def test_one_goes_first_and_the_rest_if_it_succeeds(on: Dashboard, store: Database) -> None:
    runs = dead(store, "backup", "backup", "backup")
    server = serve(store, "other")
    async with on(Selection("run", runs)) as opened:
        opened.app.acting.start("retry_canary", opened.app.view.selection())
        await opened.until(lambda: "Retry 3 runs, one first?" in opened.text())
        assert "jobrunner retry 1 2 3 --canary" in opened.text()
        await opened.press("tab", "enter")
        await opened.until(lambda: "run 1 goes first: queued; 2 more" in said(opened))
        assert states(store, *runs) == ["queued", "failed", "failed"]
        run_to(store, runs[0], server, RunState.SUCCEEDED)
        await opened.until(lambda: "run 1 succeeded, and 2 others are retried" in said(opened))
    assert states(store, *runs[1:]) == ["queued", "queued"]


async def test_read_only_hides_and_refuses_everything(on: Dashboard, admin: Admin) -> None:
    async with on(JOB, read_only=True) as opened:
        assert "READ-ONLY" in opened.text()
        assert "Retry" not in opened.text()
        await opened.press("p")
        assert "refused: the dashboard was opened with --read-only" in said(opened)
        await opened.press("x")
        await opened.until(lambda: "Copy the" in opened.text())
        assert "Pause" not in opened.text()
    assert admin.pauses() == []


@pytest.fixture
def production(where: Project) -> Project:
    where.write(where.file.read_text().replace("[jobrunner]", "[jobrunner]\nproduction = true"))
    return where


async def test_in_production_everything_is_typed(production: Project, on: Dashboard, admin: Admin) -> None:
    async with on(JOB) as opened:
        assert "PRODUCTION" in opened.text()
        await opened.press("r")
        await opened.until(lambda: "This is production." in opened.text())
        await opened.press("enter")
        assert "Type  backup  to confirm" in opened.text()
        await opened.press(*"backup", "enter")
        await opened.until(lambda: "run 1 of backup is created" in said(opened))


async def test_enable_and_disable_change_the_file_and_are_undone(on: Dashboard, where: Project) -> None:
    before = where.file.read_text()
    async with on(JOB) as opened:
        opened.app.acting.start("disable", JOB)
        await opened.until(lambda: "y/N" in opened.text())
        await opened.press("y")
        await opened.until(lambda: "job backup is disabled" in said(opened))
        assert "enabled = false" in where.file.read_text()
        await opened.press("u")
        await opened.until(lambda: "undone" in said(opened))
    assert "enabled = true" in where.file.read_text()
    assert where.file.read_text().replace("enabled = true\n", "") == before


async def test_the_palette_finds_an_action_of_a_job_and_asks_for_its_arguments(
    dashboard: Dashboard, admin: Admin
) -> None:
    async with dashboard() as opened:
        await opened.press(":", *"pause backup")
        await opened.until(lambda: "> Pause  backup" in opened.text())
        assert "jobrunner pause backup" in opened.text()
        await opened.press("enter")
        await opened.until(lambda: "(1/2)" in opened.text())
        await opened.press(*"1d", "enter")
        await opened.until(lambda: "(2/2)" in opened.text())
        await opened.press(*"holiday", "enter")
        await opened.until(lambda: "is paused" in said(opened))
    (pause,) = admin.pauses()
    assert (pause.name, pause.reason) == ("backup", "holiday")


async def test_help_names_the_keys_of_where_one_is(on: Dashboard) -> None:
    async with on(JOB) as opened:
        await opened.press("?")
        await opened.until(lambda: "Keys in Selecting" in opened.text())
        assert "Run now" in opened.text()


def test_every_action_with_a_key_has_it_in_the_table() -> None:
    acting = {key.id for key in KEYS.values() if key.id in ACTIONS}
    assert {"run_now", "run_with", "retry", "pause", "cancel", "discard"} <= acting


@pytest.mark.parametrize(
    ("id", "selection", "command"),
    [
        ("retry", Selection("batch", (7,)), "jobrunner -c 'a b.toml' retry b7"),
        ("pause", Selection("queue", ("low",)), "jobrunner -c 'a b.toml' pause --queue low"),
        ("pause_all", Selection(None), "jobrunner -c 'a b.toml' pause --all"),
        ("cancel_now", Selection("run", (7,)), "jobrunner -c 'a b.toml' cancel --now 7"),
        (
            "enable",
            Selection("job", ("a", "b")),
            "jobrunner -c 'a b.toml' enable a && jobrunner -c 'a b.toml' enable b",
        ),
        ("run_now", Selection("run", (7,)), "jobrunner -c 'a b.toml' trigger backup --like 7"),
    ],
)
def test_the_command_that_does_the_same(id: str, selection: Selection, command: str) -> None:
    calls = ACTIONS[id].command(selection, {}, Brief(jobs={"backup": 1}))
    assert command_line(calls, "a b.toml") == command


def test_a_menu_names_the_job_that_the_screen_knows() -> None:
    calls = ACTIONS["run_now"].command(Selection("run", (7,), jobs=("report",)), {}, Brief())
    assert command_line(calls, None) == "jobrunner trigger report --like 7"


def test_more_and_production_raise_how_it_is_confirmed() -> None:
    retry, known = ACTIONS["retry"], Brief()
    tiers = [retry.confirmation(Selection("run", tuple(range(n))), known, production=False) for n in (1, 5, 6)]
    assert tiers == [Tier.LINE, Tier.DIALOG, Tier.TYPED]
    assert retry.confirmation(Selection("run", (1,)), known, production=True) is Tier.TYPED


async def test_an_undo_that_fails_is_not_lost(on: Dashboard) -> None:
    from jobrunner.errors import Refused
    from jobrunner.tui.actions.hands import Done, Hands, Undo

    tries = []

    def undo(hands: Hands) -> Done:
        tries.append(hands)
        if len(tries) == 1:
            raise Refused("not now")
        return Done("as it was")

    async with on(JOB) as opened:
        opened.app.acting.remember(Undo("what was done", undo))
        await opened.press("u")
        await opened.until(lambda: "not undone: not now" in said(opened))
        await opened.press("u")
        await opened.until(lambda: "undone: what was done" in said(opened))


async def test_undo_is_said_without_unicode_too(on: Dashboard) -> None:
    async with on(JOB, unicode=False) as opened:
        await opened.press("p")
        await opened.until(lambda: "Pause job backup?" in opened.text())
        await opened.press("enter")
        await opened.until(lambda: "job backup is paused - u undoes it" in said(opened))


async def test_the_command_is_copied_in_a_dialog_after_an_action_and_of_a_screen(
    on: Dashboard, dashboard: Dashboard, store: Database
) -> None:
    runs = dead(store, "backup", "backup")
    async with on(Selection("run", runs)) as opened:
        await opened.press("t")
        await opened.until(lambda: "Retry 2 runs?" in opened.text())
        await opened.press("ctrl+y")
        assert opened.app.clipboard == "jobrunner retry 1 2"
        assert states(store, *runs) == ["failed", "failed"]
        await opened.press("escape")
    async with on(Selection("run", runs[:1])) as opened:
        await opened.press("t", "ctrl+y")
        await opened.until(lambda: opened.app.clipboard == "jobrunner retry 1")
        await opened.press("y")
        await opened.until(lambda: "retried" in said(opened))
        opened.app.copy_to_clipboard("")
        await opened.press("Y")
        assert opened.app.clipboard == "jobrunner retry 1"
    async with dashboard(start="4") as opened:
        await opened.press("Y")
        assert opened.app.clipboard == "jobrunner queues"
