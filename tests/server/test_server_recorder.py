"""Output on its way to the store: in order, bounded, and whole however an attempt's end and the writing meet."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

import pytest
from pending import Pending
from samples import NOW, ending, put, serve, start

from jobrunner.domain.clock import Clock, SystemClock
from jobrunner.domain.run import Progress
from jobrunner.server.recorder import FLOOD_SECONDS, Recorder, Recorders
from jobrunner.store import Database, output
from jobrunner.store.output import Place
from jobrunner.store.runs import read
from jobrunner.store.runs.finish import Ending


@dataclass
class Attempt:
    """One attempt with its recorder, on a store."""

    db: Database
    engine: Pending
    recorders: Recorders
    recorder: Recorder
    run: int
    ending: Ending

    def close(self) -> None:
        self.recorder.close(self.ending, instead=None, batch=None)

    def kept(self) -> bytes:
        parts, place, found = list[bytes](), Place(), True
        while found:
            some, after = output.read(self.db, self.run, 1, place=place)
            parts += [part.data for part in some]
            found, place = after != place, after
        return b"".join(parts)


@pytest.fixture
def make(sqlite_db: Database) -> Callable[..., Attempt]:
    def attempt(limit: int = 1000, clock: Clock | None = None) -> Attempt:
        engine = Pending(sqlite_db)
        server = serve(sqlite_db)
        claimed = start(sqlite_db, put(sqlite_db), server)
        recorders = Recorders(engine, server, clock or SystemClock())  # type: ignore[arg-type]
        recorder = recorders.recorder(claimed.id, claimed.attempt, limit)

        return Attempt(sqlite_db, engine, recorders, recorder, claimed.id, ending(claimed, server))

    return attempt


def test_what_is_flushed_while_the_attempt_ends_is_not_lost(make: Callable[..., Attempt]) -> None:
    for _ in range(50):
        attempt = make()
        attempt.recorder.output("stdout", b"one ")
        attempt.recorder.output("stdout", b"two ")
        both = threading.Barrier(2)

        def flush(attempt: Attempt = attempt, both: threading.Barrier = both) -> None:
            both.wait()
            attempt.recorder.flush()

        thread = threading.Thread(target=flush)
        thread.start()
        both.wait()
        attempt.close()
        thread.join()
        attempt.engine.commit()
        assert attempt.kept() == b"one two "


def test_a_flush_after_the_end_writes_nothing(make: Callable[..., Attempt]) -> None:
    attempt = make()
    attempt.recorder.output("stdout", b"last words")
    attempt.close()
    attempt.recorder.progress(Progress(done=1))
    attempt.recorder.flush()
    assert len(attempt.engine.waiting) == 1
    attempt.engine.commit()
    assert (attempt.kept(), attempt.engine.freed) == (b"last words", 1)


def test_no_more_than_the_limit_is_held_while_the_store_is_away(make: Callable[..., Attempt]) -> None:
    attempt = make(limit=100)
    for number in range(1000):
        attempt.recorder.output("stdout", b"%09d\n" % number)
        attempt.recorder.flush()
    assert len(attempt.engine.waiting) == 1
    assert sum(len(data) for _, _, data in (*attempt.recorder._head, *attempt.recorder._tail)) <= 100
    attempt.close()
    attempt.engine.commit()
    kept = attempt.kept()
    assert kept.startswith(b"000000000\n000000001\n")
    assert kept.endswith(b"000000999\n")
    assert len(kept) <= 100


@pytest.mark.parametrize("bits", [(950, 200), (1600,) * 3, (30,) * 100, (2999, 1, 1), (1,) * 60])
def test_a_tail_that_is_written_bit_by_bit_is_as_long(make: Callable[..., Attempt], bits: tuple[int, ...]) -> None:
    attempt, printed = make(2000), b""
    for number, bit in enumerate((1000, *bits)):
        words = bytes([number % 256]) * bit
        attempt.recorder.output("stdout", words)
        printed += words
        attempt.recorder.flush()
        attempt.engine.commit()
    attempt.close()
    attempt.engine.commit()
    head, tail = attempt.kept()[:1000], attempt.kept()[1000:]
    assert head == printed[:1000]
    assert min(len(printed) - 1000, 1000 - 1000 // 16) <= len(tail) <= 1000
    assert printed.endswith(tail)


def test_what_gathered_meanwhile_is_written_next(make: Callable[..., Attempt]) -> None:
    attempt = make()
    attempt.recorder.output("stdout", b"a")
    attempt.recorder.flush()
    attempt.recorder.output("stderr", b"b")
    attempt.recorder.flush()
    assert len(attempt.engine.waiting) == 1
    attempt.engine.commit()
    assert attempt.recorder in attempt.recorders._dirty
    attempt.recorder.flush()
    attempt.engine.commit()
    assert attempt.kept() == b"ab"
    attempt.recorder.flush()
    assert attempt.engine.waiting == []


def test_the_last_progress_is_kept(make: Callable[..., Attempt]) -> None:
    attempt = make()
    attempt.recorder.progress(Progress(done=1))
    attempt.recorder.flush()
    attempt.recorder.progress(Progress(done=2, total=2, message="done"))
    attempt.close()
    attempt.engine.commit()
    assert read.get(attempt.db, attempt.run).progress == Progress(done=2, total=2, message="done")


class Seconds:
    """A clock whose monotonic time is set."""

    def __init__(self) -> None:
        self.at = 0.0

    def now(self) -> datetime:
        return NOW

    def monotonic(self) -> float:
        return self.at


def test_of_a_flood_the_head_is_written_at_once_and_the_tail_once_a_second(make: Callable[..., Attempt]) -> None:
    clock = Seconds()
    attempt = make(limit=100, clock=clock)
    attempt.recorder.output("stdout", b"a" * 200)
    attempt.recorder.flush()
    attempt.engine.commit()
    assert attempt.kept() == b"a" * 50
    attempt.recorder.output("stdout", b"b" * 50)
    clock.at = FLOOD_SECONDS - 0.1
    attempt.recorder.flush()
    assert attempt.engine.waiting == []
    assert attempt.recorder in attempt.recorders._dirty
    clock.at = FLOOD_SECONDS
    attempt.recorder.flush()
    attempt.engine.commit()
    assert attempt.kept() == b"a" * 50 + b"b" * 50
    attempt.recorder.output("stdout", b"c" * 50)
    clock.at = 2 * FLOOD_SECONDS
    attempt.recorder.flush()
    attempt.engine.commit()
    assert attempt.kept() == b"a" * 50 + b"c" * 50


def test_what_is_no_flood_is_written_at_once(make: Callable[..., Attempt]) -> None:
    attempt = make(limit=100, clock=Seconds())
    for text in (b"a" * 60, b"b" * 30, b"c" * 30):
        attempt.recorder.output("stdout", text)
        attempt.recorder.flush()
        attempt.engine.commit()
    assert attempt.kept().endswith(b"c" * 30)


def test_the_end_of_a_flood_is_written_whole(make: Callable[..., Attempt]) -> None:
    attempt = make(limit=100, clock=Seconds())
    attempt.recorder.output("stdout", b"a" * 200)
    attempt.recorder.flush()
    attempt.engine.commit()
    attempt.recorder.output("stdout", b"b" * 200)
    attempt.recorder.flush()
    attempt.close()
    attempt.engine.commit()
    assert attempt.kept() == b"a" * 50 + b"b" * 50
