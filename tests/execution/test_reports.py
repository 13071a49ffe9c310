from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobrunner.domain.run import Progress
from jobrunner.execution.reports import ProgressLines, ProgressValve

_TEXT = (
    b"hello\n::progress 1/3 one step\nworld\n::progress 2\n::progress 2.5/3\r\n"
    b" ::progress 9/9 indented\n::progress x/3\nx ::progress 8/9\n::progress 3/3 done"
)
_REPORTS = [
    Progress(done=1, total=3, message="one step"),
    Progress(done=2),
    Progress(done=2.5, total=3),
    Progress(done=3, total=3, message="done"),
]


@given(st.lists(st.integers(0, len(_TEXT)), max_size=12))
def test_lines_are_found_wherever_the_stream_breaks(cuts: list[int]) -> None:
    cuts = sorted(cuts)
    lines = ProgressLines()
    found = []
    for start, end in zip([0, *cuts], [*cuts, len(_TEXT)], strict=True):
        found += lines.feed(_TEXT[start:end])
    assert found + lines.finish() == _REPORTS


@given(st.lists(st.binary(max_size=50)))
def test_any_bytes_are_taken(pieces: list[bytes]) -> None:
    lines = ProgressLines()
    for piece in pieces:
        lines.feed(piece)
    lines.finish()


def test_a_line_without_end_is_not_kept() -> None:
    lines = ProgressLines()
    assert lines.feed(b"::progress 1/2 ") == []
    for _ in range(100):
        assert lines.feed(b"x" * 1000) == []
    assert lines.feed(b"\n::progress 2/2\n") == [Progress(done=2, total=2)]


class _Clock:
    def __init__(self) -> None:
        self.time = 100.0

    def monotonic(self) -> float:
        return self.time


def test_ten_a_second_and_the_last_one_always() -> None:
    clock, told = _Clock(), []
    valve = ProgressValve(clock, told.append)  # type: ignore[arg-type]
    for step in range(3000):
        valve.put(Progress(done=step))
        clock.time += 0.001
    valve.flush()
    assert len(told) <= 32
    assert told[0].done == 0
    assert told[-1].done == 2999


def test_what_was_held_back_is_told_when_its_time_has_come() -> None:
    clock, told = _Clock(), []
    valve = ProgressValve(clock, told.append)  # type: ignore[arg-type]
    assert valve.pause() is None
    valve.put(Progress(done=1))
    valve.put(Progress(done=2))
    assert valve.pause() == pytest.approx(0.1)
    clock.time += 0.11
    assert valve.pause() is None
    assert [progress.done for progress in told] == [1, 2]
