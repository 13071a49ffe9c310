from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobrunner.domain.job import RetryPolicy
from jobrunner.domain.retry import decide

BASES = ("app.errors.Busy", "requests.exceptions.Timeout", "OSError", "Exception", "BaseException", "object")


def seconds(policy: RetryPolicy, failures: int = 1, **given: Any) -> float | None:
    facts = {"attempt": failures, "max_attempts": 1_000, "exit_code": 1, "exceptions": (), "spread": 0.5} | given
    delay = decide(policy, failures=failures, **facts)
    return None if delay is None else delay.total_seconds()


def test_the_delay_doubles_up_to_the_maximum() -> None:
    found = [seconds(RetryPolicy(), failures) for failures in (1, 2, 3, 4, 5, 8, 9, 10, 11, 900)]
    assert found == [10, 20, 40, 80, 160, 1_280, 2_560, 3_600, 3_600, 3_600]


def test_jitter_spreads_both_ways() -> None:
    assert seconds(RetryPolicy(), spread=0.0) == pytest.approx(9)
    assert seconds(RetryPolicy(), spread=0.999_999) == pytest.approx(11, abs=0.001)
    assert seconds(RetryPolicy(), failures=50, spread=0.999_999) == pytest.approx(3_960, abs=0.01)
    assert seconds(RetryPolicy(jitter=0.0), spread=0.9) == 10


def test_delays_take_the_place_of_the_curve_and_the_last_repeats() -> None:
    policy = RetryPolicy(delays=(timedelta(minutes=1), timedelta(minutes=5), timedelta(minutes=15)))
    assert [seconds(policy, failures, spread=0.9) for failures in (1, 2, 3, 4, 99)] == [60, 300, 900, 900, 900]


def test_no_attempt_is_left() -> None:
    assert seconds(RetryPolicy(), attempt=4, max_attempts=4) is None
    assert seconds(RetryPolicy(), attempt=5, max_attempts=4) is None
    assert seconds(RetryPolicy(), attempt=3, max_attempts=4) == 10


def test_lost_attempts_do_not_lengthen_the_delay() -> None:
    assert seconds(RetryPolicy(), failures=1, attempt=6, max_attempts=8) == 10
    assert seconds(RetryPolicy(), failures=0, attempt=6, max_attempts=8) == 10


@pytest.mark.parametrize(
    ("retry_on", "no_retry_on", "exit_code", "exceptions", "again"),
    [
        ((), (), 1, (), True),
        ((75, 111), (), 75, (), True),
        ((75, 111), (), 1, (), False),
        ((75,), (), None, (), False),
        ((), (2,), 2, (), False),
        ((), (2,), 3, (), True),
        ((75,), (75,), 75, (), False),
        ((0,), (), 0, (), True),
        ((), (0,), None, (), True),
        (("Busy",), (), None, BASES, True),
        (("app.errors.Busy",), (), None, BASES, True),
        (("OSError",), (), None, BASES, True),
        (("builtins.OSError",), (), None, BASES, True),
        (("Timeout",), (), None, BASES, True),
        (("other.Timeout",), (), None, BASES, False),
        (("errors.Busy",), (), None, BASES, False),
        (("ValueError",), (), None, BASES, False),
        ((), ("OSError",), None, BASES, False),
        (("Busy",), ("Exception",), None, BASES, False),
        ((75, "Busy"), (), None, BASES, True),
        ((75, "Busy"), (), 75, (), True),
    ],
)
def test_what_is_worth_repeating(
    retry_on: tuple[int | str, ...],
    no_retry_on: tuple[int | str, ...],
    exit_code: int | None,
    exceptions: tuple[str, ...],
    again: bool,
) -> None:
    policy = RetryPolicy(retry_on=retry_on, no_retry_on=no_retry_on)
    assert (seconds(policy, exit_code=exit_code, exceptions=exceptions) is not None) is again


@given(
    st.integers(0, 10**6),
    st.floats(0, 1e6),
    st.floats(0, 1),
    st.timedeltas(timedelta(0), timedelta(days=36_525)),
    st.floats(0, 1, exclude_max=True),
)
def test_any_curve_gives_a_delay_within_the_maximum_and_its_jitter(
    failures: int, backoff: float, jitter: float, delay: timedelta, spread: float
) -> None:
    policy = RetryPolicy(delay=delay, backoff=backoff, jitter=jitter)
    found = seconds(policy, failures, attempt=1, spread=spread)
    assert found is not None
    assert 0 <= found <= policy.max_delay.total_seconds() * 2
