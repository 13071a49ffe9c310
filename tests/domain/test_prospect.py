"""When a queued run will start, against lines that can be played by hand."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from jobrunner.domain.estimate import Basis, Estimate
from jobrunner.domain.prospect import Busy, Line, Start, start_of

NOW = datetime(2026, 5, 4, 12, tzinfo=UTC)


def takes(minutes: float, p95: float | None = None) -> Estimate:
    longest = timedelta(minutes=p95 or minutes)
    return Estimate(median=timedelta(minutes=minutes), p95=longest, basis=Basis.HISTORY, runs=9)


def ago(minutes: float) -> datetime:
    return NOW - timedelta(minutes=minutes)


def after(minutes: float) -> Start:
    return Start(NOW + timedelta(minutes=minutes))


USUAL = {"etl": takes(10, 15), "mail": takes(1)}


def test_a_free_worker_takes_it_now() -> None:
    assert start_of(Line(2, (Busy(1, "etl", ago(3)),), {}), USUAL, NOW) == after(0)


def test_it_waits_for_the_first_worker_to_fall_free() -> None:
    busy = (Busy(1, "etl", ago(3)), Busy(2, "etl", ago(8)))
    assert start_of(Line(2, busy, {}), USUAL, NOW) == after(2)


def test_what_stands_before_it_is_taken_first() -> None:
    busy = (Busy(1, "etl", ago(3)), Busy(2, "etl", ago(8)))
    assert start_of(Line(2, busy, {"mail": 3}), USUAL, NOW) == after(5)
    assert start_of(Line(1, (), {"mail": 3, "etl": 1}), USUAL, NOW) == after(13)


def test_a_long_line_is_not_walked() -> None:
    assert start_of(Line(4, (), {"mail": 4_000_000}), USUAL, NOW) == after(1_000_000)
    assert start_of(Line(3, (), {"mail": 100_001}), USUAL, NOW) == after(33_333)


def test_past_its_median_a_run_ends_when_most_have() -> None:
    assert start_of(Line(1, (Busy(1, "etl", ago(12)),), {}), USUAL, NOW) == after(3)


def test_nobody_knows_when_an_overlong_run_ends() -> None:
    assert start_of(Line(1, (Busy(7, "etl", ago(16)),), {}), USUAL, NOW) == Start(None, (), (7,))
    both = (Busy(7, "etl", ago(16)), Busy(8, "etl", ago(4)))
    assert start_of(Line(2, both, {}), USUAL, NOW) == Start(NOW + timedelta(minutes=6), (), (7,))


def test_nobody_knows_how_long_a_job_without_history_takes() -> None:
    assert start_of(Line(1, (Busy(7, "new", ago(1)),), {}), USUAL, NOW) == Start(None, ("new",))
    assert start_of(Line(2, (), {"new": 1}), USUAL, NOW) == Start(NOW, ("new",))
    assert start_of(Line(2, (), {"new": 5}), USUAL, NOW) == Start(None, ("new",))


def test_sums() -> None:
    line = Line(2, (Busy(1, "etl", ago(3)),), {"mail": 3, "new": 1}, higher=1)
    assert (line.before, line.jobs) == (4, {"etl", "mail", "new"})
