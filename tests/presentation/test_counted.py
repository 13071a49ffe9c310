"""A count with what is counted."""

import pytest

from jobrunner.presentation.counted import counted


@pytest.mark.parametrize(
    ("count", "more", "shown"),
    [(0, False, "0 runs"), (1, False, "1 run"), (2_000, False, "2,000 runs"), (1, True, "1+ runs")],
)
def test_one_has_no_plural_unless_there_are_more(count: int, more: bool, shown: str) -> None:
    assert counted(count, "run", more=more) == shown
