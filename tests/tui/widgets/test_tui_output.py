"""The view of an output: following, moving, searching, selecting, marking."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from keyboard import press
from textual.app import App, ComposeResult
from textual.pilot import Pilot

from jobrunner.domain.status import OutputPart
from jobrunner.presentation.screen import Screen
from jobrunner.tui.widgets.output import Output

pytestmark = pytest.mark.anyio

TERMINAL = Screen(terminal=True, colour=True)
NOON = datetime(2026, 11, 25, 12, tzinfo=UTC)


def part(data: bytes, stream: str = "stdout", second: float = 0, dropped: int = 0) -> OutputPart:
    return OutputPart(stream=stream, at=NOON + timedelta(seconds=second), data=data, dropped=dropped)


def numbered(first: int, last: int) -> OutputPart:
    return part(b"".join(b"line %d\n" % number for number in range(first, last + 1)))


class Shown(App[None]):
    """An app of one output, which remembers its wishes."""

    def __init__(self, screen: Screen = TERMINAL, **options: Any) -> None:
        super().__init__()
        self.output = Output(screen=screen, **options)
        self.wishes: list[Any] = []

    def compose(self) -> ComposeResult:
        yield self.output

    def on_mount(self) -> None:
        self.theme = "ansi-dark"
        self.output.focus()

    def on_output_copy_wanted(self, message: Output.CopyWanted) -> None:
        self.wishes.append(("copy", message.text, message.lines))

    def on_output_save_wanted(self, message: Output.SaveWanted) -> None:
        self.wishes.append("save")

    def on_output_pager_wanted(self, message: Output.PagerWanted) -> None:
        self.wishes.append(("pager", message.line))

    def lines(self) -> list[str]:
        text = self.output._text
        return [text.render_line(y).text.rstrip() for y in range(text.size.height)]

    def texts(self) -> list[str]:
        """What the lines say, without what stands before them."""
        return [line[4:] for line in self.lines()]

    def cursor_line(self) -> str:
        return next(line[4:] for line in self.lines() if line[:1] in ("▌", "|"))


async def until(pilot: Pilot[None], found: Callable[[], object]) -> None:
    for _ in range(500):
        if found():
            return
        await pilot.pause(0.01)
    raise AssertionError("never came")


async def test_it_follows_until_a_person_moves_upwards_and_from_the_end_on_again() -> None:
    app = Shown()
    async with app.run_test(size=(40, 5)) as pilot:
        app.output.append([numbered(1, 100)])
        await pilot.pause()
        assert app.texts() == [f"line {number}" for number in range(96, 101)]
        app.output.append([numbered(101, 102)])
        await until(pilot, lambda: app.texts()[-1] == "line 102")
        await press(pilot, "k")
        assert not app.output.state.following
        app.output.append([numbered(103, 200)])
        await until(pilot, lambda: app.output.state.lines == 200)
        assert app.texts()[-1] == "line 102"
        assert app.cursor_line() == "line 101"
        await press(pilot, "f")
        assert app.texts()[-1] == "line 200"
        await press(pilot, "f")
        assert not app.output.state.following
        await press(pilot, "end")
        assert app.output.state.following


async def test_a_line_that_becomes_whole_never_stands_there_twice() -> None:
    app = Shown()
    async with app.run_test(size=(40, 5)) as pilot:
        app.output.append([part(b"one\ntwo")])
        await pilot.pause()
        assert app.texts()[:3] == ["one", "two", ""]
        app.output.append([part(b"!\nthree")])
        app.output.set_zone(ZoneInfo("Europe/Berlin"))  # paints before its time comes
        assert app.texts()[:4] == ["one", "two!", "three", ""]
        app.output.end()
        assert app.texts()[:4] == ["one", "two!", "three", ""]
        assert app.output.state.lines == 3


async def test_keys_move_through_it() -> None:
    app = Shown()
    async with app.run_test(size=(40, 11)) as pilot:
        app.output.append([numbered(1, 100)])
        steps = [
            ("g", 1),
            ("j", 2),
            ("down", 3),
            ("k", 2),
            ("pagedown", 12),
            ("ctrl+f", 22),
            ("pageup", 12),
            ("ctrl+b", 2),
            ("G", 100),
            ("home", 1),
        ]
        for key, line in steps:
            await press(pilot, key)
            assert (key, app.output.state.line) == (key, line)
            assert app.cursor_line() == f"line {line}"
        app.output.go_to_line(50)
        assert app.cursor_line() == "line 50"


async def test_an_unfinished_line_is_shown_and_replaced_when_it_grows() -> None:
    app = Shown()
    async with app.run_test(size=(40, 5)) as pilot:
        app.output.append([part(b"begin\n 10%")])
        await pilot.pause()
        assert app.texts()[:2] == ["begin", " 10%"]
        app.output.append([part(b"\r 20%")])
        await until(pilot, lambda: app.texts()[:3] == ["begin", " 20%", ""])
        app.output.append([part(b"\r done\nnext\n")])
        await until(pilot, lambda: app.texts()[:3] == ["begin", " done", "next"])


async def test_streams_are_told_apart_without_colour_and_can_be_shown_alone() -> None:
    app = Shown(Screen(terminal=True, unicode=False))
    async with app.run_test(size=(40, 6)) as pilot:
        app.output.append([part(b"one\n"), part(b"bad\n", "stderr"), part(b"", dropped=3072), part(b"two\n")])
        await pilot.pause()
        assert app.lines() == ["   |one", "  E|bad", "    -- 3 KiB were dropped here --", "|  |two", "", ""]
        await press(pilot, "s")
        assert app.lines()[:3] == ["  E|bad", "|   -- 3 KiB were dropped here --", ""]
        assert app.output.state.words(app.output._screen) == "line 3 of 4 - 12 B - 3 KiB dropped - 2 shown: err only"
        await press(pilot, "s")
        assert [line[4:] for line in app.lines()[:3]] == ["one", "-- 3 KiB were dropped here --", "two"]
        await press(pilot, "s")
        assert app.output.state.streams == "out+err"


async def test_searching_as_it_is_typed_with_a_count_and_back_again() -> None:
    app = Shown()
    async with app.run_test(size=(60, 8)) as pilot:
        app.output.append([numbered(1, 100)])
        app.output.go_to_line(20)
        await press(pilot, "slash", *"line 3")
        await until(pilot, lambda: app.output.state.searched and app.output.state.matches == 11)
        assert app.cursor_line() == "line 30"
        await press(pilot, "escape")
        assert (app.cursor_line(), app.output.state.search) == ("line 20", "")
        await press(pilot, "slash", *"line 3", "enter")
        await until(pilot, lambda: app.output.state.match == 2)
        for key, line in (("n", 31), ("N", 30), ("N", 3), ("N", 39)):
            await press(pilot, key)
            assert app.output.state.line == line
        assert app.output.state.remark == "around the end"
        assert 'match 11 of 11 "line 3"' in app.output.state.words(TERMINAL)
        reversed_ = [segment.text for segment in app.output._text._strips[0] if segment.style and segment.style.reverse]
        assert reversed_ == ["line 3"]


async def test_a_search_that_is_no_regular_expression_says_so() -> None:
    app = Shown()
    async with app.run_test(size=(80, 8)) as pilot:
        app.output.append([numbered(1, 5)])
        await press(pilot, "slash", *"/(/")
        await pilot.pause()
        assert "not a regular expression" in app.output._line._complaint.text
        await press(pilot, "backspace")
        await pilot.pause()
        assert app.output._line._complaint.text == ""


async def test_what_is_not_there_is_said_to_be_missing() -> None:
    app = Shown()
    async with app.run_test(size=(40, 5)) as pilot:
        app.output.append([numbered(1, 9)])
        app.output.find("nowhere")
        await until(pilot, lambda: app.output.state.remark == "not found")


async def test_only_lines_that_match_and_the_cursor_stays_on_its_line() -> None:
    app = Shown()
    async with app.run_test(size=(40, 8)) as pilot:
        app.output.append([numbered(1, 100)])
        app.output.go_to_line(25)
        await press(pilot, "ampersand", *"5", "enter")
        assert app.texts()[:3] == ["line 5", "line 15", "line 25"]
        assert app.cursor_line() == "line 25"
        app.output.append([numbered(101, 200)])
        await until(pilot, lambda: app.output.state.shown == 38)
        await press(pilot, "ampersand", "backspace", "enter")
        assert app.output.state.shown == 200
        assert app.cursor_line() == "line 25"


async def test_jumping_between_errors() -> None:
    app = Shown()
    async with app.run_test(size=(40, 6)) as pilot:
        app.output.append(
            [numbered(1, 50), part(b"KeyError: 'a'\n"), numbered(51, 90), part(b"warn\nwarn\n", "stderr")]
        )
        await press(pilot, "g", "right_curly_bracket")
        assert app.cursor_line() == "KeyError: 'a'"
        await press(pilot, "right_curly_bracket")
        assert (app.cursor_line(), app.output.state.line) == ("warn", 92)
        await press(pilot, "left_curly_bracket")
        assert app.cursor_line() == "KeyError: 'a'"
        app.output.go_to_last_error()
        assert app.output.state.line == 92


async def test_times_off_by_the_clock_and_since_the_beginning() -> None:
    app = Shown(zone=ZoneInfo("Europe/Paris"))
    async with app.run_test(size=(40, 3)) as pilot:
        app.output.append([part(b"a\n"), part(b"b\n", second=61.5)])
        await press(pilot, "T")
        assert app.lines()[:2] == ["  13:00:00.000  │a", "▌ 13:01:01.500  │b"]
        app.output.set_zone(UTC)
        assert app.lines()[0] == "  12:00:00.000  │a"
        await press(pilot, "T")
        assert app.lines()[:2] == ["     +0ms  │a", "▌  +1m02s  │b"]


async def test_long_lines_are_cut_moved_aside_or_wrapped() -> None:
    app = Shown()
    async with app.run_test(size=(14, 4)) as pilot:
        app.output.append([part(b"0123456789abcdefghij\n"), part(b"short\n")])
        await press(pilot, "g")
        assert app.texts()[:2] == ["012345678…", "short"]
        await press(pilot, "right")
        assert app.texts()[:2] == ["56789abcd…", ""]
        await press(pilot, "right", "right")
        assert app.texts()[0] == "fghij"
        await press(pilot, "0")
        assert app.texts()[0] == "012345678…"
        await press(pilot, "w")
        assert app.texts() == ["0123456789", "abcdefghij", "short", ""]
        await press(pilot, "j")
        assert app.cursor_line() == "short"


async def test_a_wrapped_line_that_is_taller_than_the_screen_is_gone_through() -> None:
    app = Shown()
    async with app.run_test(size=(14, 4)) as pilot:
        app.output.append([part(b"top\n" + b"".join(b"%010d" % n for n in range(8)) + b"\nend\n")])
        await press(pilot, "w", "g", "j")
        assert app.texts()[0] == "0000000000"
        await press(pilot, "j", "j")
        assert app.texts() == [f"{n:010}" for n in (2, 3, 4, 5)]
        await press(pilot, "j", "j", "j")
        assert app.cursor_line() == "end"
        await press(pilot, "k", "k", "k", "k", "k", "k")
        assert app.cursor_line() == "top"


async def test_wide_characters_are_not_torn() -> None:
    app = Shown()
    async with app.run_test(size=(13, 4)) as pilot:
        app.output.append([part("日本語日本語\n".encode())])
        await press(pilot, "w")
        assert app.texts()[:2] == ["日本語日", "本語"]
        assert all(strip.cell_length == 13 for strip in app.output._text._strips)


async def test_lines_from_the_mark_are_copied_as_plain_text() -> None:
    app = Shown()
    async with app.run_test(size=(40, 6)) as pilot:
        app.output.append([part(b"a\n\x1b[31mb\x1b[0m\tc\nd\n")])
        await press(pilot, "g", "m", "j")
        assert [line[1] for line in app.lines()[:3]] == ["✓", "✓", " "]
        await press(pilot, "y")
        assert app.wishes == [("copy", "a\nb\tc\n", 2)]
        await press(pilot, "y")
        assert app.wishes[-1] == ("copy", "b\tc\n", 1)


async def test_saving_and_a_pager_are_wishes() -> None:
    app = Shown()
    async with app.run_test(size=(40, 6)) as pilot:
        app.output.append([numbered(1, 9)])
        await press(pilot, "k", "S", "o")
        assert app.wishes == ["save", ("pager", 8)]


async def test_nothing_that_a_job_says_is_obeyed() -> None:
    app = Shown()
    async with app.run_test(size=(60, 4)) as pilot:
        app.output.append([part(b"\x1b]0;evil\x07\x1b[2J[bold]\xff\n")])
        await pilot.pause()
        assert app.texts()[0] == r"\x1b]0;evil\x07\x1b[2J[bold]\xff"


async def test_another_attempt_begins_anew_with_the_same_search() -> None:
    app = Shown(empty="Printed nothing.")
    async with app.run_test(size=(40, 5)) as pilot:
        await pilot.pause()
        assert any("Printed nothing." in line for line in app.lines())
        app.output.append([numbered(1, 50)])
        app.output.find("line 4")
        app.output.clear()
        app.output.note("attempt 2", NOON)
        app.output.append([numbered(40, 41), part(b"rest")])
        app.output.end()
        await until(pilot, lambda: app.output.state.matches == 2)
        assert app.texts()[:4] == ["── attempt 2 ──", "line 40", "line 41", "rest"]


async def test_the_mouse_moves_and_the_wheel_stops_following() -> None:
    app = Shown()
    async with app.run_test(size=(40, 6)) as pilot:
        app.output.append([numbered(1, 50)])
        await pilot.pause()
        await pilot.click(app.output._text, offset=(3, 1))
        assert app.cursor_line() == "line 46"
        app.output.follow()
        await pilot._post_mouse_events([_wheel_up()], app.output._text)
        assert app.texts()[-1] == "line 47"
        assert not app.output.state.following


def _wheel_up() -> Any:
    from textual.events import MouseScrollUp

    return MouseScrollUp
