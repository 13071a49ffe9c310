"""``logs -f --tail N``: where the last lines begin, over pieces of any size."""

from collections import deque
from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from jobrunner.cli.show import _last_lines
from jobrunner.domain.status import OutputPart

AT = datetime(2026, 11, 21, tzinfo=UTC)


@given(st.lists(st.text("ab\n", max_size=6), max_size=8), st.integers(0, 6))
def test_the_last_lines(pieces: list[str], lines: int) -> None:
    parts = deque(OutputPart(stream="stdout", at=AT, data=piece.encode()) for piece in pieces)
    shown = b"".join(part.data for part in _last_lines(parts, lines)).decode()
    whole = "".join(pieces)
    expected = whole.splitlines(keepends=True)
    assert shown == "".join(expected[len(expected) - min(lines, len(expected)) :])
