"""Output in memory: whole lines, who said them and when, and finding in them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobrunner.domain.status import OutputPart
from jobrunner.tui.widgets import seek
from jobrunner.tui.widgets.kept import LONGEST, Kept, Stream
from jobrunner.tui.widgets.seek import ERRORS, Scan, Seek, Wanted, pattern

NOON = datetime(2026, 11, 25, 12, tzinfo=UTC)


def part(data: bytes, stream: str = "stdout", second: int = 0, dropped: int = 0) -> OutputPart:
    return OutputPart(stream=stream, at=NOON + timedelta(seconds=second), data=data, dropped=dropped)


def lines(kept: Kept) -> list[tuple[str, bytes]]:
    found, start = [], 0
    for _ in range(kept.lines):
        said = kept.line(start)
        found.append((said.stream.name, said.data))
        start = kept.next_start(start)
    return found


def scanned(kept: Kept, wanted: Wanted) -> list[int]:
    scan = Scan(kept, wanted)
    while not scan.done:
        scan.step()
    return [kept.number_of(start) for start in scan.found]


def sought(kept: Kept, wanted: Wanted, number: int, *, backwards: bool = False) -> tuple[int | None, bool]:
    search = Seek(kept, wanted, kept.start_of(number), backwards=backwards)
    while not search.done:
        search.step()
    return (None if search.found is None else kept.number_of(search.found)), search.around


def test_a_line_is_not_torn_by_the_other_stream() -> None:
    kept = Kept()
    kept.append([part(b"one\ntw"), part(b"oops\n", "stderr", 1), part(b"o\nthree", second=2)])
    assert lines(kept) == [("OUT", b"one"), ("ERR", b"oops"), ("OUT", b"two")]
    assert [said.data for said in kept.unfinished] == [b"three"]
    assert kept.line(kept.start_of(2)).at == NOON
    kept.end()
    assert lines(kept)[-1] == ("OUT", b"three")
    assert kept.line(kept.start_of(3)).at == NOON + timedelta(seconds=2)
    assert kept.size == len(b"one\ntwo\nthreeoops\n")


def test_what_was_dropped_leaves_a_note_and_a_number() -> None:
    kept = Kept()
    kept.append([part(b"head"), part(b"", dropped=2 << 20), part(b"tail\n")])
    assert lines(kept) == [("OUT", b"head"), ("NOTE", b"2 MiB were dropped here"), ("OUT", b"tail")]
    assert kept.dropped == 2 << 20


@given(st.lists(st.binary(max_size=40_000).map(lambda data: data.replace(b"\x00", b"\n")), max_size=6))
def test_lines_are_found_by_number_and_by_place(pieces: list[bytes]) -> None:
    kept = Kept()
    for piece in pieces:
        kept.append([part(piece)])
    whole = b"".join(pieces)
    expected = [0, *(place + 1 for place, byte in enumerate(whole) if byte == ord("\n"))]
    assert kept.lines == len(expected) - 1
    for number, start in enumerate(expected[:-1]):
        assert kept.start_of(number) == start
        assert kept.number_of(start) == number


def test_a_very_long_line_is_shown_in_part() -> None:
    kept = Kept()
    kept.append([part(b"x" * 5_000_000 + b"\n")])
    said = kept.line(0)
    assert (len(said.data), said.more) == (LONGEST, 5_000_000 - LONGEST)


@pytest.mark.parametrize(("data", "shown"), [
    (b"10%\r20%\r30%\n", b"30%"),
    (b"windows\r\n", b"windows"),
    (b"\r\n", b""),
    (b"10%\r20%\r\n", b"20%"),
])  # fmt: skip
def test_what_a_carriage_return_overwrites_is_not_shown(data: bytes, shown: bytes) -> None:
    kept = Kept()
    kept.append([part(data)])
    assert kept.line(0).data == shown


def test_small_letters_find_capitals_and_slashes_make_a_regular_expression() -> None:
    kept = Kept()
    kept.append([part(b"Error\nerror\n\x1b[31mer\x1b[0mror\na.c\nabc\n")])
    assert scanned(kept, Wanted(pattern("error").of(kept))) == [0, 1, 2]
    assert scanned(kept, Wanted(pattern("Error").of(kept))) == [0]
    assert scanned(kept, Wanted(pattern("a.c").of(kept))) == [3]
    assert scanned(kept, Wanted(pattern("/^a.c$/").of(kept))) == [3, 4]
    with pytest.raises(ValueError, match="not a regular expression"):
        pattern("/(/")


def test_slices_join_without_a_gap(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(seek, "SLICE", 10)
    kept = Kept()
    kept.append([part(b"needle in line %d and needle\n" % number) for number in range(30)])
    kept.append([part(b"hay\n")])
    wanted = Wanted(pattern("needle").of(kept))
    assert scanned(kept, wanted) == list(range(30))
    assert sought(kept, wanted, 4) == (5, False)
    assert sought(kept, wanted, 4, backwards=True) == (3, False)
    assert sought(kept, wanted, 30) == (0, True)
    assert sought(kept, wanted, 0, backwards=True) == (29, True)
    assert sought(kept, Wanted(pattern("nothing").of(kept)), 0) == (None, False)


def test_a_scan_goes_on_with_what_is_added() -> None:
    kept = Kept()
    kept.append([part(b"a\nb\n")])
    scan = Scan(kept, Wanted(pattern("a").of(kept)))
    scan.step()
    assert scan.done
    kept.append([part(b"c\na\n")])
    assert not scan.done
    scan.step()
    assert [kept.number_of(start) for start in scan.found] == [0, 3]


def test_one_stream_alone() -> None:
    kept = Kept()
    kept.append([part(b"1\n2\n"), part(b"3\n4\n", "stderr"), part(b"5\n")])
    assert scanned(kept, Wanted(streams=frozenset({Stream.ERR}))) == [2, 3]
    assert scanned(kept, Wanted(streams=frozenset({Stream.OUT}))) == [0, 1, 4]
    assert scanned(kept, Wanted(pattern("/[24]/").of(kept), frozenset({Stream.ERR}))) == [3]


def test_errors_are_what_says_so_and_where_stderr_begins() -> None:
    kept = Kept()
    kept.append([part(b"fine\nValueError: no\n"), part(b"a\nb\n", "stderr"), part(b"FATAL\nmirror\nok\n")])
    assert [sought(kept, ERRORS, number)[0] for number in (0, 1, 2, 4)] == [1, 2, 4, 1]
    assert sought(kept, ERRORS, 4, backwards=True) == (2, False)
