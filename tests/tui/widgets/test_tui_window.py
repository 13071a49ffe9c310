"""Which rows are seen, and where the cursor is, when rows join, go and change places."""

from __future__ import annotations

import pytest

from jobrunner.tui.widgets.window import Window


def window(count: int = 100, *, height: int = 10) -> Window:
    found = Window(lambda row: row, height=height)
    found.show([f"r{number}" for number in range(count)], before=False, after=False)
    return found


def show(window: Window, rows: list[str], *, before: bool = False, after: bool = False) -> None:
    window.show(rows, before=before, after=after)


def test_a_list_that_nobody_has_touched_stays_at_its_top() -> None:
    seen = window()
    show(seen, ["new", *seen.rows])
    assert (seen.top, seen.cursor_key, seen.new_above) == (0, "new", 0)


def test_the_cursor_follows_its_row_while_the_top_is_in_sight() -> None:
    seen = window()
    seen.move(3)
    show(seen, ["new", *seen.rows])
    assert (seen.top, seen.cursor, seen.cursor_key) == (0, 4, "r3")


def test_what_is_read_stays_where_it_is_when_rows_join_above_it() -> None:
    seen = window()
    seen.move(50)
    top = seen.rows[seen.top]
    show(seen, ["new 2", "new 1", *seen.rows])
    assert seen.rows[seen.top] == top
    assert (seen.cursor_key, seen.new_above) == ("r50", 2)
    seen.go_to_top()
    assert (seen.cursor_key, seen.new_above, seen.pinned) == ("new 2", 0, True)


def test_rows_that_change_places_take_the_cursor_with_them() -> None:
    seen = window(20, height=20)
    seen.move(7)
    show(seen, sorted(seen.rows, reverse=True))
    assert seen.cursor_key == "r7"


def test_when_the_row_under_the_cursor_goes_the_cursor_stays_on_its_line() -> None:
    seen = window()
    seen.move(50)
    line = seen.cursor - seen.top
    show(seen, [row for row in seen.rows if row != "r50"])
    assert (seen.cursor - seen.top, seen.cursor_key) == (line, "r51")


def test_when_all_rows_are_others_it_stays_within_bounds() -> None:
    seen = window()
    seen.move(99)
    show(seen, ["x", "y"])
    assert (seen.top, seen.cursor_key) == (0, "y")
    show(seen, [])
    assert (seen.top, seen.cursor_key) == (0, None)


def test_a_page_put_before_moves_nothing_and_counts_as_nothing_new() -> None:
    seen = window()
    show(seen, seen.rows[:], before=True)
    seen.move(2)
    line = seen.cursor - seen.top
    show(seen, [f"older {number}" for number in range(100)] + list(seen.rows), before=True)
    assert (seen.cursor_key, seen.cursor - seen.top, seen.new_above) == ("r2", line, 0)


def test_a_page_trimmed_at_the_top_moves_nothing() -> None:
    seen = window()
    seen.move(80)
    line = seen.cursor - seen.top
    show(seen, seen.rows[50:], before=True)
    assert (seen.cursor_key, seen.cursor - seen.top) == ("r80", line)


@pytest.mark.parametrize(("before", "after", "place", "wanting"), [
    (True, True, 50, None),
    (True, True, 3, "before"),
    (True, True, 95, "after"),
    (False, False, 95, None),
])  # fmt: skip
def test_it_wants_rows_before_they_are_needed(before: bool, after: bool, place: int, wanting: str | None) -> None:
    seen = window()
    seen.go(50)
    show(seen, seen.rows[:], before=before, after=after)
    seen.go(place)
    assert seen.wanting == wanting


def test_the_wheel_takes_the_cursor_along_at_the_edges_only() -> None:
    seen = window()
    seen.move(5)
    seen.scroll(3)
    assert (seen.top, seen.cursor) == (3, 5)
    seen.scroll(3)
    assert (seen.top, seen.cursor) == (6, 6)
    seen.scroll(-6)
    assert (seen.top, seen.cursor) == (0, 6)


def test_a_page_leaves_one_line_in_sight() -> None:
    seen = window()
    seen.page(1)
    assert (seen.top, seen.cursor) == (9, 9)
    seen.page(-1)
    assert (seen.top, seen.cursor) == (0, 0)
    for _ in range(20):
        seen.page(1)
    assert (seen.top, seen.cursor) == (90, 99)


def test_a_lower_screen_keeps_the_cursor_in_sight() -> None:
    seen = window()
    seen.move(9)
    seen.resize(4)
    assert (seen.top, seen.cursor) == (6, 9)
