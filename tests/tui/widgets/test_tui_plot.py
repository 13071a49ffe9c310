"""The plot of how long runs took."""

from __future__ import annotations

from jobrunner.presentation.screen import Screen
from jobrunner.tui.widgets.plot import Length, plot

TERMINAL = Screen(terminal=True, colour=True)
ASCII = Screen(terminal=True, unicode=False)


def drawn(*seconds: float, screen: Screen = TERMINAL, width: int = 40, **options: object) -> list[str]:
    values: dict[str, object] = {"usual": {}, "height": 4, **options}
    lengths = [Length(one, "green") for one in seconds]
    lines = plot(lengths, width=width, screen=screen, **values)  # type: ignore[arg-type]
    return ["".join(cell.text for cell in line).rstrip() for line in lines]


def test_columns_are_as_high_as_lengths_are_long() -> None:
    assert drawn(40, 20, 0) == [
        "40.0s│ █",
        "     │ █",
        "     │ █ █",
        "     │ █ █ ▁",
    ]


def test_usual_lengths_are_lines() -> None:
    found = drawn(40, 10, 10, usual={"p50": 10.0, "p95": 30.0})
    assert found[1] == "p95 30.0s│ █ ┄┄┄┄"
    assert found[3].startswith("p50 10.0s│ █ █ █")


def test_what_is_cut_has_an_arrow() -> None:
    assert drawn(400, 10, top=20.0)[0] == "20.0s│ ▲"
    assert drawn(400, 10, top=20.0, screen=ASCII)[0] == "20.0s| ^"


def test_the_oldest_are_left_out_where_there_is_no_room() -> None:
    found = drawn(*range(1, 100), width=20)
    assert all(len(line) <= 20 for line in found)
    assert found[0].startswith("1m39s│ ")
    assert "█" in found[0]


def test_nothing_and_no_time() -> None:
    assert drawn() == []
    assert drawn(0, 0)[-1] == "    │ ▁ ▁"
