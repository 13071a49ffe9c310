"""Each fault in short; the long forms are asked for with ``-m faults``, or by ``python -m bench faults``."""

from collections.abc import Callable

import away
import clock
import pytest
import signals
from figures import Figures, Started, audited, total
from fuzz import FUZZED, fuzz
from kills import kill_servers
from rows import ROWS
from samples import end, put, serve, start
from services import PostgreSQL, Redis
from statements import Statements

from jobrunner.domain.state import RunState
from jobrunner.store import Database

Look = Callable[[Figures], None]


def test_servers_killed_on_one_file(reached: Look) -> None:
    reached(kill_servers("", None, name="sqlite", servers=1, runs=60, kills=2))


def test_servers_killed_on_postgresql_and_redis(reached: Look, new_schema: Callable[[], str]) -> None:
    redis = Redis()
    try:
        broker = f"redis://127.0.0.1:{redis.port}/3"
        reached(kill_servers(new_schema(), broker, name="both", servers=2, runs=60, kills=1))
    finally:
        redis.close()


def test_processes_die_between_two_statements(reached: Look, scenes: Statements) -> None:
    figures = scenes.server([9, 61, 127])
    reached(figures)
    assert figures.injected == 3
    reached(scenes.reload([31]))
    reached(scenes.command("trigger note --each items --then note", [12]))
    reached(scenes.command("cancel b2", [19]))


def test_postgresql_is_restarted(reached: Look) -> None:
    server = PostgreSQL()  # not the one to which other tests hold connections
    try:
        reached(away.postgresql_killed(server, runs=40, times=1))
    finally:
        server.close()


def test_there_is_no_room(reached: Look) -> None:
    reached(away.no_room(runs=30, times=1))


def test_told_a_hundred_times_to_read_the_file(reached: Look) -> None:
    reached(signals.read_again(runs=20, times=100))


def test_the_clock_goes_an_hour_on_and_back(reached: Look) -> None:
    reached(clock.stepped(1))


@pytest.mark.parametrize("what", FUZZED)
def test_random_texts(what: str) -> None:
    fuzz(what, 60)


@pytest.mark.faults
@pytest.mark.parametrize("row", ROWS)
def test_at_length(reached: Look, row: str) -> None:
    for figures in ROWS[row]():
        reached(figures)


def test_figures_see_every_kind_of_fault(sqlite_db: Database, sqlite_url: str) -> None:
    me = serve(sqlite_db)
    ids = [put(sqlite_db) for _ in range(5)]
    claimed = [start(sqlite_db, run, me) for run in ids[:4]]
    for run, said in zip(ids, ([1], [1], [1, 2], []), strict=False):
        for seq, attempt in enumerate(said):
            row = (run, 1, seq, f"said by {run} {attempt}\n".encode())
            sqlite_db.execute(
                "INSERT INTO output (run_id, attempt, seq, start, segments, data) VALUES (?,?,?,0,'',?)", row
            )
    end(sqlite_db, claimed[0], me)  # sound
    end(sqlite_db, claimed[1], me)  # executed twice
    end(sqlite_db, claimed[2], me)  # said to have succeeded, and did not
    end(sqlite_db, claimed[3], me, RunState.FAILED)  # lost; the fifth is stuck
    first, second, third, fourth = (Started(run, 1) for run in ids[:4])
    found = audited(
        sqlite_url,
        fault="all",
        injected=1,
        starts=[first, second, second, third, fourth],
        ends=[first, second],
        together=1,
        left=1,
        leftovers=["a folder"],
    )
    assert (found.runs, found.lost, found.twice, found.stuck) == (5, 2, 1, 1)
    assert total("all", [found, found]).lost == 4
    assert [word.split()[0] for word in found.missed] == ["lost", "twice", "stuck", "together", "left", "1", "left"]
    assert found._replace(again=2, held=1).missed[5] == "again 2, of 1 that were running at a kill"
