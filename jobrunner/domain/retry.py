"""Whether and when an attempt is repeated. Pure; asked by the server when one has failed, timed out or was lost."""

from __future__ import annotations

from datetime import timedelta

from jobrunner.domain.job import Job, OnLost, RetryPolicy


def decide(
    policy: RetryPolicy,
    *,
    failures: int,
    attempt: int,
    max_attempts: int,
    exit_code: int | None,
    exceptions: tuple[str, ...],
    spread: float,
) -> timedelta | None:
    """The delay until the next attempt, or None when there is to be none.

    ``failures`` counts the attempts of the run that failed or timed out, this one included; ``lost`` and
    ``interrupted`` ones do not count. ``exit_code`` is the program's, None where it has none; ``exceptions`` the names
    of the exception's class and of its bases, bare or dotted. ``spread`` in [0, 1) places the delay within ± jitter.

    With the defaults (10 s, doubling, at most 1 h, jitter 0.1) and ``spread`` 0.5, in the middle:

    ======== ===== ===== ===== ====== ====== ======== ====== ====
    failures     1     2     3      4      5        8      9   10
    delay     10 s  20 s  40 s   80 s  160 s   1280 s  2560 s 1 h
    ======== ===== ===== ===== ====== ====== ======== ====== ====

    The first of these lies between 9 s and 11 s, the last between 54 min and 66 min. ``delays = (1m, 5m, 15m)`` gives
    1m, 5m, 15m, 15m and so on, without jitter.
    """
    if attempt >= max_attempts or not _worth_it(policy, exit_code, exceptions):
        return None
    failures = max(failures, 1)
    if policy.delays:
        return policy.delays[min(failures, len(policy.delays)) - 1]
    middle = _grown(policy, failures)
    return max(middle * (1 + policy.jitter * (2 * spread - 1)), timedelta(0))


def gives_up(job: Job, losses: int) -> bool:
    """Whether a run is failed, and not repeated, when the server under it has died for the ``losses``-th time."""
    return job.on_lost is OnLost.FAIL or losses >= job.max_lost


def _worth_it(policy: RetryPolicy, exit_code: int | None, exceptions: tuple[str, ...]) -> bool:
    if _named(policy.no_retry_on, exit_code, exceptions):
        return False
    return not policy.retry_on or _named(policy.retry_on, exit_code, exceptions)


def _named(listed: tuple[int | str, ...], exit_code: int | None, exceptions: tuple[str, ...]) -> bool:
    if exit_code is not None and exit_code in listed:
        return True
    names = {*exceptions, *(name.rpartition(".")[2] for name in exceptions)}
    return any(isinstance(name, str) and name.removeprefix("builtins.") in names for name in listed)


def _grown(policy: RetryPolicy, failures: int) -> timedelta:
    try:
        return min(policy.delay * policy.backoff ** (failures - 1), policy.max_delay)
    except OverflowError:
        return policy.max_delay
