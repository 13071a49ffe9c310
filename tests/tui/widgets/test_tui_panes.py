"""Panes of details, charts and the schedule's lanes, as widgets."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from keyboard import press
from textual.app import App, ComposeResult
from textual.widget import Widget

from jobrunner.presentation import details
from jobrunner.presentation.screen import Screen, painted
from jobrunner.presentation.table import Cell, Column
from jobrunner.tui.widgets.chart import Chart
from jobrunner.tui.widgets.details import Details
from jobrunner.tui.widgets.lanes import Lane, Lanes, Plan
from jobrunner.tui.widgets.listing import Line, Listing

pytestmark = pytest.mark.anyio

TERMINAL = Screen(terminal=True, colour=True)
ASCII = Screen(terminal=True, unicode=False)
NOON = datetime(2026, 11, 25, 12, tzinfo=UTC)


class Shown(App[None]):
    """An app of some widgets, which remembers what they say."""

    def __init__(self, *shown: Widget) -> None:
        super().__init__()
        self.shown = shown
        self.said: list[Any] = []

    def compose(self) -> ComposeResult:
        yield from self.shown

    def on_mount(self) -> None:
        self.theme = "ansi-dark"
        self.shown[0].focus()

    def on_listing_moved(self, message: Listing.Moved) -> None:
        self.said.append(("moved", message.key))

    def on_lanes_time_wanted(self, message: Lanes.TimeWanted) -> None:
        self.said.append((message.begin - NOON, message.end - NOON))

    def lines(self) -> list[str]:
        strips = self.screen._compositor.render_strips()
        return ["".join(segment.text for segment in strip).rstrip() for strip in strips]


def written(screen: Screen) -> Iterator[str]:
    yield from details.fields([("job", "backup"), ("state", Cell("ok", "green")), ("error", "x " * 40)], screen)
    yield ""
    yield screen.paint("attempts", "bold")
    yield from (f"  {number}" for number in range(1, 10))


def test_what_was_painted_is_taken_apart_again() -> None:
    line = TERMINAL.paint("label", "dim") + "  " + TERMINAL.paint("bad", "bold red") + " rest"
    assert list(painted(line)) == [("label", "dim"), ("  ", ""), ("bad", "bold red"), (" rest", "")]
    assert list(painted("plain")) == [("plain", "")]


async def test_details_are_the_words_of_show_wrapped_under_their_values() -> None:
    app = Shown(Details(screen=TERMINAL))
    async with app.run_test(size=(41, 8)) as pilot:
        pane = app.query_one(Details)
        pane.show(written)
        await pilot.pause()
        assert pane.lines[:2] == ["job    backup", "state  ok"]
        assert [len(line.rstrip()) for line in pane.lines[2:5]] == [40, 40, 18]
        assert pane.lines[3].startswith("       x x")
        assert app.lines()[0] == "▌job    backup"
        assert any(segment.style and segment.style.color for segment in pane.render_line(1))
        await press(pilot, "j")
        assert app.lines()[0] == "▌state  ok"
        await press(pilot, "G")
        assert (app.lines()[-1], pane.more_below) == ("   9", 0)
        pane.show(written)
        await pilot.pause()
        assert app.lines()[-1] == "   9"
        pane.show(written, keep=False)
        await pilot.pause()
        assert app.lines()[0] == "▌job    backup"


async def test_details_without_colours_send_none() -> None:
    app = Shown(Details(screen=Screen(terminal=True)))
    async with app.run_test(size=(41, 8)) as pilot:
        pane = app.query_one(Details)
        pane.show(written)
        await pilot.pause()
        assert not any(segment.style and segment.style.color for y in range(8) for segment in pane.render_line(y))


async def test_only_lines_of_details_that_differ_are_painted_again() -> None:
    app = Shown(Details(screen=TERMINAL))
    async with app.run_test(size=(40, 8)) as pilot:
        pane = app.query_one(Details)
        pane.show(lambda screen: ["a", "b"])
        await pilot.pause()
        pane._exchange_repaint_regions()
        pane.show(lambda screen: ["a", "c"])
        assert [region.y for region in pane._exchange_repaint_regions()] == [1]


async def test_a_chart_is_drawn_to_its_width_and_as_high_as_it_is() -> None:
    chart = Chart(ASCII)
    app = Shown(chart)
    async with app.run_test(size=(10, 5)) as pilot:
        chart.show(lambda width: [(Cell("#" * width),), (Cell("_" * width),)])
        await pilot.pause()
        assert app.lines()[:3] == ["#" * 10, "_" * 10, ""]
        assert chart.size.height == 2
        await pilot.resize_terminal(6, 5)
        await pilot.pause()
        assert app.lines()[0] == "#" * 6


def plan(lanes: int = 3, begin: datetime = NOON, hours: float = 1) -> Plan:
    every = tuple(NOON + timedelta(minutes=minutes) for minutes in range(10, 60, 10))
    rows = tuple(Lane(f"job-{number}", fires=every, right=Cell("in 10 m")) for number in range(lanes))
    return Plan(
        lanes=rows, begin=begin, end=begin + timedelta(hours=hours), now=NOON + timedelta(minutes=5), zone=UTC,
        load=((NOON, 1.0),),
    )  # fmt: skip


async def test_lanes_stand_below_their_times_and_above_the_load() -> None:
    app = Shown(Lanes(screen=ASCII))
    async with app.run_test(size=(52, 7)) as pilot:
        app.query_one(Lanes).show(plan())
        await pilot.pause()
        axis, marks, first, *_, load = app.lines()
        assert marks.strip() == "vnow"
        assert first == "|  job-0     ..:..|....|....|....|....|....  in 10 m"
        assert load.startswith("   load      ####")
        assert load.endswith("peak 1")
        assert axis.index("12:00") == first.index("..:")


async def test_lanes_are_moved_through_and_ask_for_other_times() -> None:
    lanes = Lanes(screen=TERMINAL)
    app = Shown(lanes)
    async with app.run_test(size=(60, 7)) as pilot:
        lanes.show(plan(30))
        await press(pilot, "j")
        assert app.said[-1] == ("moved", "job-1")
        for key, begin, end in (("right", 30, 90), ("left", -30, 30), ("0", 0, 60), ("minus", -25, 335)):
            lanes.show(plan(30, begin=NOON + timedelta(minutes=1)))
            lanes.show(plan(30))
            await press(pilot, key)
            assert app.said[-1] == (timedelta(minutes=begin), timedelta(minutes=end)), key
        await press(pilot, "minus")
        assert app.said[-1][1] - app.said[-1][0] == timedelta(days=1), "keys may come faster than answers"
        lanes.show(plan(30, hours=6))
        await press(pilot, "plus")
        assert app.said[-1][1] - app.said[-1][0] == timedelta(hours=1)


async def test_lanes_without_jobs_say_so() -> None:
    app = Shown(Lanes(screen=TERMINAL))
    async with app.run_test(size=(60, 9)) as pilot:
        app.query_one(Lanes).show(plan(0))
        await pilot.pause()
        assert any("No job has a schedule." in line for line in app.lines())


async def test_a_list_draws_to_its_size_also_where_its_place_was_asked_for_between_a_change_and_its_layout() -> None:
    listing, below = Listing((Column(title="N"),), screen=TERMINAL, key=str), Chart(TERMINAL, lambda width: [(), ()])
    app = Shown(listing, below)
    async with app.run_test(size=(20, 6)) as pilot:
        listing.show(range(20), lambda number: Line(str(number), (Cell(str(number)),)))
        await pilot.pause()
        assert list(listing.seen) == [0, 1, 2]
        below.display = False
        app.screen._compositor._full_map_invalidated = True  # as a widget that was not in sight makes it
        assert app.screen._compositor.full_map[listing].region.height == 6  # nobody is told of this by the layout
        await pilot.pause()
        assert list(listing.seen) == [0, 1, 2, 3, 4]
        assert app.lines()[5].split() == ["4"]
