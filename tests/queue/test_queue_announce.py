"""Announcements: bells of other servers are rung, a broker is told of runs, one that is away is an error of its own."""

from __future__ import annotations

import select
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from samples import NOW, serve

from jobrunner.domain.clock import SystemClock
from jobrunner.domain.state import Ready
from jobrunner.errors import BrokerUnavailable
from jobrunner.queue.announce import Announcer
from jobrunner.queue.bell import Bell
from jobrunner.queue.redis import RedisQueues
from jobrunner.store import Database

READY = [Ready(7, 0, "default", 0, NOW)]


def rung(bell: Bell) -> bool:
    poller = select.poll()
    poller.register(bell.fileno(), select.POLLIN)
    heard = bool(poller.poll(0))
    bell.clear()
    return heard


class Told:
    """A broker that remembers what it was told."""

    def __init__(self) -> None:
        self.runs = list[Ready]()

    def announce(self, ready: Sequence[Ready]) -> None:
        self.runs += ready


class Stepped(SystemClock):
    """A clock that goes on when it is told to."""

    seconds = 100.0

    def monotonic(self) -> float:
        return self.seconds


@pytest.fixture
def bells(sqlite_db: Database, tmp_path: Path) -> Iterator[list[Bell]]:
    bells = [Bell(tmp_path / "jobrunner.db") for _ in range(2)]
    for number, bell in enumerate(bells):
        serve(sqlite_db, f"server{number}", wake=bell.address)
    yield bells
    for bell in bells:
        bell.close()


def test_all_servers_but_the_caller_are_rung(sqlite_db: Database, bells: list[Bell]) -> None:
    announcer = Announcer(sqlite_db, None, own=bells[0].address)
    announcer.ready(READY)
    assert [rung(bell) for bell in bells] == [False, True]
    announcer.changed()
    assert [rung(bell) for bell in bells] == [False, True]


def test_who_is_to_be_woken_is_asked_again_after_a_moment(
    sqlite_db: Database, bells: list[Bell], tmp_path: Path
) -> None:
    clock = Stepped()
    announcer = Announcer(sqlite_db, None, clock=clock)
    announcer.changed()
    new = Bell(tmp_path / "jobrunner.db")
    serve(sqlite_db, "new", wake=new.address)
    bells.append(new)
    assert [rung(bell) for bell in bells] == [True, True, False]
    clock.seconds += 0.04
    announcer.changed()
    assert [rung(bell) for bell in bells] == [True, True, False]
    clock.seconds += 0.02
    announcer.changed()
    assert [rung(bell) for bell in bells] == [True, True, True]


def test_a_program_that_is_no_server_rings_all(sqlite_db: Database, bells: list[Bell]) -> None:
    Announcer(sqlite_db, None).ready(READY)
    assert [rung(bell) for bell in bells] == [True, True]


def test_no_runs_are_no_news(sqlite_db: Database, bells: list[Bell]) -> None:
    told = Told()
    Announcer(sqlite_db, None).ready([])
    Announcer(sqlite_db, told).ready([])
    assert [rung(bell) for bell in bells] == [False, False]
    assert told.runs == []


def test_a_broker_is_told_of_runs_and_servers_of_the_rest(sqlite_db: Database, bells: list[Bell]) -> None:
    told = Told()
    announcer = Announcer(sqlite_db, told)
    announcer.ready(READY)
    assert told.runs == READY
    assert [rung(bell) for bell in bells] == [False, False]
    announcer.changed()
    assert [rung(bell) for bell in bells] == [True, True]


def test_a_broker_that_is_away(sqlite_db: Database) -> None:
    redis = RedisQueues("redis://ana:s3cret@127.0.0.1:1/0", namespace="test")
    with pytest.raises(BrokerUnavailable) as away:
        Announcer(sqlite_db, redis).ready(READY)
    said = str(away.value)
    assert said.startswith("the broker redis://127.0.0.1:1/0 cannot be reached: ")
    assert "\n" not in said
    assert "s3cret" not in said
