"""Statistics of a day, looked at again and again, against counting all of it anew."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta

import pytest

from jobrunner.domain import day as day_module
from jobrunner.domain.clock import to_micros
from jobrunner.domain.day import DAY, MINUTE, Day, Recent, Row

NOW = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)


def a_row(run_id: int, state: str = "succeeded", ago: float = 60, took: float = 10) -> Row:
    end = to_micros(NOW - timedelta(seconds=ago))
    return run_id, state, end - round(took * 1_000_000), end


def looked(known: Recent, at: datetime = NOW, buckets: int = 24) -> Day:
    return known.look(at, at - DAY, buckets)


def test_nothing_ran() -> None:
    day = looked(Recent())
    assert (day.total, day.success, day.p95, day.whole) == (0, None, None, True)
    assert day.ok == day.bad == (0,) * 24


def test_counts_success_and_p95() -> None:
    known = Recent()
    known.add([a_row(n, took=n) for n in range(1, 101)])
    known.add([a_row(101, "failed"), a_row(102, "expired"), a_row(103, "cancelled"), a_row(104, "skipped")])
    known.add([(105, "running", 5, None)])
    day = looked(known)
    assert (day.succeeded, day.failed, day.expired, day.cancelled, day.skipped) == (100, 1, 1, 1, 1)
    assert day.success == pytest.approx(100 / 101)
    assert day.p95 == timedelta(seconds=95)
    assert (day.ok[-1], day.bad[-1]) == (100, 2)
    assert known.unended == {105}


def test_the_histogram_has_the_oldest_first() -> None:
    known = Recent()
    known.add([a_row(1, ago=86_000), a_row(2, "failed", ago=43_000), a_row(3, ago=100)])
    day = looked(known, buckets=4)
    assert (day.ok, day.bad) == ((1, 0, 0, 1), (0, 0, 1, 0))


def test_what_is_over_a_day_ago_leaves() -> None:
    known = Recent()
    known.add([a_row(1, ago=86_000, took=1), a_row(2, ago=100, took=2)])
    assert looked(known).p95 == timedelta(seconds=2)
    later = looked(known, NOW + timedelta(hours=1))
    assert (later.succeeded, later.p95) == (1, timedelta(seconds=2))
    assert looked(known, NOW + timedelta(days=2)).p95 is None


def test_a_retried_run_counts_when_it_has_ended_again() -> None:
    known = Recent()
    known.add([a_row(1, "failed"), a_row(2)])
    known.reopened({1, 7})
    assert (looked(known).failed, known.unended) == (0, {1})
    known.add([a_row(1)])
    assert (looked(known).succeeded, known.unended) == (2, set())


def test_a_window_that_is_shorter_says_so() -> None:
    day = Recent().look(NOW, NOW - timedelta(hours=3), 3)
    assert (day.since, day.whole) == (NOW - timedelta(hours=3), False)


def test_a_busy_day_is_counted_whole_and_its_newest_are_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(day_module, "MOST", 10)
    known = Recent()
    for number in range(40):
        known.add([a_row(2 * number, ago=80_000 - 60 * number, took=100 - number), a_row(2 * number + 1, "failed")])
        assert len(known._took) <= 20
        assert len(known._again) <= 20
    day = looked(known)
    assert (day.succeeded, day.failed) == (40, 40)
    assert day.p95 is not None
    assert day.p95 < timedelta(seconds=81)
    known.reopened({79})
    assert looked(known).failed == 39


def test_many_at_once_are_as_one_by_one() -> None:
    rows = [a_row(1, ago=90, took=3), a_row(2, "failed", ago=95), a_row(3, ago=30, took=1), a_row(4, ago=91, took=2)]
    rows.append((5, "running", 7, None))
    at_once, singly = Recent(), Recent()
    by_minute = dict[int, list[int]]()
    for _, state, started, finished in rows:
        if state == "succeeded" and started is not None and finished is not None:
            by_minute.setdefault(finished // MINUTE, []).append(finished - started)
    at_once.begin(by_minute.items(), (row for row in rows if row[1] != "succeeded"))
    singly.add(rows)
    assert looked(at_once) == looked(singly)
    assert at_once.unended == singly.unended == {5}
    for known in (at_once, singly):
        known.reopened({2})
    assert looked(at_once) == looked(singly)
    assert looked(at_once, NOW + timedelta(days=2)).total == 0


@pytest.mark.parametrize("seed", range(5))
def test_many_looks_say_what_one_says(seed: int) -> None:
    chance = random.Random(seed)
    states = ["succeeded"] * 6 + ["failed", "cancelled", "skipped", "expired"]
    rows = [a_row(n, chance.choice(states), chance.uniform(0, 200_000), chance.uniform(0, 99)) for n in range(400)]
    rows.sort(key=lambda row: row[3] or 0)
    known = Recent()
    known.add(rows[:100])
    for place in range(100, 400, 50):
        known.add(rows[place : place + 50])
        looked(known, NOW - timedelta(seconds=chance.uniform(0, 9)))
    anew = Recent()
    anew.add(row for row in rows if (row[3] or 0) >= to_micros(NOW - DAY))
    assert looked(known) == looked(anew)
