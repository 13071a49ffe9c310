"""Output of attempts: bytes come back in order with stream and time, gaps are told, lost servers write nothing."""

from __future__ import annotations

from collections.abc import Sequence

from samples import NOW, end, later, put, serve, start

from jobrunner.domain.status import OutputPart
from jobrunner.store import Database, output
from jobrunner.store.output import Place, Row, Segment


def row(seq: int, start_at: int, *pieces: tuple[int, bytes], at: float = 0) -> Row:
    segments = tuple(Segment(stream, later(at + number), len(data)) for number, (stream, data) in enumerate(pieces))
    return Row(seq, start_at, segments, b"".join(data for _, data in pieces))


def everything(db: Database, run_id: int, attempt: int = 1) -> list[OutputPart]:
    parts, place = list[OutputPart](), Place()
    while True:
        more, place = output.read(db, run_id, attempt, place=place)
        if not more:
            return parts
        parts += more


def write(db: Database, run_id: int, server: int, rows: Sequence[Row], drop: tuple[int, int] | None = None) -> None:
    output.write(db, run_id, 1, server, rows, drop=drop)


def test_bytes_come_back_in_order_with_stream_and_time(db: Database) -> None:
    server = serve(db)
    run_id = start(db, put(db), server).id
    every_byte = bytes(range(256))
    write(db, run_id, server, [row(0, 0, (0, b"one\n"), (1, every_byte), (0, b"two"))])
    write(db, run_id, server, [row(1, 263, (1, b"\xff\0end"), at=7)])
    parts = everything(db, run_id)
    assert [(part.stream, part.data) for part in parts] == [
        ("stdout", b"one\n"),
        ("stderr", every_byte),
        ("stdout", b"two"),
        ("stderr", b"\xff\0end"),
    ]
    assert [part.at for part in parts] == [NOW, later(1), later(2), later(7)]
    assert {part.dropped for part in parts} == {0}


def test_a_reader_goes_on_where_it_was(db: Database) -> None:
    server = serve(db)
    run_id = start(db, put(db), server).id
    assert output.read(db, run_id, 1, place=Place()) == ([], Place())
    write(db, run_id, server, [row(0, 0, (0, b"one"))])
    parts, place = output.read(db, run_id, 1, place=Place())
    assert ([part.data for part in parts], place) == ([b"one"], Place(0, 3))
    assert output.read(db, run_id, 1, place=place) == ([], place)
    write(db, run_id, server, [row(1, 3, (0, b"two"))])
    parts, place = output.read(db, run_id, 1, place=place)
    assert [part.data for part in parts] == [b"two"]


def test_what_was_dropped_leaves_a_gap_that_says_how_much(db: Database) -> None:
    server = serve(db)
    run_id = start(db, put(db), server).id
    write(db, run_id, server, [row(seq, seq * 4, (0, b"%04d" % seq)) for seq in range(6)])
    write(db, run_id, server, [row(6, 24, (1, b"last"))], drop=(2, 5))
    parts = everything(db, run_id)
    assert [(part.data, part.dropped) for part in parts] == [
        (b"0000", 0),
        (b"0001", 0),
        (b"", 12),
        (b"0005", 0),
        (b"last", 0),
    ]


def test_a_gap_that_a_reader_has_already_passed_is_none_to_it(db: Database) -> None:
    server = serve(db)
    run_id = start(db, put(db), server).id
    write(db, run_id, server, [row(0, 0, (0, b"head")), row(1, 4, (0, b"tail"))])
    _, place = output.read(db, run_id, 1, place=Place())
    write(db, run_id, server, [row(2, 8, (0, b"more"))], drop=(1, 2))
    parts, _ = output.read(db, run_id, 1, place=place)
    assert [(part.data, part.dropped) for part in parts] == [(b"more", 0)]


def test_many_rows_come_page_by_page(db: Database) -> None:
    server = serve(db)
    run_id = start(db, put(db), server).id
    write(db, run_id, server, [row(seq, seq * 3, (0, b"%03d" % seq)) for seq in range(50)])
    assert b"".join(part.data for part in everything(db, run_id)) == b"".join(b"%03d" % seq for seq in range(50))
    assert len(output.read(db, run_id, 1, place=Place())[0]) < 50


def test_from_the_last_row_to_the_first(db: Database) -> None:
    server = serve(db)
    run_id = start(db, put(db), server).id
    write(db, run_id, server, [row(seq, seq * 2, (0, b"%02d" % seq)) for seq in range(20)])
    rows = list(output.newest(db, run_id, 1))
    assert [[part.data for part in parts] for parts in rows] == [[b"%02d" % seq] for seq in range(19, -1, -1)]
    assert list(output.newest(db, run_id, 2)) == []


def test_attempts_are_kept_apart(db: Database) -> None:
    server = serve(db)
    first, second = start(db, put(db), server).id, start(db, put(db), server).id
    write(db, first, server, [row(0, 0, (0, b"mine"))])
    write(db, second, server, [row(0, 0, (0, b"yours"))])
    assert [part.data for part in everything(db, first)] == [b"mine"]
    assert everything(db, first, 2) == []


class TestFencing:
    def test_a_server_that_does_not_hold_the_attempt_writes_nothing(self, db: Database) -> None:
        server, other = serve(db), serve(db, "two")
        run_id = start(db, put(db), server).id
        write(db, run_id, other, [row(0, 0, (0, b"intruder"))])
        output.write(db, run_id, 2, server, [row(0, 0, (0, b"another attempt"))], drop=None)
        assert everything(db, run_id) == everything(db, run_id, 2) == []

    def test_nothing_is_added_after_the_end(self, db: Database) -> None:
        server = serve(db)
        claimed = start(db, put(db), server)
        write(db, claimed.id, server, [row(0, 0, (0, b"before"))])
        end(db, claimed, server)
        write(db, claimed.id, server, [row(1, 6, (0, b"after"))])
        assert [part.data for part in everything(db, claimed.id)] == [b"before"]

    def test_nor_is_anything_removed(self, db: Database) -> None:
        server, other = serve(db), serve(db, "two")
        claimed = start(db, put(db), server)
        write(db, claimed.id, server, [row(0, 0, (0, b"kept"))])
        write(db, claimed.id, other, [], drop=(0, 1))
        end(db, claimed, server)
        write(db, claimed.id, server, [], drop=(0, 1))
        assert [part.data for part in everything(db, claimed.id)] == [b"kept"]

    def test_a_row_that_is_written_again_changes_nothing(self, db: Database) -> None:
        server = serve(db)
        run_id = start(db, put(db), server).id
        for _ in range(2):
            write(db, run_id, server, [row(0, 0, (0, b"once")), row(1, 4, (0, b" only"))])
        assert b"".join(part.data for part in everything(db, run_id)) == b"once only"


def test_chunks_are_what_is_kept(db: Database) -> None:
    server = serve(db)
    run_id = start(db, put(db), server).id
    write(db, run_id, server, [row(n, 4 * n, (n % 2, b"row%d" % n)) for n in range(6)])
    write(db, run_id, server, [row(6, 24, (1, b"last"))], drop=(2, 5))
    found, place = output.chunks(db, run_id, 1, place=Place(), most=10)
    assert [(chunk.start, chunk.missing, chunk.data) for chunk in found] == [(0, 0, b"row0"), (4, 0, b"row1")]
    found, place = output.chunks(db, run_id, 1, place=place, most=10)
    assert [(chunk.start, chunk.missing, chunk.data) for chunk in found] == [(20, 12, b"row5"), (24, 0, b"last")]
    assert [(stream, size) for chunk in found for stream, _, size in chunk.segments] == [(1, 4), (1, 4)]
    assert output.chunks(db, run_id, 1, place=place, most=10) == ([], place)
    one, _ = output.chunks(db, run_id, 1, place=Place(), most=1)
    assert [chunk.data for chunk in one] == [b"row0"]
