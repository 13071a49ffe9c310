"""A simulation as a table, a plot and remarks, on narrow, plain and ASCII screens; and as JSON."""

from __future__ import annotations

import json
import re
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from rich.cells import cell_len

from jobrunner.domain.estimate import Basis, Estimate
from jobrunner.domain.forecast import Forecast, Plan, PlannedJob, Unplayed
from jobrunner.domain.job import Command, Job, Overlap, ScheduleSpec, Sla
from jobrunner.domain.simulation import simulate
from jobrunner.domain.suggestion import suggest
from jobrunner.presentation import forecast_json, plot
from jobrunner.presentation.forecast import forecast
from jobrunner.presentation.screen import Screen
from jobrunner.presentation.times import Times

START = datetime(2026, 10, 24, tzinfo=UTC)
TIMES = Times(now=START, zone=UTC, relative=False)
PIPE = Screen(terminal=False)
MINUTE = timedelta(minutes=1)


def job(name: str, schedule: str, minutes: float, basis: Basis = Basis.HISTORY, **more: Any) -> PlannedJob:
    values = {"kind": Command(line="true"), "folder": "/", "timezone": "Europe/Madrid", "definition": ""} | more
    days_off = values.pop("days_off", frozenset())
    estimate = Estimate(median=minutes * MINUTE, p95=minutes * MINUTE, basis=basis, runs=7)
    return PlannedJob(
        job=Job(name=name, schedules=(ScheduleSpec(schedule),), **values), estimate=estimate, days_off=days_off
    )


JOBS = (
    job("backup", "30 2 * * *", 10, sla=Sla(start_within=4 * MINUTE, finish_within=12 * MINUTE)),
    job("etl", "*/10 * * * *", 25, timeout=25 * MINUTE),
    job("fine", "0 12 * * *", 1, sla=Sla(start_within=MINUTE)),
    job("first", "30 2 * * *", 15, Basis.TIMEOUT, priority=9),
    job("guess", "30 2 * * *", 1, Basis.GUESS),
    job("late", "every 2h", 300, overlap=Overlap.QUEUE, queue="low"),
    job("off", "0 4 * * *", 1, days_off=frozenset({date(2026, 10, 25)})),
    job("replaced", "every 6h", 400, overlap=Overlap.REPLACE, queue="low"),
    job("seldom", "0 0 1 1 *", 1),
    job("short", "30 2 * * *", 1, expires=MINUTE),
)


@pytest.fixture(scope="module")
def played() -> Forecast:
    plan = Plan(
        jobs=JOBS,
        workers=4,
        queues=("default", "low"),
        start=START,
        end=START + timedelta(days=2),
        timezone="Europe/Madrid",
        seed=1,
        limits={"one": 1},
        queue_limits={"default": 2},
    )
    return simulate(plan)._replace(suggestion=suggest(plan, "backup"), unplayed=(Unplayed(key="after", jobs=("x",)),))


def test_what_is_shown(played: Forecast) -> None:
    text = "\n".join(forecast(played, PIPE, TIMES))
    assert text.startswith("2d from 2026-10-24 00:00:00 UTC, 4 workers, seed 1\n\nJOB ")
    rows = {line.split()[0]: line.split() for line in text.split("\n\n")[1].splitlines()[1:]}
    assert sorted(rows) == [planned.job.name for planned in JOBS]
    assert rows["etl"][1:4] == ["288", "96", "192"]
    assert rows["seldom"][1:7] == ["0", "0", "0", "-", "-", "-"]
    assert rows["fine"][8:] == ["kept", "history", "-"]
    assert "broken 2" in " ".join(rows["backup"])
    assert "timeout" in rows["first"]
    for words in ("waiting at the end", "7 replaced", "expired", "1 in a blackout"):
        assert words in text
    remarks = [line for line in text.splitlines() if line.startswith(("sla: ", "note: "))]
    for words in (
        "sla: backup: 1 run not started within 4m, at worst after ",
        "sla: backup: 1 run not finished within 12m, at worst after ",
        "note: at most 4 of 4 workers busy, first at 2026-10-24 00:30:00 UTC",
        "note: no fire in this window: seldom",
        "note: 5 runs are due at once at 2026-10-24 00:30:00 UTC, 2 times: backup, etl, first, guess, short",
        "note: 2026-10-25: the clock of Europe/Madrid goes back from 03:00 to 02:00; ",
        "the first time only: backup, first, guess, short",
        "note: no history, taken to last their timeout: first",
        "note: no history and no timeout, guessed at 1m: guess",
        "note: after is not played: x",
    ):
        assert any(words in line for line in remarks), words
    assert re.search(r"not started when the window ends: \d+ runs? of late", text)


def test_a_quiet_forecast_has_no_fault_to_tell() -> None:
    plan = Plan(
        jobs=(job("a", "0 2 * * *", 1),), workers=1, queues=(), start=START, end=START + timedelta(hours=1),
        timezone="UTC", seed=3,
    )  # fmt: skip
    text = "\n".join(forecast(simulate(plan), PIPE, TIMES))
    assert "1 worker, seed 3" in text
    assert "sla:" not in text
    assert "note: longest time without a run: 59m00s from 2026-10-24 00:01:00 UTC" in text


@pytest.mark.parametrize("width", [40, 80, 140])
def test_the_table_and_the_plot_fit_a_terminal(played: Forecast, width: int) -> None:
    lines = list(forecast(played, Screen(terminal=True, width=max(width, 60)), TIMES))
    table = [line for line in lines if not line.startswith(("note: ", "sla: "))]
    assert max(map(cell_len, table)) <= max(width, 60, 65)
    if width >= 80:
        assert max(map(cell_len, table)) <= width


def test_ascii_where_unicode_is_not_shown(played: Forecast) -> None:
    lines = list(forecast(played, Screen(terminal=True, width=80, unicode=False), TIMES))
    assert all(line.isascii() for line in lines)


def test_colours_only_where_they_are_shown(played: Forecast) -> None:
    assert not any("\x1b" in line for line in forecast(played, PIPE, TIMES))
    assert any("\x1b[1;31m" in line for line in forecast(played, Screen(terminal=True, colour=True), TIMES))


def test_the_same_text_whatever_the_order_of_the_file(played: Forecast) -> None:
    plan = played.plan._replace(jobs=played.plan.jobs[::-1])
    again = simulate(plan)._replace(suggestion=suggest(plan, "backup"), unplayed=played.unplayed)
    assert list(forecast(again, PIPE, TIMES)) == list(forecast(played, PIPE, TIMES))


class TestPlot:
    SCREEN = Screen(terminal=False)

    def test_columns_grow_by_eighths_before_a_light_one(self) -> None:
        lines = list(plot.columns([(1, 1), (1.5, 2), (0, 0), None, (0.01, 2)], self.SCREEN, height=2))
        assert lines == ["2 │ ▄  ░", "  │██  ▁", "0 └─────"]

    def test_ascii(self) -> None:
        lines = list(plot.columns([(1, 2), (0.2, 1)], Screen(terminal=False, unicode=False), height=2, labels="ab"))
        assert lines == ["2 |:", "  |#.", "0 +--", "   ab"]

    def test_nothing_at_all(self) -> None:
        assert list(plot.columns([], self.SCREEN, height=1)) == ["0 │", "0 └"]
        assert list(plot.columns([(0, 0)], self.SCREEN, height=1)) == ["0 │", "0 └─"]

    def test_the_scale_has_its_room(self) -> None:
        lines = list(plot.columns([(120.5, 1234)], self.SCREEN, height=3, labels="x"))
        assert {line.index("│") for line in lines[:3]} == {lines[3].index("└")} == {lines[4].index("x") - 1}


def test_json(played: Forecast) -> None:
    found = forecast_json.forecast(played)
    json.dumps(found)
    assert (found["from"], found["until"]) == ("2026-10-24T00:00:00.000000Z", "2026-10-26T00:00:00.000000Z")
    assert (found["timezone"], found["workers"], found["seed"], found["breaks_sla"]) == ("Europe/Madrid", 4, 1, True)
    jobs = {each["name"]: each for each in found["jobs"]}
    assert jobs["backup"]["sla"] == {"start_within": 240.0, "finish_within": 720.0, "late": 1, "overdue": 1}
    assert jobs["backup"]["duration"] == {"median": 600.0, "p95": 600.0, "from": "history", "runs": 7}
    assert jobs["seldom"]["delay"] == {"median": None, "p95": None, "max": None}
    assert (jobs["etl"]["fires"], jobs["etl"]["starts"], jobs["etl"]["skips"]) == (288, 96, 192)
    assert len(found["load"]) == 48
    assert found["load"][0].keys() == {"at", "mean", "peak", "starts"}
    assert [each["time"] for each in found["day"]][:3] == ["00:00", "00:30", "01:00"]
    assert found["peak"] == {"running": 4, "at": "2026-10-24T00:30:00.000000Z"}
    assert found["collisions"][0]["runs"] == 5
    assert found["idle"] == []
    assert found["clock_changes"][0]["jobs"] == ["backup", "first", "guess", "short"]
    assert found["unplayed"] == [{"key": "after", "jobs": ["x"]}]
    assert found["suggestion"]["present"]["expression"] == "30 2 * * *"
    assert found["suggestion"]["choices"]
    assert forecast_json.forecast(played._replace(suggestion=None))["suggestion"] is None
