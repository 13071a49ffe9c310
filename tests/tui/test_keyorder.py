"""Keys that are typed ahead: they wait for the rows that they are meant for."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest
from textual import events
from textual.app import ComposeResult

from jobrunner.presentation.table import Cell, Column
from jobrunner.tui import keyorder
from jobrunner.tui.selection import Selection
from jobrunner.tui.view import View
from jobrunner.tui.widgets.listing import Line, Listing

pytestmark = pytest.mark.anyio

Dashboard = Callable[..., Any]


class Slow(View):
    """A list whose filtered rows come when ``gate`` is opened."""

    name_shown = "Slow"
    filterable = True

    def __init__(self) -> None:
        super().__init__()
        self.gate = threading.Event()

    def body(self) -> ComposeResult:
        yield Listing([Column(title="NAME")], screen=self.terminal, id="slow")

    def question(self) -> Callable[[Any], object]:
        text = self.filter_text
        return lambda _: [text] if text and self.gate.wait(30) else ["first", "second"]

    def show(self, answer: Any) -> None:
        self.query_one(Listing).show(answer, lambda row: Line(row, (Cell(row),)))

    def filter(self, text: str) -> None:
        self.ask(interrupt=True)

    def selection(self) -> Selection:
        return Selection("job", tuple(map(str, self.query_one(Listing).chosen)))


async def type_ahead(opened: Any, typed: str) -> None:
    """All keys at once, as they come over a slow line."""
    names = {"/": "slash", "\r": "enter", "\x1b": "escape"}
    for key in typed:
        opened.app.post_message(events.Key(names.get(key, key), key))
    await opened.pilot.pause()


async def slow(opened: Any) -> Slow:
    view = Slow()
    opened.app.open(view)
    await opened.until(lambda: opened.app.screen is view)
    await opened.settled()
    return view


async def test_a_key_acts_on_the_rows_that_were_asked_for(dashboard: Dashboard) -> None:
    async with dashboard() as opened:
        view = await slow(opened)
        await type_ahead(opened, "/third\rc")
        await opened.until(lambda: view.filter_text == "third" and view.settling)
        await opened.pilot.pause(0.05)
        assert opened.app.clipboard == ""
        view.gate.set()
        await opened.until(lambda: opened.app.clipboard)
        assert opened.app.clipboard == "third"


async def test_the_keys_behind_it_stay_behind_it(dashboard: Dashboard) -> None:
    async with dashboard() as opened:
        view = await slow(opened)
        await type_ahead(opened, "/third\rc3")
        await opened.until(lambda: view.filter_text == "third" and view.settling)
        await opened.pilot.pause(0.05)
        assert opened.app.view is view
        view.gate.set()
        await opened.until(lambda: opened.app.view.number == "3")
        assert opened.app.clipboard == "third"


async def test_keys_that_only_look_do_not_wait(dashboard: Dashboard) -> None:
    async with dashboard() as opened:
        view = await slow(opened)
        await type_ahead(opened, "/third\r3")
        await opened.until(lambda: opened.app.view.number == "3")
        view.gate.set()


async def test_escape_takes_the_place_of_what_waits(dashboard: Dashboard) -> None:
    async with dashboard() as opened:
        view = await slow(opened)
        await type_ahead(opened, "/third\rc")
        await opened.until(lambda: view.filter_text == "third")
        await opened.pilot.pause(0.05)
        await type_ahead(opened, "\x1b")
        await opened.until(lambda: view.filter_text == "")
        view.gate.set()
        await opened.settled()
        assert opened.app.clipboard == ""


async def test_what_has_waited_too_long_is_given_up(dashboard: Dashboard, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keyorder, "MOST_HELD_SECONDS", 0.01)
    async with dashboard() as opened:
        view = await slow(opened)
        await type_ahead(opened, "/third\rc")
        await opened.until(lambda: "given up" in opened.text())
        view.gate.set()
        await opened.settled()
        assert opened.app.clipboard == ""
