"""What several runs print into one pipe, told apart."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from jobrunner.execution.parts import Parts

MARK = b"\0ab!"

texts = st.lists(st.sampled_from([b"\0", b"a", b"b", b"\0ab", b"line\n"]), max_size=6).map(b"".join)


@given(st.lists(texts, min_size=1, max_size=4), st.lists(st.integers(1, 5), min_size=1))
def test_parts_are_what_was_written_between_marks_in_whatever_pieces_they_come(
    written: list[bytes], sizes: list[int]
) -> None:
    parts, stream, found = Parts(MARK), MARK.join(written), [b""]
    pieces = []
    while stream:
        size = sizes[len(pieces) % len(sizes)]
        pieces.append(stream[:size])
        stream = stream[size:]
    for piece in pieces:
        data = piece
        while True:
            found[-1] += parts.take(data)
            if not parts.over:
                break
            parts.turn()
            found.append(b"")
            data = b""
    found[-1] += parts.rest()
    assert found == written


def test_what_is_no_mark_is_known_at_once() -> None:
    parts = Parts(MARK)
    assert parts.take(b"said\n") == b"said\n"
    assert parts.take(b"\0a") == b""
    assert parts.take(b"c") == b"\0ac"


def test_what_is_behind_a_mark_is_held_until_its_turn() -> None:
    parts = Parts(MARK)
    assert parts.take(b"one" + MARK + b"tw") == b"one"
    assert parts.over
    assert parts.take(b"o") == b""
    parts.turn()
    assert parts.take(b"") == b"two"
    assert parts.rest() == b""
