"""The schedule: lanes of what fires and fired, other times, order, the job under the cursor; and what is missed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from project import Project
from samples import NOW, put, run_to, serve

from jobrunner.admin import Admin
from jobrunner.domain.decision import Decision, Why
from jobrunner.domain.state import RunState
from jobrunner.store import Database, decisions, open_store
from jobrunner.tui.widgets.lanes import Lanes

pytestmark = pytest.mark.anyio

Dashboard = Callable[..., Any]

JOBS = """
[jobrunner]
timezone = "Europe/Madrid"

[jobs.often]
command = "true"
schedule = "*/10 * * * *"
description = "Each ten minutes"

[jobs.nightly]
command = "true"
schedule = "0 2 * * *"

[jobs.off]
command = "true"
schedule = "@hourly"
enabled = false

[jobs.held]
command = "true"
schedule = "0 * * * *"

[jobs.unscheduled]
command = "true"
"""


@pytest.fixture
def where(tmp_path: Any) -> Project:
    return Project(tmp_path, JOBS)


@pytest.fixture
def store(admin: Admin) -> Iterator[Database]:
    database = open_store(admin.settings.store)
    yield database
    database.close()


async def opened_at(dashboard: Any, said: str = "peak") -> Any:
    """The schedule, when the file has been read and the load is known."""
    await dashboard.until(lambda: f"{said} " in dashboard.text())
    return dashboard


def line(text: str, job: str) -> str:
    return next(line for line in text.splitlines() if f" {job} " in line)


async def test_lanes_of_the_scheduled_jobs(dashboard: Dashboard, store: Database, admin: Admin) -> None:
    server = serve(store, "web1-main", started_at=NOW)
    for job, minutes, state in (("often", 4, RunState.SUCCEEDED), ("nightly", 2, RunState.FAILED)):
        at = NOW - timedelta(minutes=minutes)
        run_to(store, put(store, job, fire_time=at, created_at=at, run_after=at), server, state, at=at)
    admin.pause("job", "held")
    async with dashboard(start="5") as opened:
        text = (await opened_at(opened)).text()
        assert "unscheduled" not in text
        assert line(text, "often").count("│") == 5
        assert "●" in line(text, "often")
        assert "✗" in line(text, "nightly")
        assert "‖ paused" in line(text, "held")
        assert "○ disabled" in line(text, "off")
        assert "▼now" in text
        assert "missed none" in text
        assert "/min (4 workers)" in text
        assert opened.app.view.status() == "4 scheduled jobs · by next"
        assert opened.app.view.selection()[:4] == ("job", ("often",), False, ())
        assert opened.app.view.selection_for("output").kind == "run"
        assert opened.app.view.selection_for("output").jobs == ("often",)


async def test_missed_fires_and_changes_of_the_clock_are_told(dashboard: Dashboard, store: Database) -> None:
    at = NOW - timedelta(minutes=3)
    decisions.write(store, Decision("often", at, at, 2, Why.MISSED, "no server", NOW), 1, mark=None)
    async with dashboard(start="5", size=(100, 24)) as opened:
        text = (await opened_at(opened)).text()
        assert "missed 2 (often)" in text
        assert "!" in line(text, "often")
        assert "no clock change" in text


async def test_other_times_by_keys(dashboard: Dashboard) -> None:
    async with dashboard(start="5") as opened:
        await opened_at(opened)
        lanes = opened.app.view.query_one(Lanes)
        begin = lanes.plan.begin
        assert begin <= NOW < lanes.plan.end
        await opened.press("right")
        assert lanes.plan.begin - begin == timedelta(minutes=30)
        assert line(opened.text(), "often").count("│") == 6
        await opened.press("0")
        assert lanes.plan.begin == begin
        await opened.press("minus")
        assert lanes.plan.end - lanes.plan.begin == timedelta(hours=6)
        assert "[6h]" in opened.text()
        await opened.press("minus", "minus")
        assert lanes.plan.end - lanes.plan.begin == timedelta(days=7)
        assert "7d at once" in opened.text()
        await opened.press("plus")
        assert "[24h]" in opened.text()


async def test_it_goes_with_the_time(dashboard: Dashboard, clock: Any) -> None:
    async with dashboard(start="5") as opened:
        await opened_at(opened)
        lanes = opened.app.view.query_one(Lanes)
        begin = lanes.plan.begin
        clock.at += timedelta(minutes=20)
        opened.app.view.tick()
        await opened.settled()
        assert timedelta(minutes=18) < lanes.plan.begin - begin < timedelta(minutes=22)
        await opened.press("right")
        there = lanes.plan.begin
        clock.at += timedelta(minutes=20)
        opened.app.view.tick()
        await opened.settled()
        assert lanes.plan.begin == there


async def test_the_cursor_stays_on_its_job_when_others_are_next(dashboard: Dashboard, clock: Any) -> None:
    async with dashboard(start="5") as opened:
        await opened_at(opened)
        assert opened.app.view.selection().ids == ("often",)
        clock.at += timedelta(minutes=59)
        opened.app.view.tick()
        await opened.until(lambda: opened.app.view.query_one(Lanes).plan.names[0] == "held")
        assert opened.app.view.selection().ids == ("often",)


async def test_the_job_under_the_cursor_in_words(dashboard: Dashboard) -> None:
    async with dashboard(start="5", size=(140, 40)) as opened:
        await opened.until(lambda: "Every 10 minutes" in opened.text())
        await opened.press("j")
        await opened.until(lambda: "Every 10 minutes" not in opened.text())
        text = opened.text()
        assert "0 * * * *" in text or "0 2 * * *" in text
        assert "next" in text


async def test_thousands_of_jobs_are_asked_for_as_they_come_into_sight(
    dashboard: Dashboard, where: Project, admin: Admin
) -> None:
    jobs = "".join(f'[jobs.j{number:04}]\ncommand = "true"\nschedule = "* * * * *"\n' for number in range(300))
    where.file.write_text(f'[jobrunner]\ntimezone = "UTC"\n{jobs}')
    async with dashboard(start="5") as opened:
        await opened_at(opened)
        assert len(opened.app.view.query_one(Lanes).plan.lanes) < 80
        await opened.press("G")
        await opened.until(lambda: "│" in line(opened.text(), "j0299") or "1" in line(opened.text(), "j0299")[8:])
        assert "300 scheduled jobs" in opened.text()


async def test_a_filter_and_another_order(dashboard: Dashboard) -> None:
    async with dashboard(start="5") as opened:
        await opened_at(opened)
        opened.app.view.apply_filter("!held state:disabled")
        await opened.settled()
        assert opened.app.view.status() == "1 scheduled job · by next · filter: !held state:disabled"
        assert opened.app.view.selection().ids == ("off",)
        opened.app.view.apply_filter("nothing")
        await opened.settled()
        assert "No job with a schedule matches the filter." in opened.text()
        await opened.press("escape")
        opened.app.remembered.keep("Schedule.order", "name")
        opened.app.view.ordered()
        await opened.settled()
        assert opened.app.view.query_one(Lanes).plan.names == ("held", "nightly", "off", "often")


async def test_it_lives_in_any_room(dashboard: Dashboard) -> None:
    async with dashboard(start="5", unicode=False, colour=False) as opened:
        await opened_at(opened)
        for width, height in ((40, 10), (20, 5), (60, 12), (200, 60), (80, 24)):
            await opened.pilot.resize_terminal(width, height)
            await opened.settled()
            assert all(len(line) <= width for line in opened.text().splitlines())
        assert "peak" in opened.text()
        assert opened.text().isascii()


async def test_without_schedules(dashboard: Dashboard, where: Project) -> None:
    where.file.write_text('[jobs.alone]\ncommand = "true"\n')
    async with dashboard(start="5", unicode=False) as opened:
        await opened.until(lambda: "No job has a schedule." in opened.text())
        await opened_at(opened, "nothing starts")
        assert opened.app.view.selection().kind is None
        assert opened.text().isascii()


async def test_retry_and_cancel_are_of_the_run_of_the_job(dashboard: Dashboard, store: Database) -> None:
    server = serve(store, "web1-main", started_at=NOW)
    at = NOW - timedelta(minutes=4)
    run = put(store, "often", fire_time=at, created_at=at, run_after=at)
    run_to(store, run, server, RunState.FAILED, at=at)
    async with dashboard(start="5") as opened:
        await opened_at(opened)
        assert opened.app.view.selection().ids == ("often",)
        assert "t Retry" in opened.text()
        await opened.press("X")
        assert "job often has no run under way to cancel" in opened.text()
        await opened.press("t")
        await opened.until(lambda: f"Retry run {run} of often? y/N" in opened.text())
        await opened.press("y")
        await opened.until(lambda: f"run {run} retried" in opened.text())
        await opened.until(lambda: opened.app.view.selection_for("cancel").ids == (run,))
        await opened.press("X")
        await opened.until(lambda: f"Cancel run {run} of often?" in opened.text())


async def test_a_missed_fire_left_no_run_and_says_so(dashboard: Dashboard, store: Database) -> None:
    at = NOW - timedelta(minutes=3)
    decisions.write(store, Decision("often", at, at, 2, Why.MISSED, "no server", NOW), 1, mark=None)
    async with dashboard(start="5") as opened:
        await opened_at(opened)
        assert "Retry" not in opened.text()
        await opened.press("t")
        assert "job often has no failed run to retry; r runs it now, w says why" in opened.text()
