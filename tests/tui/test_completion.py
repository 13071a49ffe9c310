"""What tab completes in the filters of Runs, Schedule and the decisions: fields, then their values, then names."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from samples import NOW, put, serve

from jobrunner.admin import Admin
from jobrunner.domain.decision import Decision, Why
from jobrunner.store import Database, decisions, open_store
from jobrunner.tui.screens.decisions import Decisions
from jobrunner.tui.widgets.filterline import FilterInput

pytestmark = pytest.mark.anyio

Dashboard = Callable[..., Any]


@pytest.fixture
def store(admin: Admin) -> Iterator[Database]:
    database = open_store(admin.settings.store)
    yield database
    database.close()


@pytest.fixture
def filled(store: Database) -> None:
    serve(store, "web1-main", started_at=NOW)
    put(store, "backup", created_at=NOW, run_after=NOW)
    put(store, "report", created_at=NOW, run_after=NOW)
    at = NOW - timedelta(hours=2)
    decisions.write(store, Decision("backup", at, at, 1, Why.MISSED, "no server", NOW), 1, mark=None)
    decisions.write(store, Decision("report", at, at, 1, Why.PAUSED, "held", NOW), 1, mark=None)


async def opened_at(opened: Any, screen: str) -> None:
    """One of the screens, with all that its filter is completed with."""
    if screen == "decisions":
        opened.app.open(Decisions())
    else:
        opened.app.open_number(screen)
    await opened.until(lambda: opened.app.view.answered and opened.app.view.completions("job:"))
    await opened.settled()


def suggested(opened: Any) -> list[str]:
    """What the filter line offers."""
    line = next(line for line in opened.text().splitlines() if line.startswith("/ "))
    return line.partition("tab: ")[2].split()


async def complete(opened: Any, typed: str) -> str:
    """The filter after tab, without the spaces at its end."""
    await opened.press("/", "ctrl+u", *typed)
    await opened.until(lambda: suggested(opened))
    await opened.press("tab")
    text = str(opened.app.view.query_one(FilterInput).value)
    await opened.press("enter")
    return text.rstrip()


@pytest.mark.parametrize(
    ("screen", "typings"),
    [
        (
            "3",
            [
                ("st", ["state:"], "state:"),
                ("state:suc", ["state:succeeded"], "state:succeeded"),
                ("state:failed,ru", ["state:failed,running"], "state:failed,running"),
                ("de", ["dead"], "dead"),
                ("dead job:re", ["job:report"], "dead job:report"),
                ("!server:web", ["!server:web1-main"], "!server:web1-main"),
                ("trigger:m", ["trigger:manual"], "trigger:manual"),
                ("queue:cr", ["queue:critical"], "queue:critical"),
            ],
        ),
        (
            "5",
            [
                ("state:pau", ["state:paused"], "state:paused"),
                ("job:back", ["job:backup"], "job:backup"),
                ("kind:py", ["kind:python"], "kind:python"),
            ],
        ),
        (
            "decisions",
            [
                ("sta", ["state:"], "state:"),
                ("state:mis", ["state:missed"], "state:missed"),
                ("job:re", ["job:report"], "job:report"),
            ],
        ),
    ],
)
async def test_tab_completes(
    dashboard: Dashboard, filled: None, screen: str, typings: list[tuple[str, list[str], str]]
) -> None:
    async with dashboard() as opened:
        await opened_at(opened, screen)
        for typed, offered, completed in typings:
            await opened.press("/", "ctrl+u", *typed)
            await opened.until(lambda offered=offered: suggested(opened) == offered)
            await opened.press("tab")
            assert str(opened.app.view.query_one(FilterInput).value).rstrip() == completed
            await opened.press("ctrl+u", "enter")


@pytest.mark.parametrize(
    ("screen", "typed", "shown", "hidden"),
    [
        ("3", "job:rep", "report", "backup"),
        ("5", "state:pau", "No job", "backup"),
        ("decisions", "job:re", "held", "no server"),
    ],
)
async def test_what_was_completed_filters(
    dashboard: Dashboard, filled: None, screen: str, typed: str, shown: str, hidden: str
) -> None:
    async with dashboard() as opened:
        await opened_at(opened, screen)
        await opened.until(lambda: hidden in opened.text())
        await complete(opened, typed)
        await opened.until(lambda: shown in opened.text() and hidden not in opened.text())


@pytest.mark.parametrize(("screen", "typed"), [("3", "kind:"), ("5", "dur:"), ("5", "dea"), ("decisions", "exit:")])
async def test_what_a_screen_does_not_have_is_not_offered(
    dashboard: Dashboard, filled: None, screen: str, typed: str
) -> None:
    async with dashboard() as opened:
        await opened_at(opened, screen)
        assert opened.app.view.completions(typed) == []
