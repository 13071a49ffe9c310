"""What a measurement found is kept as it was, and its tables say what was compared with what."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench.result import Result, Row, Table, against, in_turn, markdown, parts
from bench.table import number, ratios, spread

TABLE = Table(
    title="Drain",
    unit="runs/s",
    rows=(
        Row(name="theirs", values=(10.0, 20.0, 40.0)),
        Row(name="ours", values=(20.0, 20.0, 20.0), against="theirs", note="warm"),
        Row(name="away", failed="cannot install away==1"),
    ),
    versus=("ours",),
    notes=("20 runs",),
)


def test_a_table_shows_medians_spreads_and_ratios_round_by_round() -> None:
    assert markdown(TABLE).splitlines() == [
        "### Drain",
        "",
        "|  | runs/s, median (least–most) | ratio | also |",
        "| --- | ---: | ---: | ---: |",
        "| theirs | 20 (10–40) |  |  |",
        "| ours | 20 (20–20) | 1.00 × (0.50–2.00) | warm |",
        "| away | not measured: cannot install away==1 |  |  |",
        "",
        "| (more is better) | ours : |",
        "| --- | ---: |",
        "| theirs | 1.00 × (0.50–2.00) |",
        "",
        "- 20 runs",
    ]


def test_what_was_measured_for_several_sizes_has_a_column_each() -> None:
    rows = [Row(name="claim", at=size, values=(value, value)) for size, value in ((1e3, 10.0), (1e6, 9.0))]
    [(head, body)] = parts(Table(title="Growth", unit="/s", rows=tuple(rows), axis="runs"))
    assert head == ["", "1,000 runs", "1,000,000 runs", "last : first"]
    assert body == [["claim", "10 (10–10)", "9 (9–9)", "0.90 × (0.90–0.90)"]]


def test_a_result_is_read_as_it_was_kept(tmp_path: Path) -> None:
    result = Result(name="drain", machine="2 processors", taken="2026-11-25 18:00 UTC", tables=(TABLE,))
    result.save(tmp_path / "drain.json")
    assert Result.load(tmp_path / "drain.json") == result


def test_everything_is_measured_in_turn_and_what_cannot_be_says_why(capsys: pytest.CaptureFixture[str]) -> None:
    order = list[str]()

    def measure(name: str, value: float) -> float:
        order.append(name)
        return value

    def fail() -> float:
        order.append("bad")
        raise RuntimeError("no network\nand more")

    rows = in_turn(2, {"a": lambda: measure("a", 1.0), "bad": fail, "b": lambda: measure("b", 2.0)})
    assert order == ["a", "bad", "b", "a", "b"]
    assert against(rows, {"a": "b"}) == (
        Row(name="a", values=(1.0, 1.0), against="b"),
        Row(name="bad", failed="no network"),
        Row(name="b", values=(2.0, 2.0)),
    )
    assert "round 2: b: 2.00" in capsys.readouterr().err


def test_numbers_have_about_three_digits_that_say_something() -> None:
    assert [number(value) for value in (12345.6, 100, 12.34, 1.234, 0.01234)] == [
        "12,346",
        "100",
        "12.3",
        "1.23",
        "0.0123",
    ]
    assert spread([12.3, 11.0, 15.2], "ms") == "12.3 ms (11–15.2)"
    assert ratios([1.0, 4.0], [2.0, 2.0]) == "1.25 × (0.50–2.00)"
