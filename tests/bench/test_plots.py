"""What a plot shows, and that a picture of it can be made."""

from __future__ import annotations

from pathlib import Path

from bench.plots import Bar, Line, bars, draw, lines, logarithmic
from bench.result import Result, Row, Table

DRAIN = Table(
    title="Drain",
    unit="runs/s",
    rows=(
        Row(name="Huey", values=(9.0, 10.0, 12.0)),
        Row(name="away", failed="no network"),
        Row(name="jobrunner, SQLite", values=(8.0,)),
    ),
)
GROWTH = Table(
    title="Growth",
    unit="ms",
    axis="runs kept",
    rows=tuple(Row(name="runs", at=size, values=(size / 1e5,)) for size in (1e6, 1e3)),
)


def test_bars_are_medians_with_what_was_least_and_most() -> None:
    assert bars(DRAIN) == [Bar("Huey", 10.0, 9.0, 12.0, False), Bar("jobrunner, SQLite", 8.0, 8.0, 8.0, True)]


def test_lines_go_from_the_smallest_size_on() -> None:
    assert lines(GROWTH) == [Line("runs", (1e3, 1e6), (0.01, 10.0))]


def test_values_far_from_each_other_make_the_axis_logarithmic() -> None:
    assert logarithmic([1.0, 1_000.0])
    assert not logarithmic([1.0, 2.0])
    assert not logarithmic([0.0, 1_000.0])
    assert not logarithmic([5.0])


def test_a_picture_for_each_table(tmp_path: Path) -> None:
    result = Result(name="both", machine="2 processors", taken="2026-11-25", tables=(DRAIN, GROWTH))
    drawn = draw(result, tmp_path)
    assert [path.name for path in drawn] == ["both-1.svg", "both-2.svg"]
    assert all(path.read_text().startswith("<?xml") for path in drawn)
