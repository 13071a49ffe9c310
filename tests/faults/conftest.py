"""What went wrong, when a figure is missed, is the figure."""

from collections.abc import Callable, Iterator

import pytest
from figures import Figures
from statements import Statements


@pytest.fixture
def reached() -> Callable[[Figures], None]:
    """Holds figures against what they have to be."""

    def look(figures: Figures) -> None:
        assert figures.missed == [], figures

    return look


@pytest.fixture
def scenes() -> Iterator[Statements]:
    """Deaths between statements, on SQLite."""
    made = Statements()
    yield made
    made.close()
