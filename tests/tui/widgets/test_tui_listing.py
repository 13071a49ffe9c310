"""The list of rows with a cursor, marks and titles."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from keyboard import press
from textual.app import App, ComposeResult

from jobrunner.presentation.screen import Screen
from jobrunner.presentation.table import Cell, Column
from jobrunner.tui.widgets.listing import Line, Listing

pytestmark = pytest.mark.anyio

TERMINAL = Screen(terminal=True, colour=True)
COLUMNS = (
    Column(title="STATE"),
    Column(title="NAME", minimum=8),
    Column(title="TOOK", right=True, leaves=1),
)


def line(row: tuple[str, str]) -> Line:
    name, took = row
    return Line(name, (Cell("● ok", "green"), Cell(name), Cell(took, "dim")))


def rows(count: int) -> list[tuple[str, str]]:
    return [(f"job-{number:05}", f"{number} s") for number in range(count)]


class Shown(App[None]):
    """An app of one list, which remembers what the list has said."""

    def __init__(self, screen: Screen = TERMINAL, columns: Sequence[Column] = COLUMNS, **options: Any) -> None:
        super().__init__()
        self.listing = Listing(columns, screen=screen, **options)
        self.said: list[Any] = []

    def compose(self) -> ComposeResult:
        yield self.listing

    def on_mount(self) -> None:
        self.theme = "ansi-dark"
        self.listing.focus()

    def on_listing_moved(self, message: Listing.Moved) -> None:
        self.said.append(("moved", message.key))

    def on_listing_chosen(self, message: Listing.Chosen) -> None:
        self.said.append(("chosen", message.key))

    def on_listing_wanted(self, message: Listing.Wanted) -> None:
        self.said.append(("wanted", message.which))

    def on_listing_all_wanted(self, message: Listing.AllWanted) -> None:
        self.said.append(("all wanted",))

    def on_listing_order_wanted(self, message: Listing.OrderWanted) -> None:
        self.said.append(("order", message.column))

    def lines(self) -> list[str]:
        return [self.listing.render_line(y).text.rstrip() for y in range(self.listing.size.height)]


async def test_rows_stand_under_their_titles() -> None:
    app = Shown()
    async with app.run_test(size=(30, 5)) as pilot:
        app.listing.show(rows(2), line)
        await pilot.pause()
        assert app.lines() == [
            "   STATE  NAME       TOOK",
            "▌  ● ok   job-00000   0 s",
            "   ● ok   job-00001   1 s",
            "",
            "",
        ]


async def test_ascii_where_there_is_no_unicode() -> None:
    app = Shown(Screen(terminal=True, unicode=False))
    async with app.run_test(size=(24, 3)) as pilot:
        app.listing.show(
            [("a-name-that-is-too-long", "1 s")], lambda row: Line(row[0], (Cell("* ok"), Cell(row[0]), Cell("")))
        )
        await press(pilot, "space")
        app.listing.set_order(1, descending=True)
        assert app.lines() == ["   STATE  NAME v    TOOK", "|+ * ok   a-name-~     -", ""]


async def test_only_rows_in_sight_are_written() -> None:
    written = []

    def counted(row: tuple[str, str]) -> Line:
        written.append(row)
        return line(row)

    app = Shown(key=lambda row: row[0])
    async with app.run_test(size=(40, 11)) as pilot:
        many = rows(10_000)
        app.listing.show(many, counted)
        await press(pilot, "G", "g")
        app.listing.show(list(many), counted)
        await pilot.pause()
        assert len(written) == 20


async def test_only_lines_that_differ_are_repainted() -> None:
    app = Shown()
    async with app.run_test(size=(40, 20)) as pilot:
        many = rows(50)
        app.listing.show(many, line)
        await pilot.pause()
        app.listing._exchange_repaint_regions()
        app.listing.show([*many[:4], ("job-00004", "9 s"), *many[5:]], line)
        assert {region.y for region in app.listing._exchange_repaint_regions()} == {5}
        app.listing.action_move(1)
        assert {region.y for region in app.listing._exchange_repaint_regions()} == {1, 2}


async def test_times_that_go_on_are_written_again() -> None:
    now = [1]
    app = Shown()

    def timed(row: str) -> Line:
        return Line(row, (Cell("ok"), Cell(row), Cell(f"{now[0]} s")))

    async with app.run_test(size=(40, 5)) as pilot:
        app.listing.show(["a"], timed)
        await pilot.pause()
        now[0] = 2
        assert "1 s" in app.lines()[1]
        app.listing.again()
        assert "2 s" in app.lines()[1]


async def test_keys_move_the_cursor() -> None:
    app = Shown()
    async with app.run_test(size=(40, 11)) as pilot:
        app.listing.show(rows(100), line)
        for keys, place in (("jj", 2), ("k", 1), ("G", 99), ("g", 0)):
            await press(pilot, *keys)
            assert app.listing.cursor_key == f"job-{place:05}"
        for key, place in (
            ("pagedown", 9),
            ("ctrl+f", 18),
            ("ctrl+b", 9),
            ("pageup", 0),
            ("end", 99),
            ("home", 0),
            ("down", 1),
            ("up", 0),
        ):
            await press(pilot, key)
            assert app.listing.position == place, key
        await press(pilot, "enter")
        assert app.said[-1] == ("chosen", "job-00000")
        assert ("moved", "job-00099") in app.said


async def test_the_cursor_is_seen_without_colour_and_without_the_focus() -> None:
    app = Shown(Screen(terminal=True))
    async with app.run_test(size=(30, 4)) as pilot:
        app.listing.show(rows(2), line)
        await pilot.pause()
        assert all(segment.style and segment.style.reverse for segment in app.listing.render_line(1))
        app.screen.set_focus(None)
        await pilot.pause()
        under = app.listing.render_line(1)
        assert under.text.startswith("▌")
        assert not any(segment.style and segment.style.reverse for segment in under)
        assert not any(segment.style and segment.style.color for segment in under)


async def test_marks_follow_their_rows() -> None:
    app = Shown()
    async with app.run_test(size=(40, 11)) as pilot:
        app.listing.show(rows(5), line)
        await press(pilot, "space", "j", "space")
        assert app.listing.chosen == ("job-00000", "job-00002")
        app.listing.show(rows(5)[::-1], line)
        await pilot.pause()
        assert [text[1] for text in app.lines()[1:6]] == [" ", " ", "✓", " ", "✓"]
        app.listing.clear_marks()
        assert app.listing.chosen == ("job-00003",)


async def test_a_range_grows_and_shrinks_with_the_cursor() -> None:
    app = Shown()
    async with app.run_test(size=(40, 11)) as pilot:
        app.listing.show(rows(100), line)
        await press(pilot, "j", "V", "j", "j", "j", "k")
        assert app.listing.marked == {"job-00001", "job-00002", "job-00003"}
        await press(pilot, "V", "j", "j")
        assert len(app.listing.marked) == 3
        await press(pilot, "V", "j")
        assert app.listing.clear_marks()
        assert len(app.listing.marked) == 3


async def test_all_is_marked_or_asked_for() -> None:
    app = Shown()
    async with app.run_test(size=(40, 11)) as pilot:
        app.listing.show(rows(30), line)
        await press(pilot, "A")
        assert len(app.listing.marked) == 30
        await press(pilot, "A")
        assert not app.listing.marked
        app.listing.show(rows(30), line, more_after=True)
        await press(pilot, "A")
        assert ("all wanted",) in app.said
        assert not app.listing.marked


async def test_a_window_asks_for_what_is_beyond_it_once() -> None:
    app = Shown()
    async with app.run_test(size=(40, 11)) as pilot:
        app.listing.show(rows(100), line, more_after=True)
        await press(pilot, *["pagedown"] * 9)
        assert app.said.count(("wanted", "after")) == 1
        key = app.listing.cursor_key
        app.listing.show(rows(200)[50:], line, more_before=True)
        await pilot.pause()
        assert app.listing.cursor_key == key
        await press(pilot, "g")
        assert app.said[-1] == ("wanted", "first")
        app.listing.show(rows(100), line, more_after=True)
        assert app.listing.cursor_key == "job-00000"
        await press(pilot, "G")
        assert app.said[-2:] == [("moved", "job-00000"), ("wanted", "last")]
        app.listing.show(rows(900)[700:], line, more_before=True)
        assert app.listing.cursor_key == "job-00899"


async def test_a_row_that_is_looked_for_gets_the_cursor_when_it_comes() -> None:
    app = Shown()
    async with app.run_test(size=(40, 11)) as pilot:
        app.listing.go_to("job-00040")
        app.listing.show(rows(10), line)
        assert app.listing.position == 0
        app.listing.show(rows(100), line)
        await pilot.pause()
        assert app.listing.cursor_key == "job-00040"
        assert app.said[-1] == ("moved", "job-00040")


async def test_the_mouse_moves_opens_scrolls_and_orders() -> None:
    app = Shown()
    async with app.run_test(size=(40, 11)) as pilot:
        app.listing.show(rows(100), line)
        await pilot.pause()
        await pilot.click(app.listing, offset=(5, 4))
        assert app.listing.position == 3
        await pilot.double_click(app.listing, offset=(5, 5))
        assert app.said[-1] == ("chosen", "job-00004")
        await pilot.click(app.listing, offset=(12, 0))
        assert app.said[-1] == ("order", 1)
        app.listing.on_mouse_scroll_down(_wheel())
        assert app.listing.top == 3


async def test_an_empty_list_says_why_and_what_to_do() -> None:
    app = Shown(empty="No runs match.\nesc takes the filter away")
    async with app.run_test(size=(40, 8)) as pilot:
        await pilot.pause()
        assert not any(app.lines()[1:]), "nothing is said before anything is known"
        app.listing.show([], line)
        await pilot.pause()
        assert [text.strip() for text in app.lines() if text][1:] == ["No runs match.", "esc takes the filter away"]
        await press(pilot, "j", "space", "enter", "V", "G")
        assert app.said == [("moved", None)]


async def test_columns_go_where_the_screen_is_narrow_and_widths_never_shrink() -> None:
    app = Shown()
    async with app.run_test(size=(40, 4)) as pilot:
        app.listing.show([("a-long-name-of-a-job", "1 s"), *rows(20)], line)
        await press(pilot, "G")
        took = app.lines()[1].index(" s")
        await press(pilot, "g")
        assert app.lines()[1].index(" s") == took
        await pilot.resize_terminal(22, 4)
        await pilot.pause()
        assert "TOOK" not in app.lines()[0]


async def test_what_a_name_says_is_not_obeyed() -> None:
    app = Shown()
    async with app.run_test(size=(60, 4)) as pilot:
        app.listing.show([("\x1b[31mred[bold]\n", "日本語é👍")], line)
        await pilot.pause()
        assert "\\x1b[31mred[bold]\\n  日本語é👍" in app.lines()[1]
        assert app.listing.render_line(1).cell_length == 60


def _wheel() -> Any:
    from textual.events import MouseScrollDown

    return MouseScrollDown(None, 0, 0, 0, 0, 0, False, False, False)
