"""The page of figures: what is replaced, and that every measurement has its place in it."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench.__main__ import NAMES
from bench.page import PAGE, part, replaced
from bench.result import Result, Row, Table


def test_a_part_takes_the_place_of_the_one_before() -> None:
    page = "a\n<!-- bench x -->\nold\n<!-- end x -->\nb\n<!-- bench y -->\nkept\n<!-- end y -->\n"
    once = replaced(page, "x", r"new \1" + "\n")
    assert once == page.replace("old", r"new \1")
    assert replaced(once, "x", "old\n") == page


def test_a_page_without_the_marks_is_left_alone() -> None:
    with pytest.raises(ValueError, match=r"has no <!-- bench z -->"):
        replaced("a\n", "z", "new")


def test_a_part_has_machine_tables_and_pictures() -> None:
    table = Table(title="Drain", unit="runs/s", rows=(Row(name="ours", values=(1.0,)),))
    text = part(Result(name="drain", machine="2 processors", taken="today", tables=(table,)), [Path("drain.svg")])
    assert text.startswith("Measured today on: 2 processors.\n")
    assert "### Drain" in text
    assert "![Drain](pictures/bench/drain.svg)" in text


@pytest.mark.parametrize("name", NAMES)
def test_every_measurement_has_its_place(name: str) -> None:
    assert replaced(PAGE.read_text(), name, "x")
