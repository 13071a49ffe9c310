"""Fires that nobody attended to in time: what is said of each, in few rows, and what is caught up."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

import pytest
from samples import NOW, later, new, put, serve

from jobrunner.domain.clock import from_micros, to_micros
from jobrunner.domain.decision import Why
from jobrunner.domain.job import Overlap
from jobrunner.domain.queue import Pause
from jobrunner.domain.server import ServerState
from jobrunner.domain.state import Trigger
from jobrunner.store import Database, decisions, gaps, pauses, schedules, servers
from jobrunner.store.gaps import Gap, Part
from jobrunner.store.runs import read
from jobrunner.store.schedules import Fire

Catch = Callable[[Sequence[int]], Sequence[int]]


def minutes(first: int, last: int) -> range:
    """Fires at every minute, from and to so many minutes before noon."""
    return range(to_micros(later(-60 * first)), to_micros(later(-60 * last)) + 1, 60_000_000)


def caught(micros: int, several: bool) -> Fire:
    at = from_micros(micros)
    run = new(trigger=Trigger.CATCHUP, fire_time=at, created_at=NOW, run_after=at)
    return Fire(run=run, schedule=1, overlap=Overlap.SKIP, one_by_one=several)


def decide(
    db: Database,
    *parts: Part,
    catch: Catch | None = None,
    policy: Callable[[int], str] = lambda _: "too late",
    slept: tuple[datetime, datetime] | None = None,
    server: int = 0,
) -> list[int]:
    gap = Gap("job", 1, parts, catch, caught, policy, slept, server)
    return [ready.id for ready in gaps.decide(db, gap, NOW)]


def found(db: Database) -> list[tuple[int, int, int, str]]:
    """First and last minute before noon, number, and reason."""
    spans = decisions.of(db, "job", NOW - timedelta(days=36500), NOW)
    return [(minute(span.first_fire), minute(span.last_fire), span.fires, span.why.value) for span in spans]


def minute(at: datetime) -> int:
    return round((NOW - at) / timedelta(minutes=1))


def details(db: Database) -> list[str]:
    return [span.detail for span in decisions.of(db, "job", NOW - timedelta(days=36500), NOW)]


def test_years_of_seconds_are_one_row(db: Database) -> None:
    seconds = range(to_micros(NOW - timedelta(days=7300)), to_micros(NOW), 1_000_000)
    decide(db, Part(seconds, Why.MISSED))
    (span,) = decisions.of(db, "job", NOW - timedelta(days=1), NOW)
    assert (span.first_fire, span.fires) == (NOW - timedelta(days=7300), 7300 * 86_400)
    assert span.last_fire == later(-1)


def test_pauses_and_answers_cut_it(db: Database) -> None:
    schedules.apply(db, {"job": 1}, later(-3600))
    pauses.pause(db, Pause(scope="job", name="job", who="ana", since=later(-50 * 60), until=None, reason="why"))
    pauses.resume(db, "job", "job", later(-40 * 60))
    put(db, fire_time=later(-30 * 60))
    decide(db, Part(minutes(20, 15), Why.DISABLED, "off"))
    decide(db, Part(minutes(59, 10), Why.MISSED))
    assert found(db) == [
        (59, 51, 9, "missed"),
        (50, 41, 10, "paused"),
        (40, 31, 10, "missed"),
        (29, 21, 9, "missed"),
        (20, 15, 6, "disabled"),
        (14, 10, 5, "missed"),
    ]
    assert "job paused by ana since 2026-05-04T11:10:00+00:00: why" in details(db)
    assert schedules.apply(db, {"job": 1}, NOW)[0] == {"job": later(-10 * 60)}


def test_a_gap_that_is_decided_again_changes_nothing(db: Database) -> None:
    for _ in range(2):
        decide(db, Part(minutes(9, 8), Why.MISSED), Part(minutes(7, 5), Why.BLACKOUT, "a day"))
    assert found(db) == [(9, 8, 2, "missed"), (7, 5, 3, "blackout")]


def test_gaps_in_pieces_are_one_decision(db: Database) -> None:
    schedules.apply(db, {"job": 1}, later(-3600))
    decide(db, Part(minutes(59, 40), Why.MISSED))
    decide(db, Part(minutes(39, 20), Why.MISSED))
    assert found(db) == [(59, 20, 40, "missed")]


def test_what_is_caught_up_is_no_fire_of_a_pause_a_blackout_or_another_server(db: Database) -> None:
    pauses.pause(db, Pause(scope="all", name="", who="ana", since=later(-9.5 * 60), until=None, reason=""))
    pauses.resume(db, "all", "", later(-8.5 * 60))
    put(db, fire_time=later(-6 * 60))
    parts = (
        Part(minutes(9, 8), Why.MISSED),
        Part(minutes(7, 7), Why.BLACKOUT, "a day"),
        Part(minutes(6, 5), Why.MISSED),
    )
    offered = list[int]()

    def all_of_them(candidates: Sequence[int]) -> Sequence[int]:
        offered.extend(candidates)
        return candidates

    decide(db, *parts, catch=all_of_them)
    assert [minute(from_micros(at)) for at in offered] == [8, 5]
    assert found(db) == [(9, 9, 1, "paused"), (7, 7, 1, "blackout")]
    runs = [read.get(db, run) for run in read.ids(db, 9)]
    assert {minute(run.fire_time) for run in runs if run.fire_time} == {8, 6, 5}


def test_a_job_that_is_paused_now_catches_nothing_up(db: Database) -> None:
    pauses.pause(db, Pause(scope="job", name="job", who="ana", since=later(-7 * 60), until=None, reason=""))
    assert decide(db, Part(minutes(9, 5), Why.MISSED), catch=lambda candidates: candidates) == []
    assert found(db) == [(9, 8, 2, "missed"), (7, 5, 3, "paused")]


def test_the_words_say_when_no_server_ran(db: Database) -> None:
    first = serve(db, "one", started_at=later(-7200))
    servers.heartbeat(db, first, busy=0, now=later(-3000), ticked=later(-3000))
    servers.set_state(db, first, ServerState.STOPPED, later(-2990))
    second = serve(db, "one", started_at=later(-60))
    decide(db, Part(minutes(40, 2), Why.MISSED), server=second)
    assert details(db) == ["no server ran from 2026-05-04T11:10:10+00:00 to 2026-05-04T11:59:00+00:00; too late"]


def test_the_words_say_when_a_server_was_lost(db: Database) -> None:
    first = serve(db, "one", started_at=later(-7200))
    servers.heartbeat(db, first, busy=0, now=later(-3000), ticked=later(-3000))
    servers.set_state(db, first, ServerState.LOST, later(-60))
    serve(db, "no scheduler", started_at=later(-7200))
    decide(db, Part(minutes(40, 2), Why.MISSED), server=serve(db, "one", started_at=later(-60)))
    assert details(db) == ["no server ran from 2026-05-04T11:10:00+00:00 to 2026-05-04T11:59:00+00:00; too late"]


def test_the_words_say_when_the_machine_slept(db: Database) -> None:
    server = serve(db, "one", started_at=later(-7200))
    decide(db, Part(minutes(40, 2), Why.MISSED), slept=(later(-2410), NOW), server=server)
    (words,) = details(db)
    assert words.startswith("no server looked from 2026-05-04T11:19:50+00:00 to 2026-05-04T12:00:00+00:00: the machine")


@pytest.mark.parametrize("edge", [30, 15, 1])
def test_the_words_change_where_the_policy_does(db: Database, edge: int) -> None:
    window = to_micros(later(-60 * edge))
    decide(db, Part(minutes(40, 1), Why.MISSED), policy=lambda at: "old" if at < window else "new")
    assert found(db) == [(40, edge + 1, 40 - edge, "missed"), (edge, 1, edge, "missed")]
    assert [words[-3:] for words in details(db)] == ["old", "new"]
